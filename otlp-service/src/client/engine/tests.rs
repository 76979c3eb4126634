//! Tests of the engine with an exporter that keeps what it gets.

mod faults;
mod limits;
mod threads;
mod waits;

use super::*;
use crate::client::{
    NewSpan, OtlpClient, Propagator, Propagators, Sampler, Sampling, ShouldSample, TraceContext,
};
use crate::key;
use otlp_protocol::bytes::Bytes;
use otlp_protocol::view::{AnyValue, RequestView};
use otlp_protocol::{
    Accepted, Batch, SeverityNumber, Signal, SpanKind, StatusCode, ValidateLimits, validate,
};
use otlp_transport::{BoxExport, Export as _};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::thread;
use std::time::UNIX_EPOCH;

const WAIT: Duration = Duration::from_secs(30);

/// Requests by signal.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(Signal, Bytes)>>>);

impl Kept {
    fn export(&self) -> BoxExport {
        let kept = self.clone();
        BoxExport::from_fn(move |batch: Batch| {
            let kept = kept.clone();
            async move {
                kept.0.lock().push((batch.signal(), batch.body().plain().to_contiguous()));
                Ok(Accepted::FULL)
            }
        })
    }

    fn requests(&self, signal: Signal) -> Vec<Bytes> {
        self.0.lock().iter().filter(|(of, _)| *of == signal).map(|(_, body)| body.clone()).collect()
    }

    fn spans(&self) -> usize {
        let bodies = self.requests(Signal::TRACES);
        bodies.iter().map(|body| RequestView::new(Signal::TRACES, body).spans().count()).sum()
    }
}

fn client(export: BoxExport, change: impl FnOnce(&mut EngineConfig)) -> OtlpClient {
    let mut config = EngineConfig::new(Arc::new(move |_| Ok(export.clone())));
    change(&mut config);
    OtlpClient::with_engine(config, WAIT).unwrap()
}

#[test]
fn all_fields_of_a_span_arrive() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let scope = client.scope("http", "https://schema", |scope| {
        scope.version("1.2");
    });
    let parent = client.send_trace("root").finish();
    let other = client.send_trace("linked").root().finish();
    let second = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let context = client
        .send_trace("GET /cart")
        .scope(scope)
        .kind(SpanKind::Server)
        .parent(&parent)
        .start_time(second(10))
        .end_time(second(12))
        .attribute(key!("http.route"), "/cart")
        .attribute("http.response.status_code", 404)
        .attribute("load", 0.5)
        .attribute("hit", true)
        .attribute("load", 0.75)
        .event("retry", |event| {
            event.attribute("attempt", 2).attribute("attempt", 3).time(second(11));
        })
        .event("long", |event| {
            event.attribute("text", "x".repeat(300));
        })
        .link(&other, |link| {
            link.attribute("why", "batch");
        })
        .status(StatusCode::Error, "not found")
        .status(StatusCode::Unset, "")
        .finish();
    client.force_flush(WAIT).unwrap();

    let bodies = kept.requests(Signal::TRACES);
    assert_eq!(bodies.len(), 1);
    validate(Signal::TRACES, &bodies[0], &ValidateLimits::default()).unwrap();
    let view = RequestView::new(Signal::TRACES, &bodies[0]);
    let span = view.spans().find(|span| span.name() == "GET /cart").unwrap();
    assert_eq!((span.scope().name(), span.scope().version()), ("http", "1.2"));
    assert_eq!(span.trace_id(), Some(&parent.trace_id));
    assert_eq!(span.span_id(), Some(&context.span_id));
    assert_eq!(span.parent_span_id(), Some(&parent.span_id));
    assert_eq!(span.kind(), SpanKind::Server);
    assert_eq!((span.start_time_unix_nano(), span.end_time_unix_nano()), (10_000_000_000, 12_000_000_000));
    let attributes: Vec<_> = span.attributes().iter().map(|pair| (pair.key(), pair.value())).collect();
    let expect = [
        ("http.route", AnyValue::String("/cart")),
        ("http.response.status_code", AnyValue::Int(404)),
        ("hit", AnyValue::Bool(true)),
        ("load", AnyValue::Double(0.75)),
    ];
    assert_eq!(attributes, expect);
    let events: Vec<_> = span.events().collect();
    assert_eq!((events[0].name(), events[0].time_unix_nano()), ("retry", 11_000_000_000));
    assert_eq!(events[0].attributes().count(), 1);
    assert_eq!(events[0].attributes().get("attempt"), Some(AnyValue::Int(3)));
    assert_eq!(events[1].attributes().get("text"), Some(AnyValue::String(&"x".repeat(300))));
    let link = span.links().next().unwrap();
    assert_eq!(link.trace_id(), Some(&other.trace_id));
    assert_eq!(link.attributes().get("why"), Some(AnyValue::String("batch")));
    assert_eq!((span.status().code(), span.status().message()), (StatusCode::Error, "not found"));
    assert_eq!(span.flags(), 0x103);
}

