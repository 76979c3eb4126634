//! Requests cut by what is in them.

use crate::by_hand::{field, sound};
use crate::oracle;
use crate::random::{Random, message};
use bytes::Bytes;
use otlp_protocol::wire::{Cursor, WireType};
use otlp_protocol::{
    Body, Count, Item, MAX_PARTS, MAX_REPEATED_BYTES, Signal, ValidateLimits, partition, validate,
};
use proptest::prelude::*;

fn parts(
    signal: Signal,
    body: &[u8],
    parts: usize,
    choose: impl FnMut(&Item<'_>) -> usize,
) -> Vec<Option<(Bytes, Count)>> {
    let parts = partition(&sound(signal, body.to_vec()), parts, choose);
    parts.into_iter().map(|part| part.map(|part| (part.plain().to_contiguous(), part.count()))).collect()
}

/// Whether the top level holds resources alone.
fn can_be_cut(body: &[u8]) -> bool {
    let mut cursor = Cursor::new(body);
    while !cursor.is_at_end() {
        match cursor.tag().unwrap() {
            (1, WireType::Len) => cursor.len_delimited().map(drop).unwrap(),
            _ => return false,
        }
    }
    true
}

/// A part for what is asked about: the same for the same bytes.
fn hash(item: &Item<'_>, parts: usize) -> usize {
    let bytes = item.point.unwrap_or(item.entry);
    bytes.iter().fold(7, |hash: usize, &byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte))) % parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_hold_what_the_whole_holds_each_what_was_chosen(
        signal in prop::sample::select(Signal::ALL.to_vec()),
        seed: u64,
        number in 1usize..6,
    ) {
        let body = message(&mut Random::new(seed), signal.request, 7);
        let checked = validate(signal, &body, &ValidateLimits::default()).unwrap();
        let mut asked = 0;
        let parts = parts(signal, &body, number, |item| {
            asked += 1;
            hash(item, number)
        });
        prop_assert_eq!(parts.len(), number);
        let mut lines = Vec::new();
        let mut items = 0;
        for (index, part) in parts.iter().enumerate() {
            let Some((part, count)) = part else { continue };
            prop_assert_eq!(validate(signal, part, &ValidateLimits::default()).unwrap().count, *count);
            items += count.items;
            let flat = oracle::decode(signal, part).unwrap();
            prop_assert_eq!(flat.count, *count);
            if can_be_cut(&body) {
                let again = self::parts(signal, part, number, |item| hash(item, number));
                let only = again.iter().position(Option::is_some);
                prop_assert!(again.iter().flatten().count() == 1 && only == Some(index), "a part has its own alone");
            }
            lines.extend(flat.lines);
        }
        prop_assert_eq!(items, checked.count.items);
        let mut whole = oracle::decode(signal, &body).unwrap().lines;
        if !can_be_cut(&body) {
            prop_assert!(parts.iter().flatten().all(|(part, _)| *part == body));
        }
        // One line a body is its dictionary.
        for lines in [&mut lines, &mut whole] {
            lines.retain(|line| signal != Signal::PROFILES || line.len() > 1);
            lines.sort();
        }
        prop_assert!(lines == whole, "{} lines, not {}", lines.len(), whole.len());
    }
}

#[test]
fn items_keep_their_order_and_each_part_has_its_headers() {
    let [a, b, c, d] = [b"a", b"b", b"c", b"d"].map(|name| field(2, &field(5, name)));
    let scope = |entries: &[&[u8]]| field(2, &[field(1, b""), entries.concat(), field(3, b"s")].concat());
    let resource = |scopes: &[Vec<u8>]| field(1, &[field(1, b""), scopes.concat(), field(99, b"?")].concat());
    let body = [resource(&[scope(&[&a, &b]), scope(&[&c])]), resource(&[scope(&[&d])])].concat();
    let is_b_or_d = |item: &Item<'_>| usize::from(matches!(item.entry, [.., b'b' | b'd']));
    let header_last =
        |entries: &[&[u8]]| field(2, &[field(1, b""), field(3, b"s"), entries.concat()].concat());
    let around = |scopes: &[Vec<u8>]| field(1, &[field(1, b""), field(99, b"?"), scopes.concat()].concat());
    let expect = [
        Some((
            Bytes::from(around(&[header_last(&[&a]), header_last(&[&c])])),
            Count { items: 2, entries: 2 },
        )),
        Some((
            [around(&[header_last(&[&b])]), around(&[header_last(&[&d])])].concat().into(),
            Count { items: 2, entries: 2 },
        )),
        None,
    ];
    assert_eq!(parts(Signal::TRACES, &body, 3, is_b_or_d), expect);
}

