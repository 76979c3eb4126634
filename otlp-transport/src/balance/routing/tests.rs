use super::*;

fn chooser(keys: Keys) -> Chooser {
    let candidates = (0..8).map(|id| Candidate { id, weight: 1, in_flight: 0 });
    Chooser::new(keys, BalancePolicy::ConsistentHash.strategy(), candidates.collect())
}

/// Items of one resource share its key, which is worked out once: a resource that is compared for each item costs as many
/// times its length.
#[test]
fn the_key_of_a_resource_is_made_once() {
    for keys in [Keys::Service, Keys::Resource] {
        let mut chooser = chooser(keys);
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

#[test]
fn what_takes_long_leaves_the_thread() {
    for (bytes, items, candidates, quick) in [
        (1_000, 10, 256, true),
        (64 << 10, 500, 256, true),
        (60_000, 2_000, 256, false),
        (64 << 10, 40_000, 3, true),
        ((64 << 10) + 1, 1, 2, false),
        (1, u64::MAX, usize::MAX, false),
    ] {
        assert_eq!(is_quick(bytes, items, candidates), quick, "{bytes} {items} {candidates}");
    }
}
