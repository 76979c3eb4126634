use super::*;
use otlp_protocol::wire::{put_len_delimited, put_varint};
use otlp_protocol::{ByteBudget, Count, Signal};
use std::slice::from_ref;

fn within(number: u32, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, message);
    out
}

fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    within(1, &[within(1, key.as_bytes()), within(2, value)].concat())
}

fn text(text: &str) -> Vec<u8> {
    within(1, text.as_bytes())
}

fn number(number: u64) -> Vec<u8> {
    let mut out = vec![0x18];
    put_varint(&mut out, number);
    out
}

/// A request of log records, so many for each list of resource attributes.
fn batch(resources: &[(&[Vec<u8>], u64)], mergeable: bool, budget: &ByteBudget) -> Batch {
    let group = |(attributes, records): &(&[Vec<u8>], u64)| {
        let records = within(2, &[]).repeat(*records as usize);
        within(1, &[within(1, &attributes.concat()), within(2, &records)].concat())
    };
    let body: Vec<u8> = resources.iter().flat_map(group).collect();
    let items = resources.iter().map(|(_, records)| records).sum();
    let charge = budget.try_charge(body.len() as u64).unwrap();
    let mut batch = Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, mergeable, charge);
    batch.origin = Some(Arc::new(Origin { tenant: Some("t".into()), ..Origin::default() }));
    batch
}

/// Items and resource attributes of each part.
fn cut(batch: Batch, max_parts: usize) -> Result<Vec<(u64, String)>, ExportError> {
    let mut out = Out::new();
    ResourceKeys::new(vec!["k".into(), "l".into()], max_parts).process(batch, &mut out)?;
    let shown = |batch: Batch| {
        let origin = batch.origin.as_ref().unwrap();
        assert_eq!(origin.tenant.as_deref(), Some("t"));
        let values: Vec<_> = origin.resource.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let body = batch.body().plain().to_contiguous();
        assert_eq!(otlp_protocol::count(batch.signal(), &body), Ok(batch.count()));
        (batch.items(), values.join(" "))
    };
    Ok(out.into_batches().into_iter().map(shown).collect())
}

fn part(items: u64, values: &str) -> (u64, String) {
    (items, values.to_owned())
}

#[test]
fn requests_are_cut_by_the_values_of_keys() {
    let budget = ByteBudget::new(1 << 20);
    let (a, b, one) = (attribute("k", &text("a")), attribute("k", &text("b")), attribute("l", &number(1)));
    let other = attribute("other", &text("x"));
    let all: &[(&[Vec<u8>], u64)] = &[
        (&[a.clone(), one.clone()], 2),
        (from_ref(&b), 1),
        (&[other.clone(), one.clone(), a.clone()], 3),
        (from_ref(&other), 4),
    ];
    let parts = cut(batch(all, true, &budget), 1000).unwrap();
    assert_eq!(parts, [part(5, "k=a l=1"), part(1, "k=b"), part(4, "")]);
    assert_eq!(cut(batch(&all[..1], true, &budget), 1).unwrap(), [part(2, "k=a l=1")]);
    assert_eq!(cut(batch(&all[3..], true, &budget), 1).unwrap(), [part(4, "")]);
    // What cannot be cut says what holds for all of it.
    assert_eq!(cut(batch(&[all[0], all[2]], false, &budget), 9).unwrap(), [part(5, "k=a l=1")]);
    let (mixed, two) = ([b.clone(), one], [a.clone()]);
    assert_eq!(cut(batch(&[all[0], (&mixed, 1)], false, &budget), 9).unwrap(), [part(3, "l=1")]);
    assert_eq!(cut(batch(&[all[0], (&two, 1)], false, &budget), 9).unwrap(), [part(3, "k=a")]);
    assert_eq!(budget.used(), 0);
}

#[test]
fn more_combinations_than_the_limit_are_refused() {
    let budget = ByteBudget::new(1 << 20);
    let keys: Vec<_> = (0..4).map(|value| [attribute("k", &number(value))]).collect();
    let all: Vec<(&[Vec<u8>], u64)> = keys.iter().map(|key| (&key[..], 1)).collect();
    assert_eq!(cut(batch(&all, true, &budget), 4).unwrap().len(), 4);
    let error = cut(batch(&all, true, &budget), 3).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    assert_eq!(budget.used(), 0);
}

#[test]
fn what_is_copied_is_charged() {
    let resources = [attribute("k", &text("a")), attribute("k", &text("b"))];
    let groups: Vec<_> = resources.iter().map(|attribute| (from_ref(attribute), 1000)).collect();
    let budget = ByteBudget::new(1 << 20);
    let whole = batch(&groups, true, &budget);
    let len = whole.len() as u64;
    // A stretch of over a kilobyte is not copied, what alternates is.
    let mixed: Vec<_> = (0..2000).map(|n| (from_ref(&resources[n % 2]), 1)).collect();
    for (groups, own) in [(&groups, 0..len / 4), (&mixed, 20_000..60_000)] {
        let budget = ByteBudget::new(1 << 20);
        let whole = batch(groups, true, &budget);
        let before = budget.used();
        let mut out = Out::new();
        ResourceKeys::new(vec!["k".into()], 10).process(whole, &mut out).unwrap();
        let parts = out.into_batches();
        assert_eq!(parts.len(), 2);
        assert!(own.contains(&(budget.used() - before)), "{} {before}", budget.used());
        drop(parts);
        assert_eq!(budget.used(), 0);
    }
    // Without room for the copy it is refused: for now, or for good if there is never any.
    for (limit, others, is_final) in [(len + len / 2, 0, true), (3 * len, len + len / 2, false)] {
        let budget = ByteBudget::new(limit);
        let others = budget.try_charge(others).unwrap();
        let error = cut(batch(&groups, true, &budget), 10).unwrap_err();
        assert_eq!(error.retry() == Retry::Never, is_final, "{error}");
        drop(others);
        assert_eq!(budget.used(), 0);
    }
}
