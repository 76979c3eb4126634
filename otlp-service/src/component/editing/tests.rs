use super::*;
use otlp_protocol::encode::{LogRecords, RequestWriter};
use otlp_protocol::{AttributeEdits, ByteBudget, Decision, Item, Signal, ValidateLimits};

/// Drops items with the attribute `drop`, and puts a text into the others.
#[derive(Clone, Copy)]
struct Edits(Option<&'static str>);

impl Editor for Edits {
    fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        if attributes.delete("drop") {
            return Decision::Drop;
        }
        if let Some(text) = self.0 {
            attributes.upsert("text", text);
        }
        Decision::Keep
    }
}

/// A request of log records with bodies of these lengths; one of length 0 has the attribute `drop`.
fn batch(budget: &ByteBudget, lens: &[usize]) -> Batch {
    let mut body = Vec::new();
    RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
        group.scope_group(|scope| {
            for &len in lens {
                scope.log_record(|record| {
                    let record = record.body("x".repeat(len).as_str());
                    if len == 0 {
                        record.attribute("drop", true);
                    }
                });
            }
        });
    });
    let charge = budget.try_charge(body.len() as u64).unwrap();
    Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), charge).unwrap()
}

#[test]
fn a_body_that_can_never_fit_is_refused_for_good() {
    let budget = ByteBudget::new(1 << 20);
    let edit =
        |len| Out::new().edit_growing(batch(&budget, &[len]), 0, Reason::Filtered, || Edits(None)).map(drop);
    let error = edit(500_000).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    assert!(error.message().contains("1048576"), "{error}");
    // A body that fits once other charges are gone is refused for now.
    let others = budget.try_charge(700_000).unwrap();
    let error = edit(200_000).unwrap_err();
    assert!(matches!((error.kind(), error.retry()), (ErrorKind::Exhausted, Retry::After(_))));
    drop(others);
    edit(200_000).unwrap();
    assert_eq!(budget.used(), 0);
}

#[test]
fn an_edit_emits_settles_and_charges() {
    let budget = ByteBudget::new(1 << 20);
    let mut out = Out::new();
    let before = batch(&budget, &[10, 0, 20, 0, 0]);
    out.edit(before, &mut Edits(Some("new")), 1 << 10).unwrap();
    assert_eq!((out.tally.filtered, out.tally.dropped), (3, 0));
    let [edited] = &*out.batches else { panic!("one batch") };
    assert_eq!(edited.items(), 2);
    assert!(edited.body().plain().to_contiguous().windows(3).any(|bytes| bytes == b"new"));
    assert_eq!(budget.used(), edited.len() as u64);
    drop(out);
    assert_eq!(budget.used(), 0);
}

#[test]
fn an_edit_that_changes_nothing_or_drops_everything_charges_nothing_more() {
    let budget = ByteBudget::new(1 << 20);
    let mut out = Out::new();
    let same = batch(&budget, &[10]);
    let bytes = same.len() as u64;
    out.edit(same, &mut Edits(None), 1 << 10).unwrap();
    out.edit(batch(&budget, &[0, 0]), &mut Edits(None), 1 << 10).unwrap();
    assert_eq!((out.batches.len(), out.tally.filtered, budget.used()), (1, 2, bytes));
}

#[test]
fn an_edit_over_the_limit_is_an_error_and_emits_nothing() {
    let budget = ByteBudget::new(1 << 20);
    let mut out = Out::new();
    let whole = batch(&budget, &[100]);
    let max_bytes = whole.len();
    let error = out.edit(whole, &mut Edits(Some("longer than before")), max_bytes).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    assert_eq!((out.batches.len(), budget.used()), (0, 0));
}
