//! What belongs together stays together: batches cut by trace, service and resource.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otlp_protocol::{
    Accepted, Batch, Charge, ErrorKind, Payload, Retry, Signal, ValidateLimits, count, validate, view,
};
use otlp_transport::{
    Attempt, BalanceConfig, BalancePolicy, BalancedClient, BoxAttempt, Client, ClientConfig, ClientStats,
    ClientStrategy, ConfigError, Export, ExportError, ExportResult, FixedResolver, ResolvedEndpoint,
    RoutingKey, TransportContext,
};
use parking_lot::Mutex;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Endpoints that keep what they are sent; some of them do not work.
#[derive(Clone, Default)]
struct Recorder {
    arrived: Arc<Mutex<BTreeMap<String, Vec<Bytes>>>>,
    broken: Arc<Mutex<BTreeMap<String, ErrorKind>>>,
    /// What each batch was charged for when it arrived.
    charged: Arc<Mutex<Vec<u64>>>,
}

impl ClientStrategy for Recorder {
    fn counted_client(
        &self,
        _: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError> {
        let attempt = BoxAttempt::new(Recording { recorder: self.clone(), endpoint: config.endpoint });
        Ok(Client::new(attempt, stats))
    }
}

struct Recording {
    recorder: Recorder,
    endpoint: String,
}

impl Attempt for Recording {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.recorder.charged.lock().push(batch.charge().bytes());
        if let Some(kind) = self.recorder.broken.lock().get(&self.endpoint) {
            let retry = if *kind == ErrorKind::Unavailable { Retry::Backoff } else { Retry::Never };
            return Err(ExportError::new(*kind, retry, "broken"));
        }
        let body = batch.body().plain().to_contiguous();
        let checked = validate(batch.signal(), &body, &ValidateLimits::default()).unwrap();
        assert_eq!(checked.count, batch.count(), "a part says what it holds");
        self.recorder.arrived.lock().entry(self.endpoint.clone()).or_default().push(body);
        Ok(Accepted::FULL)
    }
}

impl Recorder {
    fn client(&self, key: RoutingKey) -> BalancedClient {
        self.client_within(&TransportContext::tcp(1 << 20), key)
    }

    fn client_within(&self, context: &TransportContext, key: RoutingKey) -> BalancedClient {
        let endpoints = ENDPOINTS.map(ResolvedEndpoint::new).to_vec();
        let mut config = BalanceConfig::default();
        config.policy = BalancePolicy::ConsistentHash;
        config.routing = key;
        let template = ClientConfig::new("");
        let resolver = Box::new(FixedResolver::new(endpoints));
        BalancedClient::new(context, Arc::new(self.clone()), template, config, resolver).unwrap()
    }

    fn take(&self) -> BTreeMap<String, Vec<Bytes>> {
        std::mem::take(&mut self.arrived.lock())
    }
}

fn resource(service: usize) -> Option<Resource> {
    let value = Some(AnyValue { value: Some(Value::StringValue(format!("service-{service}"))) });
    let attribute = KeyValue { key: "service.name".into(), value, ..KeyValue::default() };
    Some(Resource { attributes: vec![attribute], ..Resource::default() })
}

/// Spans of `traces` traces, each with one in every of `services` services, padded by names of that length.
fn spans(services: usize, traces: u128, padding: usize) -> Batch {
    let spans = |service: usize| {
        let span = |trace: u128| Span {
            trace_id: (trace + 1).to_be_bytes().to_vec(),
            span_id: (service as u64 + 1).to_be_bytes().to_vec(),
            name: "x".repeat(padding),
            ..Span::default()
        };
        vec![ScopeSpans { spans: (0..traces).map(span).collect(), ..ScopeSpans::default() }]
    };
    let resource_spans = (0..services).map(|service| ResourceSpans {
        resource: resource(service),
        scope_spans: spans(service),
        ..ResourceSpans::default()
    });
    let request = ExportTraceServiceRequest { resource_spans: resource_spans.collect() };
    batch(Signal::TRACES, request.encode_to_vec())
}

/// A batch whose body is in two segments.
fn batch(signal: Signal, body: Vec<u8>) -> Batch {
    let count = count(signal, &body).unwrap();
    let (front, back) = body.split_at(body.len() / 2);
    let body = Payload::from_iter([Bytes::copy_from_slice(front), Bytes::copy_from_slice(back)]);
    Batch::unchecked(signal, body, count, true, Charge::none())
}

