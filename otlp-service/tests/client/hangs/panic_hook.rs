//! Flushes and shutdowns in panic hooks.

use super::{ITEMS, LIMIT, all_are_lost, in_each_case, record};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Once, mpsc};

type OnPanic = Box<dyn FnOnce()>;

thread_local!(static ON_PANIC: RefCell<Option<OnPanic>> = const { RefCell::new(None) });

/// Calls `work` in the panic hook when this thread panics next.
pub(super) fn on_panic(work: impl FnOnce() + 'static) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let former = take_hook();
        set_hook(Box::new(move |info| match ON_PANIC.take() {
            Some(work) => work(),
            None => former(info),
        }));
    });
    ON_PANIC.set(Some(Box::new(work)));
}

#[test]
fn in_a_panic_hook() {
    in_each_case(|case| {
        let client = case.client();
        let (outcome, outcomes) = mpsc::channel();
        let in_hook = client.clone();
        on_panic(move || {
            record(&in_hook);
            let flushed = in_hook.force_flush(LIMIT);
            record(&in_hook);
            outcome.send([flushed, in_hook.shutdown(LIMIT)]).unwrap();
        });
        catch_unwind(AssertUnwindSafe(|| {
            record(&client);
            panic!("the program's panic");
        }))
        .unwrap_err();
        let outcome = outcomes.recv().unwrap();
        assert!(outcome.iter().all(Result::is_err), "{outcome:?}");
        all_are_lost(&client, 3 * ITEMS);
    });
}
