//! Split and merge on bodies written by hand; `properties.rs` has the rules for all others.

use crate::by_hand::{field, sound};
use bytes::Bytes;
use otlp_protocol::{
    Batch, Body, ByteBudget, Charge, Count, MAX_REPEATED_BYTES, Merge, Payload, Signal, SplitLimits, split,
};

fn parts(
    signal: Signal,
    body: &[u8],
    max_items: Option<u64>,
    max_bytes: Option<usize>,
) -> Vec<(Vec<u8>, Count)> {
    let parts = split(&sound(signal, body.to_vec()), SplitLimits { max_items, max_bytes });
    parts.into_iter().map(|part| (part.plain().to_contiguous().to_vec(), part.count())).collect()
}

const ONE: Count = Count { items: 1, entries: 1 };

#[test]
fn headers_and_unknown_fields_are_repeated_wherever_they_stand() {
    let (a, b) = (field(2, &field(5, b"a")), field(2, &field(5, b"b")));
    let (scope, scope_url, unknown) = (field(1, b""), field(3, b"s"), field(99, b"?"));
    let scope_spans =
        field(2, &[a.clone(), scope.clone(), unknown.clone(), b.clone(), scope_url.clone()].concat());
    let (resource, url) = (field(1, b""), field(3, b"r"));
    let body = field(1, &[scope_spans, url.clone(), resource.clone()].concat());
    let part = |span: &[u8]| {
        let scope_spans = field(2, &[&scope, &unknown, &scope_url, span].concat());
        field(1, &[url.as_slice(), &resource, &scope_spans].concat())
    };
    assert_eq!(parts(Signal::TRACES, &body, Some(1), None), [(part(&a), ONE), (part(&b), ONE)]);
}

#[test]
fn a_metric_is_cut_between_points_with_its_name_and_temporality() {
    let point = |time: u8| field(1, &[0x19, time, 0, 0, 0, 0, 0, 0, 0]);
    let temporality = vec![0x10, 0x02];
    let sum = field(7, &[point(1), point(2), temporality.clone(), point(3)].concat());
    let body = field(1, &field(2, &field(2, &[field(1, b"name"), sum].concat())));
    let part = |points: &[Vec<u8>]| {
        let sum = field(7, &[temporality.clone(), points.concat()].concat());
        let body = field(1, &field(2, &field(2, &[field(1, b"name"), sum].concat())));
        (body, Count { items: points.len() as u64, entries: 1 })
    };
    let expect = [part(&[point(1), point(2)]), part(&[point(3)])];
    assert_eq!(parts(Signal::METRICS, &body, Some(2), None), expect);
}

#[test]
fn a_metric_with_points_of_two_types_is_not_cut() {
    let points = field(1, b"").repeat(3);
    let metric = field(2, &[field(5, &points), field(7, &points)].concat());
    let body = field(1, &field(2, &[field(2, b""), metric, field(2, b"")].concat()));
    let items: Vec<u64> =
        parts(Signal::METRICS, &body, Some(2), None).iter().map(|(_, count)| count.items).collect();
    assert_eq!(items, [0, 3, 0]);
}

#[test]
fn what_is_too_large_stands_alone() {
    let small = field(2, &field(5, b"small"));
    let large = field(2, &field(5, &[b'x'; 500]));
    let body = field(1, &field(2, &[small.clone(), large, small.clone(), small].concat()));
    let items: Vec<u64> =
        parts(Signal::TRACES, &body, None, Some(100)).iter().map(|(_, count)| count.items).collect();
    assert_eq!(items, [1, 1, 2]);
}

#[test]
fn large_headers_are_not_multiplied_for_the_sake_of_bytes() {
    let resource = field(1, &field(1, &field(1, &[b'x'; 600])));
    let body = field(1, &[resource, field(2, &field(2, b"").repeat(1000))].concat());
    assert_eq!(parts(Signal::TRACES, &body, None, Some(1000)).len(), 1);
    assert!(parts(Signal::TRACES, &body, None, Some(1400)).len() > 1);
}

#[test]
fn what_fits_or_cannot_be_merged_comes_back_as_it_is() {
    let body = Bytes::from(field(1, &field(2, &field(2, b"").repeat(3))));
    let with_unknown = Bytes::from([body.as_ref(), &field(9, b"")].concat());
    for (body, max_items) in [(body, 3), (with_unknown, 1)] {
        let limits = SplitLimits { max_items: Some(max_items), max_bytes: None };
        let parts = split(&sound(Signal::LOGS, body.clone()), limits);
        let [part] = parts.as_slice() else { panic!("{} parts", parts.len()) };
        let segments: Vec<_> = part.plain().segments().collect();
        assert_eq!((segments[0].as_ptr(), segments.len()), (body.as_ptr(), 1));
        assert_eq!(part.count(), Count { items: 3, entries: 3 });
    }
}

