//! How much cheaper is an edit on the bytes than decode + edit + encode? 100 spans of 11 to 15 attributes: one attribute
//! is given another value, one is deleted, one is new.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use otlp_protocol::{
    AttributeEdits, AttributeValue, Body, Decision, Editor, Item, Signal, ValidateLimits, edit,
};
use otlp_protocol::{Repairs, partition, repair};
use prost::Message as _;
use std::hint::black_box;

const SPANS: usize = 100;
const MAX_BYTES: usize = 64 << 20;

/// Changes the attributes of spans, or those of resources.
struct Attributes {
    of_items: bool,
    updated: AttributeValue,
    inserted: AttributeValue,
}

impl Attributes {
    fn new(of_items: bool) -> Self {
        let (updated, inserted) = (AttributeValue::string("production"), AttributeValue::int(7));
        Self { of_items, updated, inserted }
    }
}

impl Editor for Attributes {
    fn resource(&mut self, _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        if self.of_items {
            return Decision::SkipLevel;
        }
        attributes.upsert("deployment.environment", &self.updated);
        Decision::Keep
    }

    fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        if !self.of_items {
            return Decision::SkipLevel;
        }
        attributes.upsert("network.protocol.version", &self.updated);
        attributes.delete("user_agent.original");
        attributes.upsert("gateway.id", &self.inserted);
        Decision::Keep
    }
}

fn with_prost(body: &[u8]) -> Vec<u8> {
    let string = |text: &str| Some(AnyValue { value: Some(Proto::StringValue(text.to_owned())) });
    let mut request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    for span in scopes.flat_map(|scope| &mut scope.spans) {
        span.attributes.retain(|attribute| attribute.key != "user_agent.original");
        let found = span.attributes.iter_mut().find(|attribute| attribute.key == "network.protocol.version");
        found.unwrap().value = string("production");
        let value = Some(AnyValue { value: Some(Proto::IntValue(7)) });
        span.attributes.push(KeyValue { key: "gateway.id".to_owned(), value, ..KeyValue::default() });
    }
    request.encode_to_vec()
}

fn edits(criterion: &mut Criterion) {
    let body = otlp_benches::spans(SPANS);
    let sound = Body::check(Signal::TRACES, body.clone(), &ValidateLimits::default()).unwrap();
    let run = |of_items: bool| {
        let mut editor = Attributes::new(of_items);
        let sound = sound.clone();
        move || edit(black_box(&sound), &mut editor, MAX_BYTES).unwrap()
    };
    let edited = ExportTraceServiceRequest::decode(run(true)().body.plain().clone()).unwrap();
    assert_eq!(edited.encode_to_vec(), with_prost(&body), "both do the same");

    let mut group = criterion.benchmark_group("edit 100 spans");
    group.throughput(Throughput::Elements(SPANS as u64));
    group.bench_function("prost decode + edit + encode", |bencher| {
        bencher.iter(|| with_prost(black_box(&body)));
    });
    group.bench_function("edit items", |bencher| bencher.iter(run(true)));
    group.bench_function("edit resources", |bencher| bencher.iter(run(false)));
    group.finish();
}

fn repairs(criterion: &mut Criterion) {
    let body = bytes::Bytes::from(otlp_benches::spans(SPANS));
    let mut bad = body.to_vec();
    let at = body.windows(6).position(|window| window == b"okhttp").unwrap();
    bad[at] = 0xff;
    let bad = bytes::Bytes::from(bad);
    let limits = ValidateLimits::default();
    let mut group = criterion.benchmark_group("repair 100 spans");
    group.throughput(Throughput::Elements(SPANS as u64));
    for (name, body) in [("sound", &body), ("one bad string", &bad)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                repair(Signal::TRACES, black_box(body), &limits, Repairs::default(), MAX_BYTES).unwrap()
            });
        });
    }
    group.finish();
}

fn partitions(criterion: &mut Criterion) {
    let body = otlp_benches::spans(SPANS);
    let body = Body::check(Signal::TRACES, body, &ValidateLimits::default()).unwrap();
    let mut group = criterion.benchmark_group("partition 100 spans");
    group.throughput(Throughput::Elements(SPANS as u64));
    for parts in [1, 4, 32] {
        group.bench_function(format!("into {parts}"), |bencher| {
            bencher.iter(|| {
                let mut next = 0;
                let choose = |_: &Item<'_>| {
                    next += 1;
                    next % parts
                };
                partition(black_box(&body), parts, choose)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, edits, repairs, partitions);
criterion_main!(benches);
