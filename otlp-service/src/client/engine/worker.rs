//! The thread that sends an engine's telemetry. Its own telemetry is suppressed: sending never records anything to send.

use super::clock;
use super::kind::Kind;
use super::local;
use super::sender::Sender;
use super::shared::Shared;
use super::sync::{self, CLOCK};
use otlp_transport::Clock as _;
use std::future::pending;
use std::io;
use std::sync::Arc;

/// Starts the thread.
///
/// # Errors
/// The operating system's error if no thread can be started.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    sync::prepare();
    let shared = shared.clone();
    sync::thread::Builder::new().name("otlp-client".into()).spawn(move || run(&shared)).map(drop)
}

fn run(shared: &Arc<Shared>) {
    let _ended = Ended(shared);
    local::suppress();
    sync::block_on(async {
        let [spans, logs, points] = Kind::ALL.map(|kind| Sender::new(shared, kind).run());
        let send = async { tokio::join!(spans, logs, points) };
        let keep_time = async {
            clock::keep_time().await;
            pending::<()>().await;
        };
        tokio::select! {
            biased;
            _ = send => {}
            () = keep_time => {}
            () = answer_tasks(shared) => {}
        }
    });
}

/// Answers the tasks that wait for flushes.
async fn answer_tasks(shared: &Shared) {
    loop {
        let next = shared.control.answer_tasks(CLOCK.now());
        let deadline = async {
            match next {
                Some(next) => CLOCK.sleep_until(next).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
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