#[test]
fn points_of_one_metric_go_different_ways() {
    let point = |time: u8| field(1, &[0x19, time, 0, 0, 0, 0, 0, 0, 0]);
    let metric = |points: &[Vec<u8>]| {
        let sum = field(7, &[vec![0x10, 0x02], points.concat()].concat());
        field(1, &field(2, &field(2, &[field(1, b"name"), sum].concat())))
    };
    let body = metric(&[point(0), point(1), point(2)]);
    let by_time = |item: &Item<'_>| usize::from(item.point.unwrap()[1] % 2);
    let one = |points: &[Vec<u8>]| {
        Some((Bytes::from(metric(points)), Count { items: points.len() as u64, entries: 1 }))
    };
    assert_eq!(parts(Signal::METRICS, &body, 2, by_time), [one(&[point(0), point(2)]), one(&[point(1)])]);
}

#[test]
fn what_goes_one_way_or_cannot_be_cut_is_not_copied() {
    let sample = field(2, &field(2, &field(2, b"")));
    let profiles = Bytes::from([field(1, &sample.repeat(2)), field(2, b"")].concat());
    let logs = Bytes::from(field(1, &field(2, &field(2, b"").repeat(9))));
    for (signal, body) in [(Signal::LOGS, logs), (Signal::PROFILES, profiles)] {
        let mut asked = 0;
        let parts = partition(&sound(signal, body.clone()), 3, |_| {
            asked += 1;
            if signal == Signal::PROFILES && asked > 1 { 0 } else { 2 }
        });
        let [None, None, Some(part)] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(part.plain().to_contiguous().as_ptr(), body.as_ptr());
    }
}

#[test]
fn there_is_always_a_part_to_go_to_and_never_too_many() {
    let body = field(1, &field(2, &field(2, b"").repeat(2)));
    assert_eq!(
        parts(Signal::LOGS, &body, 0, |_| 7),
        [Some((body.clone().into(), Count { items: 2, entries: 2 }))]
    );
    assert_eq!(parts(Signal::LOGS, &body, usize::MAX, |_| usize::MAX).len(), MAX_PARTS);
    assert_eq!(parts(Signal::LOGS, b"", 2, |_| 0), [None, None]);
}

#[test]
fn envelopes_are_repeated_up_to_a_limit() {
    let (header, record) = (field(3, &[b'x'; 1000]), field(2, &field(2, b"")));
    // A scope for each part, and then as many records in one scope.
    let number = 512;
    let resource =
        field(1, &[header, record.repeat(number), field(2, &field(2, b"").repeat(number))].concat());
    let body = Bytes::from(resource.repeat(400));
    let mut next = 0;
    let parts = partition(&sound(Signal::LOGS, body.clone()), number, |_| {
        next += 1;
        next % number
    });
    let len: usize = parts.iter().flatten().map(Body::len).sum();
    assert!(len > MAX_REPEATED_BYTES / 2 && len < MAX_REPEATED_BYTES + 2 * body.len(), "{len}");
    let items: u64 = parts.iter().flatten().map(|part| part.count().items).sum();
    assert_eq!(items, 400 * 2 * number as u64);
    for part in parts.into_iter().flatten().take(3) {
        let checked = validate(Signal::LOGS, &part.plain().to_contiguous(), &ValidateLimits::default());
        assert_eq!(checked.unwrap().count, part.count());
    }
}

#[test]
fn items_say_which_resource_they_have() {
    let resource = |records: usize| field(1, &field(2, &field(2, b"").repeat(records)));
    // An empty resource, which is asked about as well, stands between two equal ones.
    let body = [resource(2), field(1, b""), resource(1)].concat();
    let mut seen = Vec::new();
    parts(Signal::LOGS, &body, 1, |item| {
        seen.push(item.resource_index);
        0
    });
    assert_eq!(seen, [0, 0, 1, 2]);
}

#[test]
fn items_say_the_fields_of_their_envelopes() {
    let record = field(2, b"");
    let url = |url: &[u8]| field(3, url);
    let whole = field(1, &[url(b"r"), field(2, &[record.clone(), url(b"s"), record].concat())].concat());
    // A resource without scopes, and a scope without records, are asked about as well.
    let body = [whole, field(1, &url(b"empty")), field(1, &field(2, &url(b"none")))].concat();
    let mut seen = Vec::new();
    parts(Signal::LOGS, &body, 1, |item| {
        seen.push([item.resource_group, item.scope_group].map(<[u8]>::to_vec));
        0
    });
    let of = |resource: &[u8], scope: &[u8]| [resource.to_vec(), scope.to_vec()];
    let record = of(&url(b"r"), &url(b"s"));
    assert_eq!(seen, [record.clone(), record, of(&url(b"empty"), b""), of(b"", &url(b"none"))]);
}