type Spans = BTreeSet<(Vec<u8>, Vec<u8>, String)>;

/// Trace, span and service of all spans.
fn spans_of(bodies: &[Bytes]) -> Vec<(Vec<u8>, Vec<u8>, String)> {
    let mut spans = Vec::new();
    for body in bodies {
        for span in view::RequestView::new(Signal::TRACES, body).spans() {
            let Some(view::AnyValue::String(service)) = span.resource().attributes().get("service.name")
            else {
                panic!("a span without its resource")
            };
            spans.push((
                span.trace_id().unwrap().to_vec(),
                span.span_id().unwrap().to_vec(),
                service.to_owned(),
            ));
        }
    }
    spans
}

/// The endpoints of each key; panics unless every span arrived once.
fn homes(
    arrived: &BTreeMap<String, Vec<Bytes>>,
    key: impl Fn(&(Vec<u8>, Vec<u8>, String)) -> String,
    expected: usize,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut all = Spans::new();
    let mut count = 0;
    for (endpoint, bodies) in arrived {
        for span in spans_of(bodies) {
            homes.entry(key(&span)).or_default().insert(endpoint.clone());
            all.insert(span);
            count += 1;
        }
    }
    assert_eq!((all.len(), count), (expected, expected), "all, and none twice");
    homes
}

#[tokio::test]
async fn what_has_one_key_goes_to_one_endpoint() {
    let by_trace = |span: &(Vec<u8>, Vec<u8>, String)| format!("{:?}", span.0);
    let by_service = |span: &(Vec<u8>, Vec<u8>, String)| span.2.clone();
    let recorder = Recorder::default();
    for (key, by, padding) in [
        (RoutingKey::TraceId, &by_trace as &dyn Fn(&_) -> String, 0),
        (RoutingKey::TraceId, &by_trace, 1000), // over the size that is cut on another thread
        (RoutingKey::Service, &by_service, 0),
        (RoutingKey::Resource, &by_service, 0),
        (RoutingKey::Attributes(vec!["tenant".into(), "service.name".into()]), &by_service, 0),
    ] {
        let client = recorder.client(key.clone());
        for _ in 0..2 {
            client.export(spans(20, 100, padding)).await.unwrap();
        }
        let arrived = recorder.take();
        assert_eq!(arrived.len(), ENDPOINTS.len(), "{key:?}: everybody gets some");
        // Of each batch, and of the two together.
        let halves = [0, 1].map(|half| {
            arrived.iter().map(|(endpoint, bodies)| (endpoint.clone(), vec![bodies[half].clone()])).collect()
        });
        let [first, second] = halves.map(|half| homes(&half, by, 2000));
        assert!(first.values().all(|endpoints| endpoints.len() == 1), "{key:?}: {first:?}");
        assert_eq!(first, second, "{key:?}");
    }
}

/// Scenario: the endpoint of some traces does not work. Guarantee: they go elsewhere, each whole; the others stay.
#[tokio::test]
async fn what_goes_elsewhere_goes_there_together() {
    let recorder = Recorder::default();
    let client = recorder.client(RoutingKey::TraceId);
    client.export(spans(5, 300, 0)).await.unwrap();
    let by_trace = |span: &(Vec<u8>, Vec<u8>, String)| format!("{:?}", span.0);
    let before = homes(&recorder.take(), by_trace, 1500);
    recorder.broken.lock().insert(ENDPOINTS[0].into(), ErrorKind::Unavailable);
    // Before and after it is left out.
    for _ in 0..8 {
        client.export(spans(5, 300, 0)).await.unwrap();
        let after = homes(&recorder.take(), by_trace, 1500);
        let lost: BTreeSet<_> = [ENDPOINTS[0].to_owned()].into();
        let mut heirs = BTreeSet::new();
        for (trace, home) in &after {
            assert_eq!(home.len(), 1, "{trace} is torn apart");
            if before[trace] == lost {
                heirs.extend(home.clone());
            } else {
                assert_eq!(before[trace], *home, "{trace} moved without need");
            }
        }
        assert_eq!(heirs.len(), 2, "both others inherit");
    }
}

