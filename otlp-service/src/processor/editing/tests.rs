use super::*;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{AttributeEdits, ByteBudget, Count, Fate, Item, Levels, Signal};

/// Takes an attribute away that nothing has.
struct Nothing;

impl Editor for Nothing {
    fn levels(&self) -> Levels {
        Levels { items: true, ..Levels::default() }
    }

    fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Fate {
        attributes.delete("absent");
        Fate::Keep
    }
}

/// A request of one log record of about `len` bytes.
fn batch(budget: &ByteBudget, len: usize) -> Batch {
    let (mut record, mut scope, mut resource, mut body) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_len_delimited(&mut record, 3, &vec![b'x'; len]);
    put_len_delimited(&mut scope, 2, &record);
    put_len_delimited(&mut resource, 2, &scope);
    put_len_delimited(&mut body, 1, &resource);
    let charge = budget.try_charge(body.len() as u64).unwrap();
    Batch::unchecked(Signal::LOGS, body, Count { items: 1, entries: 1 }, true, charge)
}

#[test]
fn what_can_never_fit_is_refused_for_good() {
    let budget = ByteBudget::new(1 << 20);
    let error = edit_batch(batch(&budget, 500_000), 0, || Nothing).unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never));
    assert!(error.message().contains("1048576"), "{error}");
    // What fits once others are gone is refused for now.
    let others = budget.try_charge(700_000).unwrap();
    let error = edit_batch(batch(&budget, 200_000), 0, || Nothing).unwrap_err();
    assert!(matches!((error.kind(), error.retry()), (ErrorKind::Exhausted, Retry::After(_))));
    drop(others);
    edit_batch(batch(&budget, 200_000), 0, || Nothing).unwrap();
    assert_eq!(budget.used(), 0);
}
