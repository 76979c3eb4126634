//! Properties that hold for any body, with prost as the judge.

use crate::oracle::{self, Flat};
use crate::random::{Random, message};
use bytes::Bytes;
use otlp_protocol::wire::WireError;
use otlp_protocol::{
    Batch, Body, Charge, Count, DecodeErrorKind, Merge, Signal, SplitLimits, ValidateLimits, count, split,
    validate,
};
use proptest::prelude::*;

const DEPTH: usize = 7;

fn any_signal() -> impl Strategy<Value = Signal> {
    prop::sample::select(Signal::ALL.to_vec())
}

fn any_body(signal: Signal, seed: u64) -> Vec<u8> {
    message(&mut Random::new(seed), signal.request, DEPTH)
}

fn check_split(signal: Signal, body: &Bytes, limits: SplitLimits) -> Result<(), TestCaseError> {
    let whole = oracle::decode(signal, body).unwrap();
    let parts = split(&Body::check(signal, body.clone(), &ValidateLimits::default()).unwrap(), limits);
    let mut joined = Vec::new();
    let mut items = 0;
    for part in &parts {
        let (bytes, part_count) = (part.plain().to_contiguous(), part.count());
        joined.extend_from_slice(&bytes);
        items += part_count.items;
        prop_assert_eq!(validate(signal, &bytes, &ValidateLimits::default()).unwrap().count, part_count);
        prop_assert_eq!(oracle::decode(signal, &bytes).unwrap().count, part_count);
        let over = limits.max_bytes.is_some_and(|max| bytes.len() > max)
            || limits.max_items.is_some_and(|max| part_count.items > max);
        if over {
            let again = split(part, limits);
            prop_assert!(again.len() == 1, "a part over the limits could have been cut");
        }
    }
    prop_assert_eq!(items, whole.count.items);
    let Flat { lines, .. } = oracle::decode(signal, &joined).unwrap();
    prop_assert_eq!(lines, whole.lines);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sound_bodies_are_accepted_and_counted(signal in any_signal(), seed: u64) {
        let body = any_body(signal, seed);
        let flat = oracle::decode(signal, &body).unwrap();
        prop_assert_eq!(validate(signal, &body, &ValidateLimits::default()).unwrap().count, flat.count);
        prop_assert_eq!(count(signal, &body).unwrap(), flat.count);
    }

    #[test]
    fn what_prost_refuses_is_refused_and_nothing_else(signal in any_signal(), seed: u64) {
        let mut body = any_body(signal, seed);
        let mut random = Random::new(!seed);
        for _ in 0..=random.below(3) {
            let at = random.below(body.len());
            match random.below(4) {
                0 => body.truncate(at),
                1 => body.insert(at, random.next() as u8),
                _ => if let Some(byte) = body.get_mut(at) {
                    *byte = random.next() as u8;
                },
            }
        }
        let judged = oracle::decode(signal, &body);
        let checked = validate(signal, &body, &ValidateLimits::default());
        match (&judged, &checked) {
            (Ok(flat), Ok(checked)) => prop_assert_eq!(flat.count, checked.count),
            (Err(_), Err(error)) => prop_assert!(error.offset <= body.len()),
            // What prost takes and others refuse.
            (Ok(_), Err(error)) if matches!(
                error.kind,
                DecodeErrorKind::IdLength { .. } | DecodeErrorKind::Wire(WireError::Overlong)
            ) => {}
            _ => prop_assert!(false, "prost: {:?}, we: {:?}, body {:02x?}", judged.err(), checked, body),
        }
        let _ = count(signal, &body);
        let unsound = Body::unchecked(signal, body, Count { items: 9, entries: 9 }, true);
        split(&unsound, SplitLimits { max_items: Some(1), max_bytes: Some(9) });
    }

    #[test]
    fn parts_hold_what_the_whole_holds(
        signal in any_signal(),
        seed: u64,
        max_items in prop::option::of(0u64..20),
        max_bytes in prop::option::of(0usize..2_000),
    ) {
        let body = Bytes::from(any_body(signal, seed));
        check_split(signal, &body, SplitLimits { max_items, max_bytes })?;
    }

    #[test]
    fn a_merge_holds_what_its_batches_hold(signal in any_signal(), seeds in prop::collection::vec(any::<u64>(), 1..6)) {
        let mut merge: Option<Merge> = None;
        let mut lines = Vec::new();
        let mut items = 0;
        for seed in seeds {
            let body = Bytes::from(any_body(signal, seed));
            let batch = Batch::checked(signal, body.clone(), &ValidateLimits::default(), Charge::none()).unwrap();
            if !batch.is_mergeable() {
                continue;
            }
            let flat = oracle::decode(signal, &body).unwrap();
            items += flat.count.items;
            lines.extend(flat.lines.into_iter().filter(|line| signal != Signal::PROFILES || line.len() > 1));
            match &mut merge {
                Some(merge) => merge.push(batch).unwrap(),
                None => merge = Some(Merge::new(batch)),
            }
        }
        let Some(merge) = merge else { return Ok(()) };
        let batch = merge.finish();
        let merged = oracle::decode(signal, &batch.body().plain().to_contiguous()).unwrap();
        let merged_lines: Vec<_> =
            merged.lines.into_iter().filter(|line| signal != Signal::PROFILES || line.len() > 1).collect();
        prop_assert_eq!(batch.items(), items);
        prop_assert_eq!(merged_lines, lines);
    }
}