#[test]
fn spans_of_many_threads_arrive() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let client = client.clone();
            thread::spawn(move || {
                for index in 0..1_000 {
                    client.send_trace("work").attribute("thread", thread).attribute("index", index).finish();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    client.shutdown(WAIT).unwrap();
    assert_eq!(kept.spans(), 4_000);
    let mut found = BTreeMap::<String, usize>::new();
    for body in kept.requests(Signal::TRACES) {
        validate(Signal::TRACES, &body, &ValidateLimits::default()).unwrap();
        let view = RequestView::new(Signal::TRACES, &body);
        assert!(view.spans().count() <= 512);
        for span in view.spans() {
            *found.entry(format!("{:?}", span.attributes().get("thread"))).or_default() += 1;
        }
    }
    assert!(found.len() == 4 && found.values().all(|&count| count == 1_000), "{found:?}");
    assert_eq!((client.stats().spans.sent(), client.stats().spans.lost_in_all()), (4_000, 0));
    // Nothing is sent after the shutdown, and everything is counted.
    client.send_trace("late").finish();
    assert_eq!(client.stats().spans.lost(LossReason::Shutdown), 1);
}

#[test]
fn log_records_arrive_in_the_current_context() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let span = client.send_trace("request").start();
    let entered = span.enter();
    let info = client.send_log(SeverityNumber::Info).body("replaced").attribute("a", 1);
    info.body("started").severity_text("INFO").event_name("cart.started").attribute("b", 2).emit();
    drop(entered);
    client.send_log(SeverityNumber::Error).body(7).time(UNIX_EPOCH + Duration::from_secs(1)).emit();
    client.force_flush(WAIT).unwrap();

    let bodies = kept.requests(Signal::LOGS);
    validate(Signal::LOGS, &bodies[0], &ValidateLimits::default()).unwrap();
    let records: Vec<_> = RequestView::new(Signal::LOGS, &bodies[0]).log_records().collect();
    let (first, second) = (&records[0], &records[1]);
    assert_eq!((first.body(), first.severity_text()), (AnyValue::String("started"), "INFO"));
    assert_eq!((first.severity_number(), first.event_name()), (SeverityNumber::Info, "cart.started"));
    assert_eq!(first.attributes().count(), 2);
    assert_eq!(first.trace_id(), Some(&span.context().trace_id));
    assert_eq!(first.span_id(), Some(&span.context().span_id));
    assert!(first.time_unix_nano() == 0 && first.observed_time_unix_nano() > 0);
    assert_eq!((second.body(), second.trace_id()), (AnyValue::Int(7), None));
    assert_eq!(second.time_unix_nano(), 1_000_000_000);
}

#[test]
fn the_sampler_chooses_spans_and_gives_them_their_state() {
    let kept = Kept::default();
    let ratio = Sampler::consistent_ratio(0.5).unwrap();
    let client = client(kept.export(), |config| config.sampler = Sampler::parent_based(ratio));
    let mut sampled = 0;
    for _ in 0..64 {
        let root = client.send_trace("root").start();
        let (child, is_sampled) = (root.child("child").finish(), root.context().is_sampled());
        assert_eq!((child.is_sampled(), &child.state), (is_sampled, &root.context().state));
        assert_eq!(child.state.as_deref(), is_sampled.then_some("ot=th:8"));
        sampled += usize::from(is_sampled);
    }
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.spans(), 2 * sampled);
    for body in kept.requests(Signal::TRACES) {
        let view = RequestView::new(Signal::TRACES, &body);
        assert!(
            view.spans().all(|span| span.trace_state() == "ot=th:8" && span.trace_id().unwrap()[9] >= 0x80)
        );
    }
}

#[test]
fn own_samplers_see_kind_attributes_and_links() {
    #[derive(Debug)]
    struct LinkedServers;
    impl ShouldSample for LinkedServers {
        fn should_sample(&self, span: &NewSpan<'_>) -> Sampling {
            let is_probe = span.attributes().get("http.route") == Some(AnyValue::String("/health"));
            let is_linked = span.links().any(|link| link.trace_id() == Some(&[7; 16]));
            Sampling::new(span.kind == SpanKind::Server && is_linked && !is_probe, None)
        }
    }
    let kept = Kept::default();
    let client = client(kept.export(), |config| config.sampler = Sampler::Custom(Arc::new(LinkedServers)));
    let linked = TraceContext::new([7; 16], [7; 8], 1);
    let server = |route: &str| {
        let span = client.send_trace("server").kind(SpanKind::Server).attribute("http.route", route);
        span.link(&linked, |_| {})
    };
    assert!(server("/cart").start().is_recording() && server("/cart").finish().is_sampled());
    assert!(
        !server("/health").finish().is_sampled()
            && !server("/cart").kind(SpanKind::Client).finish().is_sampled()
    );
    assert!(!client.send_trace("alone").kind(SpanKind::Server).start().is_recording());
}

#[test]
fn debug_of_a_received_context_is_passed_on_and_not_exported() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let b3 = Propagators::new([Propagator::B3]);
    let mut headers = std::collections::HashMap::new();
    headers.insert("b3".to_owned(), "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d".to_owned());
    let received = b3.extract(&headers).unwrap();
    let context = client.send_trace("server").parent(&received).link(&received, |_| {}).finish();
    b3.inject(&context, &mut headers);
    assert!(headers["b3"].ends_with("-d"));
    client.force_flush(WAIT).unwrap();
    let bodies = kept.requests(Signal::TRACES);
    let view = RequestView::new(Signal::TRACES, &bodies[0]);
    let span = view.spans().next().unwrap();
    assert_eq!((span.flags(), span.links().next().unwrap().flags()), (0x301, 0x301));
}

#[test]
fn given_starts_do_not_move_the_time_of_samplers() {
    let kept = Kept::default();
    let client = client(kept.export(), |config| config.sampler = Sampler::rate_limited(0.001).unwrap());
    let sampled = (0..10).filter(|index| {
        let day = Duration::from_secs(24 * 3600);
        client.send_trace("old").start_time(UNIX_EPOCH + day * *index).finish().is_sampled()
    });
    assert_eq!(sampled.count(), 1, "one in a thousand seconds");
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.spans(), 1);
}
