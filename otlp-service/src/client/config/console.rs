//! The exporter `console`: readable text of batches, for development.

use otlp_protocol::view::{DataPoint, Entry, LogRecord, Metric, Number, RequestView, Span};
use otlp_protocol::{Accepted, Batch, StatusCode};
use otlp_transport::{Attempt, ExportResult};
use parking_lot::Mutex;
use std::fmt::{self, Write as _};
use std::io;

/// Writes batches to a stream, a line for each resource, span, event, link, log record and data point. Texts of the program are
/// quoted and escaped. A stream that fails loses text, never batches.
pub(super) struct Console(Mutex<Box<dyn io::Write + Send>>);

// === impl Console ===

impl Console {
    pub(super) fn new(stream: impl io::Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(stream)))
    }
}

impl Attempt for Console {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let text = text(batch);
        let mut stream = self.0.lock();
        if let Err(error) = stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            tracing::debug!(%error, "the console exporter could not write");
        }
        Ok(Accepted::FULL)
    }
}

fn text(batch: &Batch) -> String {
    let bytes = batch.body().to_bytes();
    let view = RequestView::new(batch.signal(), &bytes);
    let mut out = Text(String::new());
    for group in view.resources() {
        out.line(format_args!("resource {:?}", group.resource().attributes()));
        for group in group.scopes() {
            let scope = group.scope();
            out.line(format_args!("  scope {:?} {:?}", scope.name(), scope.version()));
            for entry in group.entries() {
                match Entry::new(batch.signal(), entry) {
                    Entry::LogRecord(record) => out.log_record(&record),
                    Entry::Metric(metric) => out.metric(&metric),
                    Entry::Span(span) => out.span(&span),
                    other => out.line(format_args!("    {other:?}")),
                }
            }
        }
    }
    out.0
}

/// The text so far.
struct Text(String);

/// A time in nanoseconds since 1970, in seconds.
struct Seconds(u64);

/// An id in hexadecimal digits; `-` if there is none.
struct Hex<'a>(&'a [u8]);

// === impl Text ===

impl Text {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn span(&mut self, span: &Span<'_>) {
        let id = |id: Option<&[u8; 8]>| id.map(|id| u64::from_be_bytes(*id).to_be_bytes());
        let (own, parent) = (id(span.span_id()).unwrap_or_default(), id(span.parent_span_id()));
        let nanos = span.end_time_unix_nano().saturating_sub(span.start_time_unix_nano());
        self.line(format_args!(
            "    span {:?} {:?} trace_id={} span_id={} parent_span_id={} start={} duration={:?} {:?}",
            span.name(),
            span.kind(),
            Hex(span.trace_id().map_or(&[][..], |id| id)),
            Hex(&own),
            Hex(parent.as_ref().map_or(&[][..], |id| id)),
            Seconds(span.start_time_unix_nano()),
            std::time::Duration::from_nanos(nanos),
            span.attributes(),
        ));
        let status = span.status();
        if status.code() != StatusCode::Unset {
            self.line(format_args!("      status {:?} {:?}", status.code(), status.message()));
        }
        for event in span.events() {
            let time = Seconds(event.time_unix_nano());
            self.line(format_args!("      event {:?} time={time} {:?}", event.name(), event.attributes()));
        }
        for link in span.links() {
            self.line(format_args!(
                "      link trace_id={} span_id={} {:?}",
                Hex(link.trace_id().map_or(&[][..], |id| id)),
                Hex(link.span_id().map_or(&[][..], |id| id)),
                link.attributes(),
            ));
        }
    }

    fn log_record(&mut self, record: &LogRecord<'_>) {
        let time = match record.time_unix_nano() {
            0 => record.observed_time_unix_nano(),
            time => time,
        };
        self.line(format_args!(
            "    log time={} {:?} {:?} {:?} event_name={:?} trace_id={} span_id={} {:?}",
            Seconds(time),
            record.severity_number(),
            record.severity_text(),
            record.body(),
            record.event_name(),
            Hex(record.trace_id().map_or(&[][..], |id| id)),
            Hex(record.span_id().map_or(&[][..], |id| id)),
            record.attributes(),
        ));
    }

    fn metric(&mut self, metric: &Metric<'_>) {
        for point in metric.points() {
            let (name, unit) = (metric.name(), metric.unit());
            let time = Seconds(point.time_unix_nano());
            let value = Point(point);
            self.line(format_args!(
                "    metric {name:?} unit={unit:?} time={time} {value} {:?}",
                point.attributes()
            ));
        }
    }
}

/// The value of a data point.
struct Point<'a>(DataPoint<'a>);

impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DataPoint::Number(point) => match point.value() {
                Number::Double(value) => write!(f, "value={value:?}"),
                Number::Int(value) => write!(f, "value={value}"),
                other => write!(f, "value={other:?}"),
            },
            DataPoint::Histogram(point) => {
                let buckets: Vec<_> = point.bucket_counts().collect();
                write!(f, "count={} sum={:?} buckets={buckets:?}", point.count(), point.sum())
            }
            DataPoint::ExponentialHistogram(point) => {
                write!(f, "count={} sum={:?} scale={}", point.count(), point.sum(), point.scale())
            }
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("-");
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