#[test]
fn large_slices_are_linked_not_copied() {
    let body = Bytes::from(field(1, &field(2, &field(2, &field(5, &[b'x'; 2000])).repeat(4))));
    let limits = SplitLimits { max_items: Some(2), max_bytes: None };
    let range = body.as_ptr_range();
    for part in split(&sound(Signal::TRACES, body.clone()), limits) {
        let linked: usize =
            part.plain().segments().filter(|segment| range.contains(&segment.as_ptr())).map(Bytes::len).sum();
        assert!(linked > 4000, "{linked} bytes are linked");
    }
}

#[test]
fn small_batches_are_gathered_and_large_ones_linked() {
    let small = Bytes::from(field(1, &[]));
    let large = Bytes::from(field(1, &field(77, &[0; 5000])));
    let batch = |body: &Bytes| Batch::unchecked(Signal::LOGS, body.clone(), ONE, true, Charge::none());
    let mut merge = Merge::new(batch(&small));
    (1..5000).for_each(|_| merge.push(batch(&small)).unwrap());
    merge.push(batch(&large)).unwrap();
    (0..5000).for_each(|_| merge.push(batch(&small)).unwrap());
    assert_eq!((merge.items(), merge.bytes()), (10_001, 20_000 + large.len()));
    let merged = merge.finish();
    let segments: Vec<_> = merged.body().plain().segments().cloned().collect();
    assert_eq!(segments.len(), 3);
    assert_eq!(segments[1].as_ptr(), large.as_ptr());
    assert_eq!(merged.count(), Count { items: 10_001, entries: 10_001 });
    assert!(merged.is_mergeable());
}

#[test]
fn charges_are_summed_and_follow_what_is_kept() {
    let budget = ByteBudget::new(1 << 20);
    let body = Bytes::from(field(1, &field(77, &[0; 5000])));
    // Linked: all that the charge stands for stays alive.
    let pinned = 2 * body.len() as u64;
    let charged =
        |bytes| Batch::unchecked(Signal::LOGS, body.clone(), ONE, true, budget.try_charge(bytes).unwrap());
    let mut merge = Merge::new(charged(pinned));
    assert_eq!(budget.used(), pinned);
    // Copied, as it pins far more than it uses: only the copy is kept.
    merge.push(charged(100_000)).unwrap();
    assert_eq!(budget.used(), pinned + body.len() as u64);
    let merged = merge.finish();
    assert_eq!(merged.charge().bytes(), budget.used());
    assert_eq!(merged.body().plain().segments().count(), 2);
    drop(merged);
    assert_eq!(budget.used(), 0);
}

/// A resource of `len` bytes with `records` empty log records.
fn wide(len: usize, records: usize) -> Body {
    let resource = field(1, &field(1, &field(1, &vec![b'x'; len])));
    sound(Signal::LOGS, field(1, &[resource, field(2, &field(2, b"").repeat(records))].concat()))
}

#[test]
fn parts_are_cut_one_at_a_time_and_say_what_they_cost() {
    let body = wide(4000, 100);
    let limits = SplitLimits { max_items: Some(30), max_bytes: None };
    let mut parts = otlp_protocol::parts(&body, limits);
    assert_eq!(parts.copied_bytes(), 0);
    let first = parts.next().unwrap();
    assert_eq!(first.body.count().items, 30);
    // The resource is linked, the rest copied.
    assert!(first.is_linked && first.copied_bytes < 200, "{}", first.copied_bytes);
    let items: Vec<u64> = parts.map(|part| part.body.count().items).collect();
    assert_eq!(items, [30, 30, 10]);

    let small = wide(100, 100);
    let part = otlp_protocol::parts(&small, limits).next().unwrap();
    assert!(!part.is_linked && part.copied_bytes >= part.body.len(), "{part:?}");

    // What comes back whole costs nothing; a body in several segments is copied once for all parts.
    let segments: Payload = body.plain().to_contiguous().chunks(1000).map(Bytes::copy_from_slice).collect();
    let segments = sound(Signal::LOGS, segments);
    let whole = SplitLimits::default();
    let part = otlp_protocol::parts(&segments, whole).next().unwrap();
    assert_eq!((part.copied_bytes, part.is_linked, part.body.plain().segments().count()), (0, true, 5));
    let parts = otlp_protocol::parts(&segments, limits);
    assert_eq!(parts.copied_bytes(), segments.len());
}

#[test]
fn items_do_not_multiply_large_headers_beyond_a_limit() {
    let body = wide(1 << 20, 400_000);
    let limits = SplitLimits { max_items: Some(1000), max_bytes: None };
    let (mut number, mut bytes, mut items, mut largest) = (0, 0, 0, 0);
    for part in otlp_protocol::parts(&body, limits) {
        let count = part.body.count();
        assert!(number > 0 || count.items == 1000);
        number += 1;
        bytes += part.body.len();
        items += count.items;
        largest = largest.max(count.items);
    }
    assert_eq!(items, 400_000);
    assert!(bytes < MAX_REPEATED_BYTES + 4 * body.len(), "{bytes} bytes in {number} parts");
    assert!(number > 32 && largest <= 256_000, "{number} parts, the largest of {largest}");

    // Small headers are repeated as often as need be.
    let limits = SplitLimits { max_items: Some(1), max_bytes: None };
    assert_eq!(otlp_protocol::parts(&wide(100, 10_000), limits).count(), 10_000);
}
