//! Records what a body does behind a door, and decodes what the client exports.

use crate::client::engine::EngineConfig;
use crate::client::{EventForm, OtlpClient, TracingOptions};
use otlp_protocol::bytes::Bytes;
use otlp_protocol::view::{AnyValue, Attributes, RequestView};
use otlp_protocol::{Accepted, Batch, Signal};
use otlp_transport::BoxExport;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Deref;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;

/// A door for `tracing`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Door {
    Subscriber,
    Layer,
}

/// Both doors.
pub(super) const DOORS: [Door; 2] = [Door::Subscriber, Door::Layer];

/// A client whose exports are kept.
pub(super) struct Kept {
    client: OtlpClient,
    requests: Requests,
}

type Requests = Arc<Mutex<Vec<(Signal, Bytes)>>>;

/// Spans and log records that a client exported.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) spans: Vec<SpanData>,
    pub(super) logs: Vec<LogData>,
}

#[derive(Debug, PartialEq)]
pub(super) struct SpanData {
    pub(super) scope: String,
    pub(super) name: String,
    pub(super) kind: i32,
    pub(super) status: (i32, String),
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) state: String,
    pub(super) flags: u32,
    pub(super) times: (u64, u64),
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) events: Vec<EventData>,
    pub(super) links: Vec<([u8; 16], [u8; 8])>,
    /// Dropped attributes, events, links.
    pub(super) dropped: (u32, u32, u32),
}

#[derive(Debug, PartialEq)]
pub(super) struct EventData {
    pub(super) name: String,
    pub(super) time: u64,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) dropped: u32,
}

#[derive(Debug, PartialEq)]
pub(super) struct LogData {
    pub(super) scope: String,
    pub(super) severity: (i32, String),
    pub(super) body: String,
    pub(super) event_name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) ids: Option<([u8; 16], [u8; 8])>,
    pub(super) times: (u64, u64),
    pub(super) dropped: u32,
}

impl Deref for Kept {
    type Target = OtlpClient;

    fn deref(&self) -> &OtlpClient {
        &self.client
    }
}

// === impl Recorded ===

impl Recorded {
    /// The span with the name.
    #[track_caller]
    pub(super) fn span(&self, name: &str) -> &SpanData {
        self.spans
            .iter()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("no span {name}: {self:#?}"))
    }
}

/// Options without attributes of metadata and thread.
pub(super) fn lean() -> TracingOptions {
    let mut options = TracingOptions::default();
    (options.location, options.threads, options.targets) = (false, false, false);
    options
}

/// [`lean`] options with this form of events.
pub(super) fn with_events(events: EventForm) -> TracingOptions {
    let mut options = lean();
    options.events = events;
    options
}

/// Runs the body behind the door and returns what the client exported.
pub(super) fn record(door: Door, options: TracingOptions, body: impl FnOnce()) -> Recorded {
    record_with(&client(), door, options, body)
}

/// Runs the body behind both doors with the options.
pub(super) fn on_both(options: &TracingOptions, body: impl Fn(), check: impl Fn(&Recorded)) {
    for door in DOORS {
        check(&record(door, options.clone(), &body));
    }
}

pub(super) fn record_with(
    client: &Kept,
    door: Door,
    options: TracingOptions,
    body: impl FnOnce(),
) -> Recorded {
    match door {
        Door::Subscriber => {
            tracing::subscriber::with_default(client.tracing_subscriber().with_options(options), body);
        }
        Door::Layer => {
            let layer = client.tracing_layer().with_options(options);
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), body);
        }
    }
    exported(client)
}

