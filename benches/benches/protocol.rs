//! How much cheaper is working on the bytes than decoding them? 100 spans, 56 KB: prost against validate, count, split
//! and merge.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use otlp_protocol::{
    Batch, Body, Charge, Count, Merge, Signal, SplitLimits, ValidateLimits, count, split, validate,
};
use prost::Message as _;
use std::hint::black_box;

const SPANS: usize = 100;

fn protocol(criterion: &mut Criterion) {
    let body = Bytes::from(otlp_benches::spans(SPANS));
    let sound = Body::check(Signal::TRACES, body.clone(), &ValidateLimits::default()).unwrap();
    let limits = ValidateLimits::default();
    let mut group = criterion.benchmark_group("protocol");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("prost decode + encode", |bencher| {
        bencher.iter(|| ExportTraceServiceRequest::decode(black_box(&body[..])).unwrap().encode_to_vec());
    });
    group.bench_function("validate", |bencher| {
        bencher.iter(|| validate(Signal::TRACES, black_box(&body), &limits).unwrap());
    });
    group
        .bench_function("count", |bencher| bencher.iter(|| count(Signal::TRACES, black_box(&body)).unwrap()));
    for max_items in [10, 1] {
        let limits = SplitLimits { max_items: Some(max_items), max_bytes: None };
        group.bench_function(format!("split by {max_items}"), |bencher| {
            bencher.iter(|| split(black_box(&sound), limits));
        });
    }
    let limits = SplitLimits { max_items: None, max_bytes: Some(body.len() / 4) };
    group.bench_function("split to a quarter", |bencher| {
        bencher.iter(|| split(black_box(&sound), limits));
    });
    group.finish();
}

fn merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge 80 requests");
    for spans in [1, SPANS] {
        let body = Bytes::from(otlp_benches::spans(spans));
        let count = Count { items: spans as u64, entries: spans as u64 };
        let batch = || Batch::unchecked(Signal::TRACES, body.clone(), count, true, Charge::none());
        group.throughput(Throughput::Bytes(80 * body.len() as u64));
        group.bench_function(format!("of {spans} spans"), |bencher| {
            bencher.iter_batched(
                || (0..80).map(|_| batch()).collect::<Vec<_>>(),
                |batches| {
                    let mut batches = batches.into_iter();
                    let mut merge = Merge::new(batches.next().unwrap());
                    batches.for_each(|batch| merge.push(batch).unwrap());
                    merge.finish()
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, protocol, merge);
criterion_main!(benches);
