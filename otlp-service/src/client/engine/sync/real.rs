//! The operating system's threads.
//!
//! The engine's thread runs under no `tracing` subscriber. While the thread sleeps, its subscriber is not set: a subscriber that is
//! set for one thread makes `tracing` slower on all threads, and telemetry that is recorded while other telemetry is formatted would
//! be lost.

pub(in crate::client::engine) use otlp_transport::TokioClock;
pub(in crate::client::engine) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(in crate::client::engine) use std::sync::atomic;
pub(in crate::client::engine) use std::{thread, thread_local};

use std::cell::Cell;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

/// The engine's clock.
pub(in crate::client::engine) const CLOCK: TokioClock = TokioClock;

/// Runs the work of the engine's thread. Without a runtime nothing runs.
pub(in crate::client::engine) fn block_on(work: impl Future<Output = ()>) {
    silence();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let Ok(runtime) = builder.enable_all().on_thread_park(listen).on_thread_unpark(silence).build() else {
        return;
    };
    runtime.block_on(work);
    silence();
    // Connections of the destinations end with the runtime; blocking tasks are not waited for.
    runtime.shutdown_background();
}

/// Sets no subscriber for the thread.
fn silence() {
    listen();
    SILENCE.set(Some(set_default(NoSubscriber::new())));
}

/// Ends [`silence`].
fn listen() {
    SILENCE.set(None);
}

thread_local! {
    static SILENCE: Cell<Option<DefaultGuard>> = const { Cell::new(None) };
}
