use super::*;

fn headers(values: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

#[test]
fn what_is_kept_is_what_was_asked_for_in_that_order() {
    let peer = Peer::new(Address::Tcp(([10, 0, 0, 1], 5).into()), None, 0);
    let budget = ByteBudget::new(1 << 20);
    let all = OriginConfig { headers: vec!["b".into(), "a".into()], identity: true, peer: true };
    let nobody = OriginConfig::default();
    let header = |name: &str, value: &'static str| (name.into(), Bytes::from(value));
    for (config, sent, identity, expected) in [
        (&nobody, headers(&[("a", "1")]), Some(Identity::new("x")), None),
        (
            &all,
            headers(&[("a", "1"), ("b", "2"), ("b", "3"), ("c", "4")]),
            Some(Identity::new("x")),
            Some(Origin {
                headers: vec![header("b", "2"), header("b", "3"), header("a", "1")],
                identity: Some("x".into()),
                peer: Some([10, 0, 0, 1].into()),
                ..Origin::default()
            }),
        ),
        (&OriginConfig { peer: false, ..all.clone() }, headers(&[("c", "4")]), None, None),
    ] {
        assert_eq!(
            peer.origin(config, &budget, &sent, identity.as_ref()).unwrap().as_deref(),
            expected.as_ref(),
            "{sent:?}"
        );
    }
}

#[test]
fn equal_origins_are_one_and_others_are_not() {
    let peer = Peer::new(Address::Tcp(([10, 0, 0, 1], 5).into()), None, 0);
    let budget = ByteBudget::new(1 << 20);
    let config =
        OriginConfig { headers: vec!["a".into(), "b".into()], identity: true, ..OriginConfig::default() };
    let requests = [
        (headers(&[("a", "1")]), None),
        (headers(&[("b", "1")]), None),
        (headers(&[("a", "1"), ("b", "1")]), None),
        (headers(&[("a", "1"), ("a", "1")]), None),
        (headers(&[("a", "1,1"), ("b", "1")]), None),
        (headers(&[("a", "1")]), Some(Identity::new("x"))),
        (headers(&[]), Some(Identity::new("x"))),
    ];
    let origin = |sent: &HeaderMap, identity: &Option<Identity>| {
        peer.origin(&config, &budget, sent, identity.as_ref()).unwrap()
    };
    for (sent, identity) in &requests {
        let first = origin(sent, identity).unwrap();
        let again = origin(sent, identity).unwrap();
        assert!(Arc::ptr_eq(&first, &again), "{sent:?}");
        for (other, other_identity) in &requests {
            let second = origin(other, other_identity).unwrap();
            assert_eq!(first == second, (sent, identity) == (other, other_identity), "{sent:?} {other:?}");
            origin(sent, identity);
        }
    }
}

#[test]
fn an_origin_is_charged_once_for_as_long_as_a_batch_has_it() {
    let peer = Peer::new(Address::Tcp(([10, 0, 0, 1], 5).into()), None, 0);
    let budget = ByteBudget::new(20 << 10);
    let config = OriginConfig { headers: vec!["a".into()], ..OriginConfig::default() };
    let (long, other) = ("1".repeat(15 << 10), "2".repeat(15 << 10));
    let sent = |value: &str| HeaderMap::from_iter([("a".parse().unwrap(), value.parse().unwrap())]);
    let origin = |value: &str| peer.origin(&config, &budget, &sent(value), None);
    let (first, again) = (origin(&long).unwrap(), origin(&long).unwrap());
    let used = budget.used();
    assert!((15 << 10..16 << 10).contains(&used), "{used}");
    assert_eq!(origin(&other).unwrap_err().kind(), ErrorKind::Exhausted);
    drop(first);
    assert_eq!(budget.used(), used);
    drop(again);
    assert_eq!(budget.used(), 0);
    assert!(origin(&other).is_ok());
}
