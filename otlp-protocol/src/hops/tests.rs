use super::*;
use crate::{Batch, ByteBudget, Count, Merge, Signal};
use proptest::prelude::*;

/// Reads a header of a request that arrives at `id`.
fn read(header: &str, id: HopId) -> Option<Hops> {
    Hops::read([header.as_bytes()], id, Charge::none())
}

fn list(ids: impl IntoIterator<Item = u64>) -> Arc<Hops> {
    Arc::new(Hops { ids: ids.into_iter().map(HopId).collect(), ..Hops::default() })
}

fn ids(hops: &Hops) -> Vec<u64> {
    hops.ids().iter().map(|id| id.0).collect()
}

#[test]
fn ids_are_random() {
    let mut ids: Vec<_> = (0..100).map(|_| HopId::random().0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

#[test]
fn what_is_not_an_id_is_left_out() {
    let header =
        " 0000000000000001 ,x,,000000000000002,0000000000000003,+000000000000004,000000000000000G,\u{e4}";
    assert_eq!(ids(&read(header, HopId(9)).unwrap()), [1, 3, 9]);
    assert_eq!(ids(&read("", HopId(9)).unwrap()), [9]);
    let lines = ["0000000000000001", "00000000000000fF"].map(str::as_bytes);
    assert_eq!(ids(&Hops::read(lines, HopId(9), Charge::none()).unwrap()), [1, 255, 9]);
    assert!(Hops::read(lines, HopId(255), Charge::none()).is_none());
}

#[test]
fn joined_batches_keep_the_nearest_ids_of_all() {
    assert_eq!(ids(&Hops::join(list([1, 2, 9]), &list([3, 9]))), [1, 3, 2, 9]);
    let (one, other) = (list(1..=16), list(101..=116));
    let joined = Hops::join(one.clone(), &other);
    assert_eq!(ids(&joined), [109, 9, 110, 10, 111, 11, 112, 12, 113, 13, 114, 14, 115, 15, 116, 16]);
    // Nothing is made where nothing is new.
    assert!(Arc::ptr_eq(&Hops::join(one.clone(), &list([3, 5])), &one));
}

#[test]
fn a_merged_batch_has_the_hops_of_all_its_requests() {
    let batch = |hops| {
        let body = Bytes::from_static(b"\x0a\x04\x12\x02\x12\x00");
        let count = Count { items: 1, entries: 1 };
        let mut batch = Batch::unchecked(Signal::LOGS, body, count, true, Charge::none());
        batch.hops = hops;
        batch
    };
    let mut merge = Merge::new(batch(None));
    for hops in [Some(list([7])), None, Some(list([8, 7]))] {
        merge.push(batch(hops)).unwrap();
    }
    let mut merged = merge.finish();
    assert_eq!(ids(merged.hops.as_ref().unwrap()), [8, 7]);
    assert_eq!(merged.part(merged.body().clone(), Charge::none()).hops, merged.hops);
    assert_eq!(merged.share().hops, merged.hops);
}

#[test]
fn ids_that_were_read_are_charged_until_the_last_holder_drops() {
    let budget = ByteBudget::new(1 << 20);
    let charge = budget.try_charge(Hops::MEMORY).unwrap();
    let hops = Arc::new(Hops::read([&b"0000000000000001"[..]], HopId(9), charge).unwrap());
    let joined = Hops::join(list([5]), &hops);
    drop(hops);
    assert_eq!(budget.used(), Hops::MEMORY);
    drop(joined);
    assert_eq!(budget.used(), 0);
}

proptest! {
    #[test]
    fn any_header_is_read(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4)) {
        let hops = Hops::read(values.iter().map(Vec::as_slice), HopId(1), Charge::none());
        prop_assert!(hops.is_none_or(|hops| (1..=MAX_HOPS).contains(&hops.ids().len())));
    }

    /// What one process writes, the next one reads; the nearest ids stay, and the own one is found among them all.
    #[test]
    fn what_is_written_is_read(path in prop::collection::vec(2u64.., 0..40), own in 0u64..2) {
        let header: Vec<_> = path.iter().map(|id| HopId(*id).to_string()).collect();
        let hops = read(&header.join(", "), HopId(own)).unwrap();
        let mut nearest = path[path.len().saturating_sub(MAX_HOPS - 1)..].to_vec();
        nearest.push(own);
        prop_assert_eq!(ids(&hops), nearest);
        let text = hops.text();
        let text = std::str::from_utf8(&text).unwrap();
        for id in hops.ids() {
            prop_assert!(read(text, *id).is_none());
        }
        let again = read(text, HopId(u64::MAX)).unwrap();
        prop_assert_eq!(&again.ids()[..again.ids().len() - 1], &hops.ids()[hops.ids().len().saturating_sub(MAX_HOPS - 1)..]);
    }

    #[test]
    fn a_join_is_bounded_and_has_the_nearest_of_both(
        one in prop::collection::hash_set(any::<u64>(), 1..=MAX_HOPS),
        other in prop::collection::hash_set(any::<u64>(), 1..=MAX_HOPS),
    ) {
        let (one, other) = (list(one), list(other));
        let joined = Hops::join(one.clone(), &other);
        prop_assert!(joined.ids().len() <= MAX_HOPS);
        for hops in [&one, &other] {
            prop_assert!(joined.ids().contains(hops.ids().last().unwrap()));
        }
        let mut distinct = joined.ids().to_vec();
        distinct.sort_unstable_by_key(|id| id.0);
        distinct.dedup();
        prop_assert_eq!(distinct.len(), joined.ids().len());
    }
}
