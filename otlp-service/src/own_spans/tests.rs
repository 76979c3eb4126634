use super::*;
use crate::own_queue::OwnQueueConfig;
use crate::telemetry::Registry;
use otlp_protocol::encode::Spans;
use otlp_protocol::{Body, Charge};

fn batch() -> Batch {
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.name("GET /");
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}

fn queues() -> Vec<OwnQueue<Arc<OwnSpan>>> {
    vec![OwnQueue::new(OwnQueueConfig::default(), &Registry::new())]
}

fn context(is_sampled: bool) -> SpanContext {
    SpanContext { trace_id: [3; 16], span_id: [4; 8], is_sampled }
}

#[test]
fn samplers_choose_as_the_specification_says() {
    let mut low = [0; 16];
    let high = [0xff; 16];
    low[..8].fill(0xff);
    let half = Sampler::TraceIdRatio(0.5);
    assert!(half.samples(&low, None) && !half.samples(&high, None));
    // The ninth byte decides, as in the SDKs for Go and Python.
    low[8] = 0x80;
    assert!(!half.samples(&low, None));
    low[8] = 0x7f;
    assert!(half.samples(&low, None));
    assert!(Sampler::TraceIdRatio(1.0).samples(&high, None));
    assert!(!Sampler::TraceIdRatio(0.0).samples(&low, None));
    let all = |sampler: &Sampler| {
        [None, Some(context(true)), Some(context(false))].map(|parent| sampler.samples(&high, parent))
    };
    assert_eq!(all(&Sampler::parent_based(Sampler::AlwaysOn)), [true, true, false]);
    assert_eq!(all(&Sampler::parent_based(Sampler::AlwaysOff)), [false, true, false]);
    assert_eq!(all(&Sampler::default()), [false, true, false]);
    let share = (0..20_000)
        .filter(|_| Sampler::TraceIdRatio(0.25).samples(&fastrand::u128(1..).to_be_bytes(), None))
        .count();
    assert!((4_500..5_500).contains(&share), "{share}");
}

#[test]
fn a_batch_belongs_to_its_span_only_while_spans_are_recorded() {
    let spans = OwnSpans::default();
    let mut unseen = batch();
    assert!(spans.received(&mut unseen, "otlp", "grpc").is_none());
    let recording = spans.record(Sampler::AlwaysOn, false, queues());
    let mut seen = batch();
    let span = spans.received(&mut seen, "otlp", "grpc").expect("all are sampled");
    assert_eq!(seen.trace.as_ref().map(|trace| trace.spans().len()), Some(1));
    drop((span, recording));
    let mut late = batch();
    late.trace = Some(Arc::new(BatchTrace::new(context(true), true)));
    assert!(spans.child(late.trace.as_ref(), SpanKind::Internal, String::new).is_none());
}

#[test]
fn the_senders_span_is_the_parent_and_decides() {
    let spans = OwnSpans::default();
    let reads = spans.0.reads_traceparent.clone();
    let recording = spans.record(Sampler::parent_based(Sampler::AlwaysOff), true, queues());
    assert!(reads.load(Ordering::Relaxed));
    for is_sampled in [true, false] {
        let mut received = batch();
        received.trace = Some(Arc::new(BatchTrace::new(context(is_sampled), true)));
        let span = spans.received(&mut received, "otlp", "grpc");
        assert_eq!((span.is_some(), received.trace.is_some()), (is_sampled, is_sampled));
        let own = received.trace.as_ref().map(|trace| trace.spans()[0]);
        assert!(own.is_none_or(|own| own.trace_id == [3; 16] && own.span_id != [4; 8]));
    }
    drop(recording);
    assert!(!reads.load(Ordering::Relaxed));
}

#[test]
fn the_last_recording_takes_the_spans() {
    let spans = OwnSpans::default();
    let first = spans.record(Sampler::AlwaysOn, false, queues());
    let second = spans.record(Sampler::AlwaysOff, false, queues());
    assert!(spans.received(&mut batch(), "otlp", "grpc").is_none());
    drop(second);
    assert!(spans.received(&mut batch(), "otlp", "grpc").is_some());
    drop(first);
    assert!(!spans.is_on());
}

#[tokio::test]
async fn own_telemetry_is_not_traced_where_it_comes_back() {
    let spans = OwnSpans::default();
    let _recording = spans.record(Sampler::AlwaysOn, true, queues());
    let receiver = spans.clone();
    let sent = spans.mark(BoxExport::from_fn(move |batch: Batch| {
        let mut came_back = batch;
        let span = receiver.received(&mut came_back, "otlp", "grpc");
        async move {
            assert!(span.is_none() && came_back.trace.is_none());
            Ok(otlp_protocol::Accepted::FULL)
        }
    }));
    sent.export(batch()).await.expect("accepted");
}
