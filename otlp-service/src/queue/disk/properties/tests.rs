use super::*;
use otlp_protocol::{Body, Charge, HopId, encode::LogRecords};

fn batch() -> Batch {
    Batch::new(Body::write::<LogRecords>(|_| {}), Charge::none())
}

#[test]
fn what_was_encoded_is_decoded() {
    let mut batch = batch();
    let all = Properties::decode(&Properties::encode("logs", &batch)).unwrap();
    assert_eq!(all, Properties { pipeline: "logs".into(), ..Properties::default() });

    let origin = Origin {
        headers: vec![("x-a".into(), vec![0, 255].into()), ("x-a".into(), "".into())],
        identity: Some("ann".into()),
        tenant: Some("ä".into()),
        peer: Some("::1".parse().unwrap()),
        resource: vec![("service.name".into(), "shop".into())],
        charge: None,
    };
    batch.origin = Some(Arc::new(origin));
    batch.hops = Some(Hops::join(Arc::new(Hops::of(HopId::random())), &Arc::new(Hops::of(HopId::random()))));
    let encoded = Properties::encode("logs/2", &batch);
    let all = Properties::decode(&encoded).unwrap();
    assert_eq!((&all.origin, &all.hops, &*all.pipeline), (&batch.origin, &batch.hops, "logs/2"));

    // Fields of a later version are skipped; a part of a field is none.
    let mut later = encoded.clone();
    put(&mut later, 200, &[b"new"]);
    assert_eq!(Properties::decode(&later), Some(all));
    for cut in 0..encoded.len() {
        let _ = Properties::decode(&encoded[..cut]);
    }
    assert_eq!(Properties::decode(&encoded[..encoded.len() - 1]), None);
}
