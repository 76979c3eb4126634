//! The exporter `debug`: writes batches as text.

mod pace;

use super::show::{Allowance, Filter, Grouped, Show, Shown, put};
use futures_util::FutureExt;
use otlp_protocol::{Accepted, Batch, Count, Signal, ValidateLimits, validate};
use otlp_transport::{Attempt, Clock, ExportResult, offload};
use pace::{Pace, Sampling};
use parking_lot::Mutex;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// Writes batches as text to a stream, and accepts them.
///
/// [`DebugConfig::max_items_per_second`] bounds the output; the number of items left out is written within a second. Exports do
/// not wait for the stream, provided that its writes do not block. A failing stream loses text, never batches.
pub struct DebugExporter {
    shared: Arc<Shared>,
}

/// Settings of a [`DebugExporter`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DebugConfig {
    /// Format of the text. Default [`Basic`](DebugFormat::Basic).
    pub format: DebugFormat,
    /// The number of batches of each signal that are always shown in a second. Default 2.
    pub sampling_initial: u64,
    /// Sampling of further batches in the second: every n-th batch is shown; 0: no batch, 1: all. Default 1.
    pub sampling_thereafter: u64,
    /// The largest number of spans, log records, data points and profiles shown in a second; in the format `Basic`, of
    /// batches. Default 1000.
    pub max_items_per_second: u64,
    /// Writes terminal colours. Default false.
    pub has_color: bool,
    /// Shows these signals alone; all if empty. Default empty.
    pub signals: Vec<Signal>,
    /// Shows items of resources with this `service.name` alone. Default: all.
    pub service: Option<String>,
    /// Shows entries alone that contain this text: in a string, an id in hex, a number as shown, or a string of their resource or
    /// scope. Default: all.
    pub grep: Option<String>,
}

/// Format of a [`DebugExporter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DebugFormat {
    /// A line with the counts. The Collector's default.
    #[default]
    Basic,
    /// A line with the counts, and a line for each resource, scope and item, in the Collector's format.
    Normal,
    /// All fields, in the Collector's format.
    Detailed,
    /// A readable line for each item: time, service, kind, name, duration, status; spans of a trace as a tree.
    Lines,
    /// A line for each span, log record, metric and profile: a request in OTLP/JSON that holds this entry alone.
    Json,
}

struct Shared {
    show: Show,
    signals: Vec<Signal>,
    is_filtered: bool,
    clock: Arc<dyn Clock>,
    pace: Mutex<Pace>,
    sink: Mutex<Box<dyn Write + Send>>,
}

// === impl DebugExporter ===

impl DebugExporter {
    /// Creates an exporter that writes to `sink`, whole lines with each write.
    pub fn new(config: DebugConfig, clock: Arc<dyn Clock>, sink: impl Write + Send + 'static) -> Self {
        let sampling = Sampling { initial: config.sampling_initial, thereafter: config.sampling_thereafter };
        let lines = config.max_items_per_second;
        let is_filtered = config.service.is_some() || config.grep.is_some();
        let entries = if is_filtered { lines.saturating_mul(SEARCHED_PER_SHOWN) } else { lines };
        let shared = Shared {
            pace: Mutex::new(Pace::new(Allowance { lines, entries }, sampling)),
            signals: config.signals.clone(),
            show: config.show(),
            is_filtered,
            clock,
            sink: Mutex::new(Box::new(sink)),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl Attempt for DebugExporter {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let shared = &self.shared;
        let signal = batch.signal();
        if !shared.signals.is_empty() && !shared.signals.contains(&signal) {
            return Ok(Accepted::FULL);
        }
        let items = batch.items();
        let wanted = if shared.show.format == DebugFormat::Basic { 1 } else { items.max(1) };
        let allowance = shared.pace.lock().admit(shared.clock.now(), signal, wanted);
        let shown = if allowance == Allowance::default() {
            Shown::default()
        } else {
            shared.clone().show(batch, allowance).await
        };
        let unused = Allowance {
            lines: allowance.lines.saturating_sub(shown.used.lines),
            entries: allowance.entries.saturating_sub(shown.used.entries),
        };
        shared.write(&shown.text);
        let due = shared.pace.lock().settle(signal, unused, items.saturating_sub(shown.items));
        if let Some(due) = due {
            shared.tell_at(due);
        }
        Ok(Accepted::FULL)
    }
}

impl fmt::Debug for DebugExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugExporter").field("show", &self.shared.show).finish_non_exhaustive()
    }
}

