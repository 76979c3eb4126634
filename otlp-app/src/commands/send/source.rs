//! Requests to send: generated, or read from files by a thread of its own.

use super::generate::Generator;
use crate::commands::input::{Input, is_stdin};
use otlp_protocol::{Batch, Body, Charge, Signal, SplitLimits, parts};
use otlp_transport::Clock;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Requests to send, one after the other.
pub(super) enum Source {
    Generated(Generator),
    /// Generated requests that are sent again and again.
    Premade(Vec<Body>),
    Files(Mutex<Receiver<Result<Body, String>>>),
}

/// Files to read.
pub(super) struct Files {
    pub(super) paths: Vec<PathBuf>,
    /// Signal of the requests, if their content does not tell.
    pub(super) signal: Option<Signal>,
    /// The most items of a request; larger requests are split.
    pub(super) max_items: Option<u64>,
    /// True if the files are read again from the start after their end.
    pub(super) is_repeated: bool,
}

// === impl Source ===

impl Source {
    /// Starts a thread that reads files.
    ///
    /// # Errors
    /// If the system has no room for a thread.
    pub(super) fn files(files: Files) -> std::io::Result<Self> {
        let (sender, receiver) = channel(QUEUED_REQUESTS);
        std::thread::Builder::new().name("files".into()).spawn(move || files.read(&sender))?;
        Ok(Self::Files(Mutex::new(receiver)))
    }

    /// Returns the request with a number, or why a request cannot be read; `None` at the end.
    pub(super) async fn next(&self, number: u64, clock: &dyn Clock) -> Option<Result<Batch, String>> {
        let body = match self {
            Self::Generated(generator) => Ok(generator.request(number, unix_nanos(clock))),
            Self::Premade(bodies) => {
                let index = number.checked_rem(bodies.len() as u64)?;
                Ok(bodies.get(usize::try_from(index).ok()?)?.clone())
            }
            Self::Files(receiver) => receiver.lock().await.recv().await?,
        };
        Some(body.map(|body| Batch::new(body, Charge::none())))
    }
}

// === impl Files ===

impl Files {
    /// Passes on the requests of all files, until nobody takes them any more.
    fn read(&self, to: &Sender<Result<Body, String>>) {
        loop {
            let mut is_any_read = false;
            for path in &self.paths {
                match self.read_one(path, to) {
                    Some(is_read) => is_any_read |= is_read && !is_stdin(path),
                    None => return,
                }
            }
            // Files without a valid request, and a stdin that has ended, would be read for ever.
            if !self.is_repeated || !is_any_read {
                return;
            }
        }
    }

    /// Passes on the requests of one file. Returns true if the file had a valid request; `None` if nobody takes them.
    fn read_one(&self, path: &Path, to: &Sender<Result<Body, String>>) -> Option<bool> {
        let place = if is_stdin(path) { "stdin".into() } else { path.display().to_string() };
        let send = |read: Result<Body, String>| to.blocking_send(read).ok();
        let input = match Input::open(path) {
            Ok(input) => input,
            Err(error) => return send(Err(format!("{place}: {error}"))).map(|()| false),
        };
        let mut is_read = false;
        for record in input {
            match record.and_then(|record| record.body(self.signal)) {
                Ok(body) => {
                    is_read = true;
                    for part in parts(&body, SplitLimits { max_items: self.max_items, max_bytes: None }) {
                        send(Ok(part.body))?;
                    }
                }
                Err(error) => send(Err(format!("{place}: {error}")))?,
            }
        }
        Some(is_read)
    }
}

/// Returns the wall-clock time in nanoseconds since 1970.
pub(super) fn unix_nanos(clock: &dyn Clock) -> u64 {
    let since = clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Requests that are read ahead.
const QUEUED_REQUESTS: usize = 16;
