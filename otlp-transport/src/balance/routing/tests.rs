use super::*;
use otlp_protocol::wire::put_len_delimited;

fn chooser(keys: Keys) -> Chooser {
    let candidates = (0..8).map(|id| Candidate { id, weight: 1, in_flight: 0 });
    Chooser::new(keys, BalancePolicy::ConsistentHash.strategy(), candidates.collect())
}

/// Items of one resource share its key, which is worked out once: a resource that is compared for each item costs as many
/// times its length.
#[test]
fn the_key_of_a_resource_is_made_once() {
    for keys in [Keys::Service, Keys::Resource] {
        let mut chooser = chooser(keys.clone());
        let resources: Vec<_> = (0..100_u8).map(|byte| [byte; 64]).collect();
        let places: Vec<_> = (0..100)
            .map(|at| {
                chooser.choose(&Item { resource: &resources[at], resource_index: 0, ..Item::default() })
            })
            .collect();
        assert_eq!(places, [places[0]; 100], "{keys:?}");
    }
    let mut chooser = chooser(Keys::Resource);
    let places: std::collections::BTreeSet<_> = (0..100_u8)
        .map(|byte| {
            let item = Item { resource: &[byte; 64], resource_index: byte.into(), ..Item::default() };
            chooser.choose(&item)
        })
        .collect();
    assert_eq!(places.len(), 8);
}

/// A key-value pair as the field of that number, and the message that such fields make.
fn pairs(number: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut message = Vec::new();
    for (key, value) in pairs {
        let (mut text, mut pair) = (Vec::new(), Vec::new());
        put_len_delimited(&mut text, 1, value.as_bytes());
        put_len_delimited(&mut pair, 1, key.as_bytes());
        put_len_delimited(&mut pair, 2, &text);
        put_len_delimited(&mut message, number, &pair);
    }
    message
}

/// The resource's attribute goes before the scope's, and that before the span's.
#[test]
fn attributes_make_a_key_wherever_they_stand() {
    let keys = AttributeKeys::new(&["tenant".into(), "span.name".into()], Signal::TRACES);
    let key = |resource: &[(&str, &str)], scope: &[(&str, &str)], span: &[(&str, &str)], name: &str| {
        let (resource, scope) = (pairs(1, resource), pairs(3, scope));
        let mut span = pairs(9, span);
        if !name.is_empty() {
            put_len_delimited(&mut span, 5, name.as_bytes());
        }
        keys.key(&Item { resource: &resource, scope: &scope, entry: &span, ..Item::default() })
    };
    let tenant = [("x", "y"), ("tenant", "a")];
    let of_resource = key(&tenant, &[], &[], "");
    assert!(of_resource.is_some());
    assert_eq!(of_resource, key(&[], &tenant, &[], ""));
    assert_eq!(of_resource, key(&[], &[], &tenant, ""));
    assert_eq!(of_resource, key(&tenant, &[("tenant", "b")], &[("tenant", "c")], ""));
    assert_ne!(of_resource, key(&[("tenant", "b")], &[], &[], ""));
    assert_ne!(of_resource, key(&tenant, &[], &[], "GET /"));
    assert!(key(&[], &[], &[], "GET /").is_some());
    assert_eq!(key(&[("x", "y")], &[], &[], ""), None);
}
