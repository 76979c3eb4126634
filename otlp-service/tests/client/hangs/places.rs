//! Places of a program that flush, shut down or drop a client.

use super::{ALL_ITEMS, Case, ITEMS, LIMIT, all_are_lost, flush_and_shut_down, in_each_case, record, until};
use otlp_service::client::{FlushError, OtlpClient};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use tokio::runtime::Builder;

#[test]
fn without_a_runtime() {
    in_each_case(|case| flush_and_shut_down(&case.client()));
}

#[test]
fn on_a_runtime_of_one_thread() {
    in_each_case(|case| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { flush_and_shut_down(&case.client()) });
    });
}

#[test]
fn in_a_task_on_the_only_worker() {
    in_each_case(|case| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let case = case.clone();
        runtime.block_on(runtime.spawn(async move { flush_and_shut_down(&case.client()) })).unwrap();
    });
}

/// Flushes and shuts down in its drop.
struct InDrop {
    client: OtlpClient,
    outcome: Sender<[Result<(), FlushError>; 2]>,
}

impl Drop for InDrop {
    fn drop(&mut self) {
        record(&self.client);
        let flushed = self.client.force_flush(LIMIT);
        record(&self.client);
        let outcome = [flushed, self.client.shutdown(LIMIT)];
        self.outcome.send(outcome).unwrap();
    }
}

/// Drops an [`InDrop`] by `drop`, which also records some items.
fn in_drop(case: &Case, recorded: u64, drop: impl FnOnce(InDrop)) {
    let (outcome, outcomes) = mpsc::channel();
    let client = case.client();
    drop(InDrop { client: client.clone(), outcome });
    let outcome = outcomes.recv().unwrap();
    assert!(outcome.iter().all(Result::is_err), "{outcome:?}");
    all_are_lost(&client, recorded + 2 * ITEMS);
}

#[test]
fn in_a_drop() {
    in_each_case(|case| in_drop(case, 0, drop));
}

#[test]
fn in_a_drop_of_a_panic() {
    in_each_case(|case| {
        in_drop(case, 0, |dropped| {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _dropped = dropped;
                resume_unwind(Box::new("the program's panic"));
            }));
            unwound.unwrap_err();
        });
    });
}

#[test]
fn in_the_drop_of_a_thread_local() {
    thread_local!(static DROPPED: RefCell<Option<InDrop>> = const { RefCell::new(None) });
    in_each_case(|case| {
        in_drop(case, ITEMS, |dropped| {
            let thread = thread::spawn(|| {
                record(&dropped.client);
                DROPPED.set(Some(dropped));
            });
            thread.join().unwrap();
        });
    });
}

/// Drops the only handle of a client, and waits until the hook has heard of all items.
fn drop_only_handle(case: &Case) {
    let lost = Arc::new(AtomicU64::new(0));
    let hook = lost.clone();
    let config = case.config().with_error_hook(move |problem| {
        hook.fetch_add(problem.items, Ordering::Relaxed);
    });
    let client = OtlpClient::new(config).unwrap();
    record(&client);
    drop(client);
    until("all items are reported", || lost.load(Ordering::Relaxed) == ALL_ITEMS);
}

#[test]
fn the_drop_of_the_only_handle() {
    in_each_case(drop_only_handle);
}

#[test]
fn the_drop_of_the_only_handle_on_a_runtime() {
    in_each_case(|case| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { drop_only_handle(case) });
    });
}
