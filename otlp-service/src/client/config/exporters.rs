//! Exporters of the signals: a client for each different destination, with retries.

use super::console::Console;
use super::target::{self, Target};
use super::{ConfigProblem, ExporterKind, OtlpConfig, SignalSettings};
use crate::{ExponentialBackoffRetry, RetryConfig};
use otlp_protocol::Signal;
use otlp_protocol::encode::{Entries as _, LogRecords, Metrics, Spans};
use otlp_transport::{BoxAttempt, BoxExport, ConfigError, TransportContext};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Makes the exporters of a client. Signals with the same destination share its connections.
pub(crate) struct Exporters {
    config: OtlpConfig,
    context: TransportContext,
    clients: Mutex<Option<Clients>>,
}

/// Clients for the exporters that one thread makes. After a fork the thread is another one, which must not use the connections of the
/// parent process.
struct Clients {
    thread: ThreadId,
    made: Vec<(Target, BoxAttempt)>,
}

// === impl Exporters ===

impl Exporters {
    /// Prepares exporters on the system's clock, network and files.
    pub(super) fn new(config: &OtlpConfig) -> Self {
        let mut context = TransportContext::tcp(MAX_BODY_BYTES);
        context.proxies = Arc::new(config.proxies.clone());
        Self { config: config.clone(), context, clients: Mutex::new(None) }
    }

    /// Makes the exporter of a signal; `None` if the signal is not sent. An export ends at the deadline of its batch, retries included.
    pub(crate) fn exporter(&self, signal: Signal) -> Result<Option<BoxExport>, ConfigProblem> {
        let of_signal = signals(&self.config).into_iter().find(|(known, _)| *known == signal);
        let Some((_, settings)) = of_signal.filter(|_| !self.config.disabled) else { return Ok(None) };
        match &settings.exporter {
            ExporterKind::None => Ok(None),
            ExporterKind::Custom(exporter) => Ok(Some(exporter.clone())),
            ExporterKind::Console => Ok(Some(BoxExport::new(Console::new(std::io::stdout())))),
            ExporterKind::Otlp => {
                let target = Target::new(&self.config, signal, settings);
                let client =
                    self.client(&target).map_err(|error| target::problem(signal, settings, error))?;
                let retry = ExponentialBackoffRetry::new(retries(), self.context.clock.clone(), client);
                Ok(Some(BoxExport::new(retry)))
            }
        }
    }

    /// Returns a client for a target: that of another signal, or a new one.
    fn client(&self, target: &Target) -> Result<BoxAttempt, ConfigError> {
        // In a child process the lock may be taken for good.
        let Some(mut clients) = self.clients.try_lock() else { return target.client(&self.context) };
        let thread = thread::current().id();
        if clients.as_ref().is_some_and(|clients| clients.thread != thread) {
            // Their drop could wait for locks that threads of the parent process held at the fork.
            std::mem::forget(clients.take());
        }
        let made = &mut clients.get_or_insert_with(|| Clients { thread, made: Vec::new() }).made;
        if let Some((_, client)) = made.iter().find(|(known, _)| known == target) {
            return Ok(client.clone());
        }
        let client = target.client(&self.context)?;
        made.push((target.clone(), client.clone()));
        Ok(client)
    }
}

impl fmt::Debug for Exporters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporters").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Returns the signals with their settings.
pub(super) fn signals(config: &OtlpConfig) -> [(Signal, &SignalSettings); 3] {
    [(Spans::SIGNAL, &config.traces), (Metrics::SIGNAL, &config.metrics), (LogRecords::SIGNAL, &config.logs)]
}

fn retries() -> RetryConfig {
    RetryConfig {
        // Within the usual limit of 10 s some attempts must have their turn.
        initial_interval: Duration::from_secs(1),
        max_interval: Duration::from_secs(5),
        ..RetryConfig::default()
    }
}

/// Bodies of requests that are compressed at a time: OTLP's largest request.
const MAX_BODY_BYTES: u64 = 64 << 20;
