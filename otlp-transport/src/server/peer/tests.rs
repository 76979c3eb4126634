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
    let peer = Peer::new(Address::Tcp(([10, 0, 0, 1], 5).into()), None);
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
                headers: vec![header("b", "2,3"), header("a", "1")],
                identity: Some("x".into()),
                peer: Some([10, 0, 0, 1].into()),
                ..Origin::default()
            }),
        ),
        (&OriginConfig { peer: false, ..all.clone() }, headers(&[("c", "4")]), None, None),
    ] {
        assert_eq!(peer.origin(config, &sent, identity.as_ref()).as_deref(), expected.as_ref(), "{sent:?}");
    }
}

#[test]
fn equal_origins_are_one_and_others_are_not() {
    let peer = Peer::new(Address::Tcp(([10, 0, 0, 1], 5).into()), None);
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
    for (sent, identity) in &requests {
        let first = peer.origin(&config, sent, identity.as_ref()).unwrap();
        let again = peer.origin(&config, sent, identity.as_ref()).unwrap();
        assert!(Arc::ptr_eq(&first, &again), "{sent:?}");
        for (other, other_identity) in &requests {
            let second = peer.origin(&config, other, other_identity.as_ref()).unwrap();
            assert_eq!(first == second, (sent, identity) == (other, other_identity), "{sent:?} {other:?}");
            peer.origin(&config, sent, identity.as_ref());
        }
    }
}
