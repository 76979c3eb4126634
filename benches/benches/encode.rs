//! How much cheaper is it to write OTLP bytes, and to read a few fields of them, than to go through structs?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otlp_protocol::encode::{RequestWriter, Spans};
use otlp_protocol::view::RequestView;
use otlp_protocol::{Signal, model};
use prost::Message as _;
use std::hint::black_box;

const SPANS: u64 = 100;
const START: u64 = 1_753_000_000_000_000_000;
const NAME: &str = "GET /api/v1/customers/{customer}/orders";
/// Eight attributes, with the status.
const ATTRIBUTES: [(&str, &str); 7] = [
    ("http.request.method", "GET"),
    ("url.scheme", "https"),
    ("url.path", "/api/v1/customers/17/orders"),
    ("http.route", "/api/v1/customers/{customer}/orders"),
    ("server.address", "orders.shop.example.com"),
    ("client.address", "203.0.113.7"),
    ("user_agent.original", "okhttp/4.12.0"),
];
const STATUS: &str = "http.response.status_code";

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    group.throughput(Throughput::Elements(SPANS));
    let mut body = Vec::new();
    group.bench_function("writer, 8 attributes a span", |bencher| {
        bencher.iter(|| {
            body.clear();
            written(&mut body);
            black_box(&body);
        });
    });
    let mut structs = Vec::new();
    group.bench_function("opentelemetry-proto structs + prost, 8 attributes a span", |bencher| {
        bencher.iter(|| {
            structs.clear();
            built().encode(&mut structs).is_ok()
        });
    });
    assert_eq!(body, structs);
    group.finish();
}

fn read(c: &mut Criterion) {
    let body = model::encode(&built());
    let mut group = c.benchmark_group("read name, trace id and one attribute");
    group.throughput(Throughput::Elements(SPANS));
    group.bench_function("view", |bencher| {
        bencher.iter(|| {
            let spans = RequestView::new(Signal::TRACES, black_box(&body)).spans();
            spans
                .map(|span| {
                    let route = span.attributes().get("http.route").and_then(|route| route.as_str());
                    span.name().len() + span.trace_id().map_or(0, |id| id.len()) + route.map_or(0, str::len)
                })
                .sum::<usize>()
        });
    });
    group.bench_function("prost", |bencher| {
        bencher.iter(|| model::decode::<ExportTraceServiceRequest>(black_box(&body)).map(black_box).is_ok());
    });
    group.finish();
}

fn written(body: &mut Vec<u8>) {
    RequestWriter::<Spans>::new(body).resource_group(|group| {
        group.scope_group(|scope| {
            for number in 0..SPANS {
                scope.span(|span| {
                    span.trace_id(&trace_id(number)).span_id(&(number + 1).to_le_bytes()).name(NAME).kind(2);
                    span.start_time_unix_nano(START + number).end_time_unix_nano(START + number + 1_000);
                    for (key, value) in black_box(ATTRIBUTES) {
                        span.attribute(key, value);
                    }
                    span.attribute(STATUS, 200);
                });
            }
        });
    });
}

fn built() -> ExportTraceServiceRequest {
    let attribute = |key: &str, value: Value| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    };
    let span = |number: u64| {
        let texts = black_box(ATTRIBUTES).into_iter();
        let texts = texts.map(|(key, value)| attribute(key, Value::StringValue(value.to_owned())));
        Span {
            trace_id: trace_id(number).to_vec(),
            span_id: (number + 1).to_le_bytes().to_vec(),
            name: NAME.to_owned(),
            kind: 2,
            start_time_unix_nano: START + number,
            end_time_unix_nano: START + number + 1_000,
            attributes: texts.chain([attribute(STATUS, Value::IntValue(200))]).collect(),
            ..Span::default()
        }
    };
    let scope_spans = ScopeSpans { spans: (0..SPANS).map(span).collect(), ..ScopeSpans::default() };
    let resource_spans = ResourceSpans { scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

fn trace_id(number: u64) -> [u8; 16] {
    (u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_le_bytes()
}

criterion_group!(benches, write, read);
criterion_main!(benches);
