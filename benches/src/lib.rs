//! What the benchmarks share: a body like those that gateways see. The questions are in the files of `benches/`.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message as _;

/// One request of `spans` spans of a web service: 20 resource attributes, 11 to 15 attributes a span, an event on
/// every fourth, a link on every tenth. 100 spans are about 56 KB.
pub fn spans(spans: usize) -> Vec<u8> {
    let resource = Resource {
        attributes: (0..20)
            .map(|index| text(&format!("resource.attribute.{index}"), "a-value-of-24-characters"))
            .collect(),
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "io.opentelemetry.tomcat-10.0".to_owned(),
        version: "2.18.0-alpha".to_owned(),
        ..InstrumentationScope::default()
    };
    let scope_spans = ScopeSpans {
        scope: Some(scope),
        spans: (0..spans as u64).map(span).collect(),
        schema_url: SCHEMA_URL.to_owned(),
    };
    let resource_spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        schema_url: SCHEMA_URL.to_owned(),
    };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec()
}

/// One request of `metrics` metrics of a web service: 20 resource attributes, and in turn a gauge of doubles, a sum and
/// a histogram, of four points with three attributes each.
pub fn metrics(metrics: usize) -> Vec<u8> {
    let resource = Resource {
        attributes: (0..20)
            .map(|index| text(&format!("resource.attribute.{index}"), "a-value-of-24-characters"))
            .collect(),
        ..Resource::default()
    };
    let scope_metrics =
        ScopeMetrics { metrics: (0..metrics as u64).map(metric).collect(), ..ScopeMetrics::default() };
    let resource_metrics = ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![scope_metrics],
        ..ResourceMetrics::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }.encode_to_vec()
}

fn metric(number: u64) -> Metric {
    let data = match number % 3 {
        0 => Data::Gauge(Gauge { data_points: points(number) }),
        1 => Data::Sum(Sum { data_points: points(number), aggregation_temporality: 2, is_monotonic: true }),
        _ => Data::Histogram(Histogram { data_points: histograms(number), aggregation_temporality: 2 }),
    };
    Metric {
        name: format!("http.server.request.duration.{number}"),
        description: "Duration of HTTP server requests".to_owned(),
        unit: "s".to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn point_attributes(point: u64) -> Vec<KeyValue> {
    vec![
        text("http.request.method", "GET"),
        text("http.route", "/api/v1/customers"),
        int("server.port", 8000 + point as i64),
    ]
}

fn points(number: u64) -> Vec<NumberDataPoint> {
    let point = |point| NumberDataPoint {
        attributes: point_attributes(point),
        start_time_unix_nano: 1_753_000_000_000_000_000,
        time_unix_nano: 1_753_000_060_000_000_000 + number,
        value: Some(number_data_point::Value::AsDouble((number * 4 + point) as f64 / 7.0)),
        ..NumberDataPoint::default()
    };
    (0..4).map(point).collect()
}

fn histograms(number: u64) -> Vec<HistogramDataPoint> {
    let point = |point| HistogramDataPoint {
        attributes: point_attributes(point),
        start_time_unix_nano: 1_753_000_000_000_000_000,
        time_unix_nano: 1_753_000_060_000_000_000 + number,
        count: 120,
        sum: Some(number as f64 / 3.0),
        bucket_counts: vec![1, 2, 4, 8, 16, 32, 31, 16, 8, 2],
        explicit_bounds: vec![0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75],
        min: Some(0.001),
        max: Some(0.9),
        ..HistogramDataPoint::default()
    };
    (0..4).map(point).collect()
}

fn span(number: u64) -> Span {
    let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let start = 1_753_000_000_000_000_000 + number * 1_000_000;
    let mut attributes = vec![
        text("http.request.method", "GET"),
        text("url.scheme", "https"),
        text("url.path", &format!("/api/v1/customers/{number}/orders")),
        text("http.route", "/api/v1/customers/{customer}/orders"),
        int("http.response.status_code", 200),
        text("server.address", "orders.shop.example.com"),
        int("server.port", 8443),
        text("network.protocol.version", "1.1"),
        text("client.address", "203.0.113.7"),
        text("user_agent.original", "okhttp/4.12.0"),
        int("thread.id", 31 + number as i64 % 16),
    ];
    let more = ["thread.name", "network.peer.address", "session.id", "enduser.id"];
    attributes.extend(more.iter().take(number as usize % 5).map(|key| text(key, "http-nio-8443-exec-7")));
    let event = span::Event {
        time_unix_nano: start + 500_000,
        name: "cache miss".to_owned(),
        attributes: vec![text("cache.name", "customers"), int("cache.size", 1024)],
        dropped_attributes_count: 0,
    };
    let link = span::Link {
        trace_id: [id.to_be_bytes(), start.to_be_bytes()].concat(),
        span_id: id.to_be_bytes().to_vec(),
        attributes: vec![text("messaging.operation", "receive")],
        ..span::Link::default()
    };
    Span {
        trace_id: [id.to_be_bytes(), id.rotate_left(32).to_be_bytes()].concat(),
        span_id: id.to_le_bytes().to_vec(),
        parent_span_id: start.to_be_bytes().to_vec(),
        flags: 0x301,
        name: "GET /api/v1/customers/{customer}/orders".to_owned(),
        kind: span::SpanKind::Server as i32,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 900_000,
        attributes,
        events: if number.is_multiple_of(4) { vec![event] } else { Vec::new() },
        links: if number.is_multiple_of(10) { vec![link] } else { Vec::new() },
        status: Some(Status::default()),
        ..Span::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.36.0";