/// Attributes as a table: `[("key", "\"text\"")]`.
pub(super) fn table(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn decode(signal: Signal, body: &[u8], recorded: &mut Recorded) {
    otlp_protocol::validate(signal, body, &Default::default()).unwrap();
    let request = RequestView::new(signal, body);
    recorded.spans.extend(request.spans().map(|span| {
        SpanData {
            scope: span.scope().name().to_owned(),
            name: span.name().to_owned(),
            kind: span.kind().number(),
            status: (span.status().code().number(), span.status().message().to_owned()),
            trace_id: *span.trace_id().unwrap(),
            span_id: *span.span_id().unwrap(),
            parent: span.parent_span_id().copied(),
            state: span.trace_state().to_owned(),
            flags: span.flags(),
            times: (span.start_time_unix_nano(), span.end_time_unix_nano()),
            attributes: shown(span.attributes()),
            events: (span.events())
                .map(|event| EventData {
                    name: event.name().to_owned(),
                    time: event.time_unix_nano(),
                    attributes: shown(event.attributes()),
                    dropped: event.dropped_attributes_count(),
                })
                .collect(),
            links: span.links().map(|link| (*link.trace_id().unwrap(), *link.span_id().unwrap())).collect(),
            dropped: (
                span.dropped_attributes_count(),
                span.dropped_events_count(),
                span.dropped_links_count(),
            ),
        }
    }));
    recorded.logs.extend(request.log_records().map(|log| LogData {
        scope: log.scope().name().to_owned(),
        severity: (log.severity_number().number(), log.severity_text().to_owned()),
        body: show(log.body()),
        event_name: log.event_name().to_owned(),
        attributes: shown(log.attributes()),
        ids: log.trace_id().copied().zip(log.span_id().copied()),
        times: (log.time_unix_nano(), log.observed_time_unix_nano()),
        dropped: log.dropped_attributes_count(),
    }));
}

fn shown(attributes: Attributes<'_>) -> BTreeMap<String, String> {
    let mut table = BTreeMap::new();
    for attribute in attributes.iter() {
        let old = table.insert(attribute.key().to_owned(), show(attribute.value()));
        assert_eq!(old, None, "key {:?} is not unique", attribute.key());
    }
    table
}

fn show(value: AnyValue<'_>) -> String {
    match value {
        AnyValue::String(text) => format!("{text:?}"),
        AnyValue::Int(value) => format!("{value}"),
        AnyValue::Double(value) => format!("{value:?}"),
        AnyValue::Bool(value) => format!("{value}"),
        AnyValue::Bytes(bytes) => bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        }),
        AnyValue::Array(values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

/// Makes a client whose exports are kept.
pub(super) fn client() -> Kept {
    client_with(|_| {})
}

/// Makes a client with settings of its engine.
pub(super) fn client_with(change: impl FnOnce(&mut EngineConfig)) -> Kept {
    kept(change, || {})
}

/// Makes a client whose exporter calls `call` at each export.
pub(super) fn client_exporting_with(call: impl Fn() + Send + Sync + Copy + 'static) -> Kept {
    kept(|_| {}, call)
}

fn kept(change: impl FnOnce(&mut EngineConfig), call: impl Fn() + Send + Sync + Copy + 'static) -> Kept {
    let requests = Requests::default();
    let kept = requests.clone();
    let export = BoxExport::from_fn(move |batch: Batch| {
        let kept = kept.clone();
        async move {
            call();
            kept.lock().push((batch.signal(), batch.body().plain().to_contiguous()));
            Ok(Accepted::FULL)
        }
    });
    let mut config = EngineConfig::new(Arc::new(move |_| Ok(export.clone())));
    change(&mut config);
    Kept { client: OtlpClient::with_engine(config, WAIT).unwrap(), requests }
}

/// Returns what the client exported since the last call.
pub(super) fn exported(client: &Kept) -> Recorded {
    client.force_flush(WAIT).unwrap();
    let mut recorded = Recorded::default();
    for (signal, body) in std::mem::take(&mut *client.requests.lock()) {
        decode(signal, &body, &mut recorded);
    }
    recorded
}

const WAIT: Duration = Duration::from_secs(30);

/// Runs the calling test, named `module::test`, in a process of its own for each variant: `tracing` has one global default
/// subscriber a process. In such a process, returns the variant.
pub(super) fn own_process(test: &str, variants: &[&str]) -> Option<String> {
    if let Ok(variant) = std::env::var(VARIANT) {
        return Some(variant);
    }
    for variant in variants {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([&format!("client::tracing::tests::{test}"), "--exact", "--nocapture"])
            .env(VARIANT, variant);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{variant}: {text}");
    }
    None
}

/// Makes a door of the client the global default.
pub(super) fn set_global_default(client: &OtlpClient, door: &str, options: TracingOptions) {
    if door == "subscriber" {
        tracing::subscriber::set_global_default(client.tracing_subscriber().with_options(options)).unwrap();
    } else {
        let layer = client.tracing_layer().with_options(options);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    }
}

/// Variable with the variant of a test in a process of its own.
const VARIANT: &str = "OTLP_TEST_VARIANT";
