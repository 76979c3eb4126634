//! How much cheaper is JSON to protobuf and back without structs? 100 spans, and 100 metrics of doubles, against
//! serde_json and prost.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use otlp_protocol::Signal;
use otlp_protocol::json::{JsonLimits, from_protobuf, to_protobuf};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::hint::black_box;

fn compare<M: Message + Default + Serialize + DeserializeOwned>(
    criterion: &mut Criterion,
    signal: Signal,
    body: &[u8],
) {
    let mut text = Vec::new();
    from_protobuf(signal.request, body, usize::MAX, &mut text).unwrap();
    let spaced =
        serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(&text).unwrap()).unwrap();
    let limits = JsonLimits::default();
    let (mut protobuf, mut json) = (Vec::new(), Vec::new());

    let mut group = criterion.benchmark_group(format!("{signal} from json"));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("serde_json + prost", |bencher| {
        bencher.iter(|| serde_json::from_slice::<M>(black_box(&text)).unwrap().encode_to_vec());
    });
    for (name, text) in [("to_protobuf", &text), ("to_protobuf, with space and sorted keys", &spaced)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                protobuf.clear();
                to_protobuf(signal.request, black_box(text), &limits, &mut protobuf).unwrap()
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group(format!("{signal} to json"));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("prost + serde_json", |bencher| {
        bencher.iter(|| serde_json::to_vec(&M::decode(black_box(body)).unwrap()).unwrap());
    });
    group.bench_function("from_protobuf", |bencher| {
        bencher.iter(|| {
            json.clear();
            from_protobuf(signal.request, black_box(body), usize::MAX, &mut json).unwrap()
        });
    });
    group.finish();
}

fn json(criterion: &mut Criterion) {
    compare::<ExportTraceServiceRequest>(criterion, Signal::TRACES, &otlp_benches::spans(100));
    compare::<ExportMetricsServiceRequest>(criterion, Signal::METRICS, &otlp_benches::metrics(100));
}

criterion_group!(benches, json);
criterion_main!(benches);
