//! The engine of a client: collects finished entries of all threads and sends them.
//!
//! A finished span or log record is encoded at once and appended to a chunk of its thread ([`slot`]). Full chunks wait in the
//! [`store`], whole; the [`sender`] tasks on the engine's own thread link them into requests. Each entry is sent or counted in
//! [`losses`].

mod anew;
mod buffer;
mod chunk;
mod clock;
mod control;
pub(super) mod fork;
mod ids;
mod kind;
mod leases;
pub(super) mod local;
mod losses;
mod problem;
mod request;
mod scope;
mod sender;
mod settings;
mod shared;
mod slot;
mod store;
mod sync;
mod tsc;
mod unsafe_calls;
mod worker;

pub(crate) use anew::begin as begin_anew;
pub(crate) use buffer::{Buffer, FieldWriter, MAX_SHORT, copy_short};
pub(crate) use clock::{to_unix_nanos, unix_nanos};
#[cfg(feature = "tracing")]
pub(crate) use kind::Kind;
pub use losses::{ClientStats, ItemStats, LossReason};
pub use problem::ClientProblem;
pub(crate) use problem::ErrorHook;
pub use scope::ScopeId;
pub(crate) use settings::EngineConfig;
pub(crate) use shared::Shared;
#[cfg(feature = "tracing")]
pub(crate) use sync::{Lock, Locked};

#[cfg(all(test, shuttle))]
mod model;
#[cfg(test)]
mod tests;

use control::Waited;
use otlp_transport::Clock as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::CLOCK;

/// A running engine.
#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
}

/// Failure of a flush or a shutdown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The time limit passed. What is recorded stays recorded, and is sent later.
    #[error("the time limit passed")]
    TimedOut,
    /// Items were lost while the flush was under way: [`ClientStats`] has the reasons.
    #[error("{0} items were lost")]
    Lost(u64),
    /// The client was shut down before.
    #[error("the client is shut down")]
    ShutDown,
    /// The call came from the client's own thread, from an exporter or an error hook: a wait would never end.
    #[error("called on the client's own thread")]
    OwnThread,
    /// 1,024 tasks wait for flushes already.
    #[error("too many tasks wait for flushes")]
    TooManyWaits,
}

impl Engine {
    /// Starts an engine.
    ///
    /// # Errors
    /// The operating system's error if no thread can be started.
    pub(crate) fn start(config: EngineConfig) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(config));
        shared.start()?;
        anew::watch(&shared);
        Ok(Self { shared })
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn stats(&self) -> ClientStats {
        self.shared.present().map(|shared| shared.stats()).unwrap_or_default()
    }

    /// Sends everything that was recorded before the call, and waits for the answers.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.begin_flush();
        let Some((shared, lost)) = self.begin_wait()? else {
            return Ok(());
        };
        let flush = shared.control.order_flush();
        answer(&shared, lost, shared.control.wait_flushed(flush, deadline(timeout)))
    }

    /// As [`flush`](Self::flush), in a task of any runtime.
    pub(crate) async fn flush_async(&self, timeout: Duration) -> Result<(), FlushError> {
        self.begin_flush();
        let Some((shared, lost)) = self.begin_wait()? else {
            return Ok(());
        };
        let flush = shared.control.order_flush();
        let waited = shared.control.flushed(flush, deadline(timeout)).await;
        answer(&shared, lost, waited)
    }

    /// Sends everything and ends the engine's thread; on that thread itself, without a wait.
    pub(crate) fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        if local::is_suppressed()
            && let Some(shared) = self.shared.present()
        {
            shared.control.order_stop(deadline(timeout));
        }
        let Some((shared, lost)) = self.begin_wait()? else {
            return Ok(());
        };
        let deadline = deadline(timeout);
        shared.control.order_stop(deadline);
        answer(&shared, lost, shared.control.wait_ended(deadline))
    }

    /// Begins anew in a child process: callbacks may have metrics to collect.
    fn begin_flush(&self) {
        if fork::is_unsettled() && self.shared.config.collects_points {
            anew::begin();
        }
    }

    /// Returns the engine of this process, and the number of items that it has lost so far; nothing if the client is disabled, or
    /// this process was forked and has recorded nothing.
    fn begin_wait(&self) -> Result<Option<(Arc<Shared>, u64)>, FlushError> {
        let Some(shared) = self.shared.present() else {
            return Ok(None);
        };
        if shared.config.is_disabled {
            return Ok(None);
        }
        if local::is_suppressed() {
            return Err(FlushError::OwnThread);
        }
        if shared.control.is_stopping() {
            return Err(FlushError::ShutDown);
        }
        let lost = shared.losses.in_all();
        Ok(Some((shared, lost)))
    }
}

fn answer(shared: &Shared, lost_before: u64, waited: Waited) -> Result<(), FlushError> {
    match waited {
        Waited::TimedOut => Err(FlushError::TimedOut),
        Waited::Ended => Err(FlushError::ShutDown),
        Waited::Refused => Err(FlushError::TooManyWaits),
        Waited::Done => match shared.losses.in_all().saturating_sub(lost_before) {
            0 => Ok(()),
            lost => Err(FlushError::Lost(lost)),
        },
    }
}

fn deadline(timeout: Duration) -> Instant {
    let now = CLOCK.now();
    now.checked_add(timeout).unwrap_or(now + LONGEST)
}

/// The longest wait for a flush: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
