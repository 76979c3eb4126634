use super::*;
use crate::telemetry::{Counter, Histogram, Registration, Registry};
use otlp_protocol::json;
use std::time::Duration;

struct Metrics {
    registry: Registry,
    sent: Counter,
    size: Histogram,
    _queued: [Registration; 2],
}

impl Metrics {
    fn new() -> Self {
        let registry = Registry::new();
        let labels = [("exporter", "out"), ("otel_signal", "logs")];
        let gauge = |name, value| registry.observe(MetricKind::Gauge, name, "Queued.", &[], move || value);
        Self {
            sent: registry.counter("sent_log_records", "Log records sent.", &labels),
            size: registry.histogram("time_seconds", "Time.", &[], Histogram::in_units(&[10, 20], 10)),
            _queued: [gauge("fill_seconds", 4.0), gauge("target_info", 1.0)],
            registry,
        }
    }

    fn count(&self, sent: u64, size: u64) {
        self.sent.add(sent);
        self.size.record(size);
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The points of a request as JSON, without the heads of the metrics.
fn points(body: &Body) -> Vec<String> {
    let json = json::to_string(body).unwrap();
    let parts = json.split("\"dataPoints\":").skip(1);
    parts.map(|part| part.split("]}]").next().unwrap().to_owned()).collect()
}

#[test]
fn a_snapshot_is_a_request() {
    let metrics = Metrics::new();
    metrics.count(3, 15);
    metrics.count(0, 40);
    let resource = [("service.name".to_owned(), AttributeValue::new("shop"))];
    let batch = metrics.registry.snapshot().to_otlp(&resource, at(1), at(2));
    let version = env!("CARGO_PKG_VERSION");
    let expect = format!(
        "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":\"shop\"}}}}]}},\
         \"scopeMetrics\":[{{\"scope\":{{\"name\":\"otlp-service\",\"version\":\"{version}\"}},\"metrics\":[\
         {{\"name\":\"fill_seconds\",\"description\":\"Queued.\",\"unit\":\"s\",\"gauge\":{{\"dataPoints\":[\
         {{\"timeUnixNano\":\"2000000000\",\"asDouble\":4.0}}]}}}},\
         {{\"name\":\"sent_log_records\",\"description\":\"Log records sent.\",\"unit\":\"{{log_records}}\",\"sum\":{{\"dataPoints\":[\
         {{\"startTimeUnixNano\":\"1000000000\",\"timeUnixNano\":\"2000000000\",\"asInt\":\"3\",\"attributes\":[\
         {{\"key\":\"exporter\",\"value\":{{\"stringValue\":\"out\"}}}},{{\"key\":\"otel.signal\",\"value\":{{\"stringValue\":\"logs\"}}}}]}}],\
         \"aggregationTemporality\":2,\"isMonotonic\":true}}}},\
         {{\"name\":\"time_seconds\",\"description\":\"Time.\",\"unit\":\"s\",\"histogram\":{{\"dataPoints\":[\
         {{\"startTimeUnixNano\":\"1000000000\",\"timeUnixNano\":\"2000000000\",\"count\":\"2\",\"sum\":5.5,\
         \"bucketCounts\":[\"0\",\"1\",\"1\"],\"explicitBounds\":[1.0,2.0]}}],\"aggregationTemporality\":2}}}}]}}]}}]}}"
    );
    assert_eq!(json::to_string(batch.body()).unwrap(), expect);
    assert_eq!(batch.items(), 3);
}

#[test]
fn cumulative_points_start_anew_after_a_reset() {
    let metrics = Metrics::new();
    let mut requests = Requests::new(Temporality::Cumulative, at(1));
    metrics.count(3, 5);
    let first = requests.request(&metrics.registry.snapshot(), &[], at(60));
    requests.accepted(first);
    metrics.count(4, 5);
    let second = requests.request(&metrics.registry.snapshot(), &[], at(120));
    let sum = &points(&second.body)[1];
    assert!(sum.contains("\"startTimeUnixNano\":\"1000000000\""), "{sum}");
    assert!(sum.contains("\"asInt\":\"7\""), "{sum}");
    requests.accepted(second);
    // The component is made again: its counters are 0, and count since the last request at the earliest.
    drop(metrics);
    let metrics = Metrics::new();
    metrics.count(2, 5);
    let third = requests.request(&metrics.registry.snapshot(), &[], at(180));
    let sum = &points(&third.body)[1];
    assert!(sum.contains("\"startTimeUnixNano\":\"120000000000\""), "{sum}");
    assert!(sum.contains("\"asInt\":\"2\""), "{sum}");
}

#[test]
fn delta_points_have_what_the_destination_does_not_have_yet() {
    let metrics = Metrics::new();
    let mut requests = Requests::new(Temporality::Delta, at(1));
    let sums = |requests: &Requests, time| {
        let request = requests.request(&metrics.registry.snapshot(), &[], at(time));
        let points = points(&request.body);
        (request, points[1].clone(), points[2].clone())
    };
    metrics.count(3, 5);
    let (first, sum, _) = sums(&requests, 60);
    assert!(sum.contains("\"startTimeUnixNano\":\"1000000000\"") && sum.contains("\"asInt\":\"3\""), "{sum}");
    // The push fails: the next push has its change as well.
    drop(first);
    metrics.count(4, 15);
    let (second, sum, size) = sums(&requests, 120);
    assert!(sum.contains("\"startTimeUnixNano\":\"1000000000\"") && sum.contains("\"asInt\":\"7\""), "{sum}");
    assert!(size.contains("\"count\":\"2\",\"sum\":2.0,\"bucketCounts\":[\"1\",\"1\",\"0\"]"), "{size}");
    requests.accepted(second);
    metrics.count(1, 15);
    let (_, sum, size) = sums(&requests, 180);
    assert!(
        sum.contains("\"startTimeUnixNano\":\"120000000000\"") && sum.contains("\"asInt\":\"1\""),
        "{sum}"
    );
    assert!(size.contains("\"count\":\"1\",\"sum\":1.5,\"bucketCounts\":[\"0\",\"1\",\"0\"]"), "{size}");
}

#[test]
fn time_that_goes_back_makes_no_point_before_its_start() {
    let metrics = Metrics::new();
    let requests = Requests::new(Temporality::Cumulative, at(100));
    let request = requests.request(&metrics.registry.snapshot(), &[], at(50));
    let sum = &points(&request.body)[1];
    assert!(
        sum.contains("\"startTimeUnixNano\":\"100000000000\",\"timeUnixNano\":\"100000000000\""),
        "{sum}"
    );
}
