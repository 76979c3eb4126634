//! Log lines as log records, on their way to destinations of own telemetry.
//!
//! Lines about the sending of own telemetry are not sent: each request that fails would cause the next. Lines that hold telemetry
//! of senders are not sent: a gateway that sends own telemetry to itself would show each such line again.

use crate::config::telemetry::FieldValue;
use otlp_protocol::encode::{LogRecords, ScopeGroupWriter};
use otlp_protocol::{AttributeValue, Batch, SeverityNumber};
use otlp_service::{OwnEntry, OwnQueue};
use otlp_transport::{Clock, Export, ExportResult};
use parking_lot::Mutex;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::UNIX_EPOCH;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer;

/// The way of log lines to destinations of own telemetry. Cloning shares it.
#[derive(Clone, Default)]
pub(crate) struct LogExport(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_on: AtomicBool,
    state: Mutex<State>,
    /// Attributes of every line.
    fields: Vec<(String, AttributeValue)>,
}

#[derive(Default)]
struct State {
    /// The last one takes the lines. Others are about to stop, or go on if the last one stops.
    targets: Vec<Arc<Target>>,
    /// Lines from before the first target.
    early: VecDeque<Arc<LogLine>>,
    /// Early lines for which there was no room.
    lost: u64,
    keeps_early: bool,
}

/// Queues of the destinations of one configuration.
type Target = Vec<OwnQueue<Arc<LogLine>>>;

/// Sends log lines to queues until it is dropped.
pub(crate) struct Attached {
    export: LogExport,
    target: Arc<Target>,
}

/// A line of the log.
#[derive(Debug)]
pub(crate) struct LogLine {
    time_unix_nano: u64,
    level: Level,
    target: &'static str,
    body: String,
    attributes: Vec<(&'static str, AttributeValue)>,
    /// Fields of every line.
    fields: Vec<(String, AttributeValue)>,
}

/// Turns events into log lines.
pub(super) struct ExportLayer {
    export: LogExport,
    clock: Arc<dyn Clock>,
}

/// An export during which log lines are not sent to destinations of own telemetry.
pub(crate) struct Unexported<E>(pub(crate) E);

/// Polls a future with the mark that log lines are not sent.
struct Quiet<F>(F);

thread_local! {
    /// True while own telemetry is being sent on this thread.
    static IS_SENDING: Cell<bool> = const { Cell::new(false) };
}

// === impl LogExport ===

impl LogExport {
    pub(super) fn new(fields: &[(String, FieldValue)]) -> Self {
        let fields = fields.iter().map(|(key, value)| (key.clone(), value.to_attribute())).collect();
        let (is_on, state) = (AtomicBool::new(false), Mutex::default());
        Self(Arc::new(Shared { is_on, state, fields }))
    }

    /// Keeps the lines from now on for the first destination, as far as there is room.
    pub(crate) fn keep_early(&self) {
        self.0.state.lock().keeps_early = true;
        self.0.is_on.store(true, Ordering::Relaxed);
    }

    /// Puts lines into `queues` until the guard is dropped, in place of earlier queues.
    pub(crate) fn attach(&self, queues: Vec<OwnQueue<Arc<LogLine>>>) -> Attached {
        let target = Arc::new(queues);
        let (early, lost) = {
            let mut state = self.0.state.lock();
            state.targets.push(target.clone());
            state.keeps_early = false;
            (std::mem::take(&mut state.early), std::mem::take(&mut state.lost))
        };
        self.0.is_on.store(true, Ordering::Relaxed);
        early.into_iter().for_each(|line| push(&target, line));
        target.iter().for_each(|queue| queue.count_lost(lost));
        Attached { export: self.clone(), target }
    }

    fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    fn push(&self, line: Arc<LogLine>) {
        let target = {
            let mut state = self.0.state.lock();
            match state.targets.last() {
                Some(target) => target.clone(),
                None => {
                    match state.early.len() < MAX_EARLY_LINES {
                        true if state.keeps_early => state.early.push_back(line),
                        true => {}
                        false => state.lost += 1,
                    }
                    return;
                }
            }
        };
        push(&target, line);
    }
}

fn push(target: &Target, line: Arc<LogLine>) {
    target.iter().for_each(|queue| queue.push(line.clone()));
}

// === impl Attached ===

impl Drop for Attached {
    fn drop(&mut self) {
        let mut state = self.export.0.state.lock();
        state.targets.retain(|known| !Arc::ptr_eq(known, &self.target));
        if state.targets.is_empty() {
            self.export.0.is_on.store(false, Ordering::Relaxed);
        }
    }
}

// === impl LogLine ===

impl OwnEntry for LogLine {
    type Entries = LogRecords;

    fn write(&self, scope: &mut ScopeGroupWriter<'_, LogRecords>) {
        scope.log_record(|record| {
            record.time_unix_nano(self.time_unix_nano).observed_time_unix_nano(self.time_unix_nano);
            record.severity_number(severity(self.level)).severity_text(self.level.as_str()).body(&self.body);
            record.attribute("code.namespace", self.target);
            for (key, value) in &self.attributes {
                record.attribute(key, value);
            }
            for (key, value) in &self.fields {
                record.attribute(key, value);
            }
        });
    }
}

fn severity(level: Level) -> SeverityNumber {
    match level {
        Level::ERROR => SeverityNumber::Error,
        Level::WARN => SeverityNumber::Warn,
        Level::INFO => SeverityNumber::Info,
        Level::DEBUG => SeverityNumber::Debug,
        Level::TRACE => SeverityNumber::Trace,
    }
}

// === impl ExportLayer ===

impl ExportLayer {
    pub(super) fn new(export: LogExport, clock: Arc<dyn Clock>) -> Self {
        Self { export, clock }
    }
}

impl<S: Subscriber> Layer<S> for ExportLayer {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        if !self.export.is_on() || IS_SENDING.get() {
            return;
        }
        let metadata = event.metadata();
        if UNSENT_TARGETS.iter().any(|unsent| metadata.target().starts_with(unsent)) {
            return;
        }
        let time = self.clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = LogLine {
            time_unix_nano: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
            level: *metadata.level(),
            target: metadata.target(),
            body: String::new(),
            attributes: Vec::new(),
            fields: self.export.0.fields.clone(),
        };
        event.record(&mut line);
        self.export.push(Arc::new(line));
    }
}

impl Visit for LogLine {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes.push((field.name(), AttributeValue::double(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.push((field.name(), AttributeValue::int(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.attributes.push((field.name(), AttributeValue::new(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.push((field.name(), AttributeValue::bool(value)));
    }

    fn record_str(&mut self, field: &Field, text: &str) {
        self.attributes.push((field.name(), AttributeValue::string(cut(text))));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.body = cut(&text).to_owned(),
            name => self.attributes.push((name, AttributeValue::string(cut(&text)))),
        }
    }
}

/// The first [`MAX_TEXT_BYTES`] of a text.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

impl<E: Export> Export for Unexported<E> {
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send {
        Quiet(Box::pin(self.0.export(batch)))
    }
}

impl<F: Future + Unpin> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let before = IS_SENDING.replace(true);
        let polled = pin!(&mut self.0).poll(cx);
        IS_SENDING.set(before);
        polled
    }
}

/// Most lines that are kept until the first destination is there.
const MAX_EARLY_LINES: usize = 1000;
/// Most bytes of the text of a line, and of a field: a queue is bounded by its number of lines.
const MAX_TEXT_BYTES: usize = 16 << 10;
/// Modules whose lines are about the sending of own telemetry, and the target of lines that hold telemetry of senders.
const UNSENT_TARGETS: [&str; 3] =
    ["otlp_service::own_queue", "otlp_service::telemetry::reader", super::DATA_TARGET];

#[cfg(test)]
pub(crate) mod tests;
