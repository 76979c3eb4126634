use super::*;
use otlp_protocol::{Accepted, ErrorKind};
use otlp_transport::{ExportError, TokioClock};

const LABELS: &[(&str, &str)] = &[("receiver", "otlp"), ("transport", "grpc")];

/// Records these durations, as successes of one item each, and reads them again.
fn recorded(micros: impl IntoIterator<Item = u64>) -> Performance {
    let registry = Registry::new();
    let stats = RequestStats::new(&registry, MeasuredPart::Receiver, LABELS);
    let begun = stats.now();
    for micros in micros {
        stats.ended(begun, begun + Duration::from_micros(micros), 1, &Ok(Accepted::FULL));
    }
    registry.snapshot().receiver("otlp").unwrap()
}

#[test]
fn sums_are_exact_and_percentiles_within_the_error() {
    let micros: Vec<u64> = (1..=100_000).map(|n| n * n / 1000 + 1).collect();
    let performance = recorded(micros.iter().copied());
    let latency = performance.latency;
    assert_eq!((performance.requests, latency.count), (100_000, 100_000));
    assert_eq!(latency.sum, Duration::from_micros(micros.iter().sum()));
    assert_eq!(latency.mean, latency.sum / 100_000);
    for (percent, shown) in [(50, latency.p50), (95, latency.p95), (99, latency.p99)] {
        let exact = micros[percent * 1000 - 1] as f64 / 1e6;
        let error = shown.as_secs_f64() / exact - 1.0;
        assert!(error.abs() <= 0.045, "p{percent}: {shown:?} instead of {exact} s");
    }
    assert_eq!(recorded([]).latency, LatencySummary::default());
    assert_eq!(recorded([0]).latency.p99, Duration::from_nanos(500));
    assert_eq!(recorded([u64::MAX / 1_000_000]).latency.p50.as_secs(), 134);
}

/// The error holds for each duration, over the whole range.
#[test]
fn each_duration_is_within_the_error() {
    let mut nanos = 1_001.0_f64;
    while nanos < 134e9 {
        let registry = Registry::new();
        let stats = RequestStats::new(&registry, MeasuredPart::Exporter, &[("exporter", "out")]);
        let begun = stats.now();
        stats.ended(begun, begun + Duration::from_nanos(nanos as u64), 1, &Ok(Accepted::FULL));
        let shown = registry.snapshot().exporter("out").unwrap().latency.p50.as_nanos() as f64;
        assert!((shown / nanos - 1.0).abs() <= 0.045, "{shown} instead of {nanos}");
        nanos *= 1.037;
    }
}

#[tokio::test(start_paused = true)]
async fn signals_are_added_up_and_throughput_follows_the_clock() {
    let registry = Registry::new().with_clock(Arc::new(TokioClock));
    let [one, other] =
        [Signal::TRACES, Signal::LOGS].map(|signal| RequestStats::of_pipeline(&registry, "main", signal));
    let begun = one.now();
    tokio::time::advance(Duration::from_millis(500)).await;
    one.ended(begun, one.now(), 30, &Ok(Accepted::FULL));
    other.ended(begun, other.now(), 70, &Ok(Accepted::FULL));
    other.ended(begun, other.now(), 5, &Err(ExportError::refused(ErrorKind::Unavailable, "down")));
    tokio::time::advance(Duration::from_millis(1500)).await;
    let all = registry.snapshot();
    let performance = all.pipeline("main").unwrap();
    assert_eq!((performance.requests, performance.successes, performance.failures), (3, 2, 1));
    assert_eq!(performance.items_per_second, 50.0);
    assert_eq!(performance.latency.sum, Duration::from_millis(1500));
    assert_eq!(all.measured().collect::<Vec<_>>(), [(MeasuredPart::Pipeline, "main")]);
    assert_eq!(all.pipeline("other"), None);
    assert_eq!(all.exporter("main"), None);
    let shown = |name, labels: &[(&str, &str)]| all.get(name, labels);
    assert_eq!(shown("otlp_pipeline_unsuccessful_requests", &[("otel_signal", "logs")]), Some(1.0));
    drop((one, other));
    assert_eq!(registry.snapshot().pipeline("main"), None);
}

/// A component and its successor are shown as one, and share the metric's buckets.
#[test]
fn a_successor_adds_to_its_predecessor() {
    let registry = Registry::new();
    let both = [(); 2].map(|()| RequestStats::new(&registry, MeasuredPart::Receiver, LABELS));
    for stats in &both {
        let begun = stats.now();
        stats.ended(begun, begun + Duration::from_millis(3), 1, &Ok(Accepted::FULL));
    }
    assert_eq!(registry.snapshot().receiver("otlp").unwrap().requests, 2);
    let count = "otlp_receiver_request_duration_seconds";
    assert_eq!(registry.snapshot().get(count, &[("le", "0.005")]), Some(2.0));
}
