//! The operating system's threads.
//!
//! The engine's thread runs under a `tracing` subscriber that records nothing. While the thread sleeps, its subscriber is not set: a
//! subscriber that is set for one thread makes `tracing` slower on all threads, and telemetry that is recorded while other telemetry is
//! formatted would be lost.

pub(crate) use super::lock::{Lock, Locked};
pub(in crate::client::engine) use super::mutex::{Condvar, Mutex};
pub(in crate::client::engine) use otlp_transport::TokioClock;
pub(in crate::client::engine) use std::sync::atomic;
pub(in crate::client::engine) use std::{thread, thread_local};

use super::silent::Silent;
use std::cell::Cell;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::{Builder, Runtime};
use tracing::dispatcher::{DefaultGuard, Dispatch, set_default};

/// The engine's clock.
pub(in crate::client::engine) const CLOCK: TokioClock = TokioClock;

/// Runs the work of the engine's thread. Without a runtime nothing runs.
pub(in crate::client::engine) fn block_on(work: impl Future<Output = ()>) {
    silence();
    let Ok(runtime) = runtime() else { return };
    runtime.block_on(work);
    silence();
    // Connections of the destinations end with the runtime; blocking tasks are not waited for.
    runtime.shutdown_background();
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().on_thread_park(listen).on_thread_unpark(silence).build()
}

/// Makes what the engine's thread needs, on the thread that starts it: in a child process nothing of it is made again.
///
/// The first runtime makes what all runtimes of the process share. A process that forks while the engine's thread makes that would
/// leave its child with runtimes that wait for ever.
pub(in crate::client::engine) fn prepare() {
    static HAS_RUNTIME: AtomicBool = AtomicBool::new(false);
    silent();
    if !HAS_RUNTIME.swap(true, Ordering::Relaxed)
        && let Ok(runtime) = runtime()
    {
        runtime.shutdown_background();
    }
}

/// Returns the subscriber of the engine's thread. It is registered once, under a lock of `tracing` that a child process may find
/// locked. `Dispatch::none()` is not registered, and callsites that are used under it first would be disabled for all subscribers.
fn silent() -> &'static Dispatch {
    static SILENT: OnceLock<Dispatch> = OnceLock::new();
    SILENT.get_or_init(|| Dispatch::new(Silent))
}

/// Sets the subscriber that records nothing for the thread.
fn silence() {
    listen();
    SILENCE.set(Some(set_default(silent())));
}

/// Ends [`silence`].
fn listen() {
    SILENCE.set(None);
}

thread_local! {
    static SILENCE: Cell<Option<DefaultGuard>> = const { Cell::new(None) };
}