// === impl DebugConfig ===

impl DebugConfig {
    /// Returns the text of one request with these settings, for at most
    /// [`max_items_per_second`](Self::max_items_per_second) items. A body that [`validate`] refuses is shown as far as it can be
    /// read.
    ///
    /// ```
    /// use otlp_protocol::Signal;
    /// use otlp_protocol::encode::{LogRecords, RequestWriter};
    /// use otlp_service::DebugConfig;
    ///
    /// let mut body = Vec::new();
    /// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
    ///     group.scope_group(|scope| {
    ///         scope.log_record(|record| {
    ///             record.body("started");
    ///         });
    ///     });
    /// });
    /// let text = DebugConfig::default().text(Signal::LOGS, &body);
    /// assert_eq!(text, "logs resource_logs=1 log_records=1\n");
    /// ```
    pub fn text(&self, signal: Signal, body: &[u8]) -> String {
        let limits = ValidateLimits::default();
        let count = validate(signal, body, &limits).map_or(Count::default(), |checked| checked.count);
        let lines = self.max_items_per_second;
        self.clone().show().text(signal, body, count, Allowance { lines, entries: lines }).text
    }

    fn show(self) -> Show {
        let Self { format, has_color, service, grep, .. } = self;
        Show { format, has_color, filter: Filter::new(service, grep) }
    }
}

impl Default for DebugConfig {
    fn default() -> Self {
        Self {
            format: DebugFormat::default(),
            sampling_initial: 2,
            sampling_thereafter: 1,
            max_items_per_second: 1000,
            has_color: false,
            signals: Vec::new(),
            service: None,
            grep: None,
        }
    }
}

// === impl Shared ===

impl Shared {
    /// Returns the text of a batch. A large batch is formatted on a thread for blocking work.
    async fn show(self: Arc<Self>, batch: &Batch, allowance: Allowance) -> Shown {
        let is_large = offload::is_large_to_show(batch.len(), allowance.entries.max(allowance.lines));
        let (signal, count, body) = (batch.signal(), batch.count(), batch.body().plain().clone());
        let work = move || self.show.text(signal, &body.to_contiguous(), count, allowance);
        // The work is cancelled only when the runtime shuts down.
        offload::run(is_large, work).await.unwrap_or_default()
    }

    fn write(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Err(error) = self.sink.lock().write_all(text.as_bytes()) {
            tracing::debug!(%error, "the debug exporter could not write");
        }
    }

    /// Writes the number of items that were not shown at the time `due`.
    fn tell_at(self: &Arc<Self>, due: Instant) {
        let (clock, shared) = (self.clock.clone(), Arc::downgrade(self));
        let tell = async move {
            clock.sleep_until(due).await;
            if let Some(shared) = shared.upgrade() {
                shared.tell();
            }
        };
        tokio::spawn(tell.boxed());
    }

    fn tell(&self) {
        let untold = self.pace.lock().take_untold();
        let done = if self.is_filtered { "searched" } else { "shown" };
        let mut text = String::new();
        for (signal, items) in untold {
            let (items, noun) = (Grouped(items), signal.items_noun.replace('_', " "));
            if self.show.format == DebugFormat::Json {
                // The stream has JSON objects alone.
                tracing::warn!("{items} {noun} were not {done}: the limit of items in a second was reached");
            } else {
                put(&mut text, format_args!("… {items} more {noun} not {done}\n"));
            }
        }
        self.write(&text);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tell();
    }
}

/// Number of entries that a filter searches for each line that may be shown: about 50 ms of work in a second.
const SEARCHED_PER_SHOWN: u64 = 20;

#[cfg(test)]
mod tests;
