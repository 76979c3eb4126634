//! The thread that sends an engine's telemetry, with a runtime of its own.
//!
//! The thread runs under no `tracing` subscriber and its own telemetry is suppressed: sending never records anything to send. While
//! the thread sleeps, its subscriber is not set: a subscriber that is set for one thread makes `tracing` slower on all threads, and
//! telemetry that is recorded while other telemetry is formatted would be lost.

use super::clock;
use super::kind::Kind;
use super::local;
use super::sender::Sender;
use super::shared::Shared;
use otlp_transport::{Clock as _, TokioClock};
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::thread;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

/// Starts the thread.
///
/// # Errors
/// The operating system's error if no thread can be started.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let shared = shared.clone();
    thread::Builder::new().name("otlp-client".into()).spawn(move || run(&shared)).map(drop)
}

fn run(shared: &Arc<Shared>) {
    let _ended = Ended(shared);
    local::suppress();
    silence();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let Ok(runtime) = builder.enable_all().on_thread_park(listen).on_thread_unpark(silence).build() else {
        return;
    };
    runtime.block_on(async {
        let [spans, logs, points] = Kind::ALL.map(|kind| Sender::new(shared, kind).run());
        let send = async { tokio::join!(spans, logs, points) };
        let keep_time = async {
            clock::keep_time().await;
            pending::<()>().await;
        };
        tokio::select! {
            _ = send => {}
            () = keep_time => {}
            () = answer_tasks(shared) => {}
        }
    });
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

/// Answers the tasks that wait for flushes.
async fn answer_tasks(shared: &Shared) {
    loop {
        let next = shared.control.answer_tasks(TokioClock.now());
        let deadline = async {
            match next {
                Some(next) => TokioClock.sleep_until(next).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = shared.control.waiting.notified() => {}
            () = deadline => {}
        }
    }
}

/// Reports the end of the thread, also by a panic.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