/// What is copied to cut a batch is charged to the memory budget until the parts are settled.
#[tokio::test]
async fn parts_are_charged_for_what_they_copy() {
    let (recorder, context) = (Recorder::default(), TransportContext::tcp(1 << 20));
    let client = recorder.client_within(&context, RoutingKey::TraceId);
    let batch = spans(5, 300, 0);
    let len = batch.len() as u64;
    client.export(batch).await.unwrap();
    let charged = std::mem::take(&mut *recorder.charged.lock());
    // The body was in two segments: it was joined, and then its short records were copied.
    assert_eq!(charged.len(), ENDPOINTS.len());
    assert!(charged.iter().all(|bytes| (len..3 * len).contains(bytes)), "{charged:?} of {len}");
    assert_eq!(context.budget.used(), 0);
}

/// Scenario: the budget is used up, and an endpoint does not work. Guarantee: batches are cut one after the other outside
/// the budget; a batch that is cut once more for another endpoint does not wait for itself.
#[tokio::test(start_paused = true)]
async fn batches_are_cut_also_without_memory() {
    let (recorder, context) = (Recorder::default(), TransportContext::tcp(1));
    recorder.broken.lock().insert(ENDPOINTS[0].into(), ErrorKind::Unavailable);
    let client = recorder.client_within(&context, RoutingKey::TraceId);
    let exports = (0..4).map(|_| client.export(spans(5, 300, 0)));
    let exports = futures_util::future::join_all(exports);
    let results = tokio::time::timeout(std::time::Duration::from_secs(60), exports).await.unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let arrived: usize = recorder.take().values().map(|bodies| spans_of(bodies).len()).sum();
    assert_eq!(arrived, 4 * 1500);
}

#[tokio::test]
async fn parts_that_fail_are_told() {
    let recorder = Recorder::default();
    let client = recorder.client(RoutingKey::TraceId);
    // A final refusal of a part is a part rejected; of all parts it is the answer.
    recorder.broken.lock().insert(ENDPOINTS[0].into(), ErrorKind::InvalidData);
    let accepted = client.export(spans(1, 300, 0)).await.unwrap();
    let arrived: usize = recorder.take().values().map(|bodies| spans_of(bodies).len()).sum();
    assert_eq!((accepted.rejected, accepted.message.as_str()), (300 - arrived as u64, "broken"));
    for endpoint in ENDPOINTS {
        recorder.broken.lock().insert(endpoint.into(), ErrorKind::InvalidData);
    }
    assert_eq!(client.export(spans(1, 300, 0)).await.unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn what_has_no_key_goes_anywhere() {
    let recorder = Recorder::default();
    let client = recorder.client(RoutingKey::TraceId);
    let record = |trace_id: Vec<u8>| LogRecord { trace_id, ..LogRecord::default() };
    let mut log_records: Vec<_> = (0..10).map(|_| record(Vec::new())).collect();
    log_records.extend((0..10_u128).map(|trace| record(trace.to_be_bytes().to_vec())));
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    let logs = ExportLogsServiceRequest { resource_logs }.encode_to_vec();
    client.export(batch(Signal::LOGS, logs)).await.unwrap();
    let arrived = recorder.take();
    let items =
        |bodies: &[Bytes]| bodies.iter().map(|body| count(Signal::LOGS, body).unwrap().items).sum::<u64>();
    assert_eq!(arrived.values().map(|bodies| items(bodies)).sum::<u64>(), 20);
    // Metrics have no trace id and go by service; here they have none; a request of nothing is still delivered.
    for (signal, body) in [
        (Signal::METRICS, &b"\x0a\x06\x12\x04\x12\x02\x2a\x00"[..]),
        (Signal::TRACES, b""),
        (Signal::PROFILES, b"\x0a\x06\x12\x04\x12\x00\x12\x00\x12\x02\x12\x00"),
    ] {
        client.export(batch(signal, body.to_vec())).await.unwrap();
        let arrived = recorder.take();
        let bodies: Vec<_> = arrived.values().flatten().collect();
        assert_eq!(bodies, [body], "{signal}");
    }
}

const ENDPOINTS: [&str; 3] = ["a:1", "b:1", "c:1"];
