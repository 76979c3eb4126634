//! Is every walk over a body linear in its length? A resource of 400 KiB around 200,000 empty records, and around half as
//! many: twice the records may take twice the time.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use otlp_protocol::json::{JsonLimits, from_protobuf, to_protobuf};
use otlp_protocol::view::RequestView;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{
    AttributeEdits, Batch, Body, Charge, Count, Decision, Editor, Item, Merge, Repairs, Signal, SplitLimits,
    ValidateLimits, count, edit, partition, parts, repair, validate,
};
use std::hint::black_box;

const RESOURCE_BYTES: usize = 400 << 10;
const MAX_BYTES: usize = 64 << 20;

fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}

/// Records that each hold `record`, in one scope of one resource of many attributes.
fn body(records: usize, record: &[u8]) -> Bytes {
    let attribute = field(1, &[field(1, b"key"), field(2, &field(1, b"value"))].concat());
    let resource = field(1, &attribute.repeat(RESOURCE_BYTES / attribute.len()));
    let scope = field(2, &field(2, record).repeat(records));
    field(1, &[resource, scope].concat()).into()
}

/// Sees every record, and changes none.
struct Look;

impl Editor for Look {
    fn resource(&mut self, _: &[u8], _: &mut AttributeEdits<'_>) -> Decision {
        Decision::Keep
    }

    fn item(&mut self, _item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.delete("key");
        Decision::Keep
    }
}

fn walkers(criterion: &mut Criterion) {
    let limits = ValidateLimits::default();
    for records in [100_000, 200_000] {
        let body = body(records, b"");
        let sound = Body::check(Signal::LOGS, body.clone(), &limits).unwrap();
        let mut text = Vec::new();
        from_protobuf(Signal::LOGS.request, &body, MAX_BYTES, &mut text).unwrap();
        let bad = self::body(records, &field(9, b"?"));
        let mut group = criterion.benchmark_group(format!("{records} empty records"));
        group.sample_size(10);
        group.bench_function("validate", |bencher| {
            bencher.iter(|| validate(Signal::LOGS, black_box(&body), &limits).unwrap());
        });
        group.bench_function("count", |bencher| {
            bencher.iter(|| count(Signal::LOGS, black_box(&body)).unwrap())
        });
        group.bench_function("split in 20", |bencher| {
            let limits = SplitLimits { max_items: Some(records as u64 / 20), max_bytes: None };
            bencher.iter(|| parts(black_box(&sound), limits).count());
        });
        group.bench_function("merge", |bencher| {
            bencher.iter(|| {
                let count = Count { items: records as u64, entries: records as u64 };
                let batch = || Batch::unchecked(Signal::LOGS, body.clone(), count, true, Charge::none());
                let mut merge = Merge::new(batch());
                merge.push(batch()).unwrap();
                merge.finish()
            });
        });
        group.bench_function("partition in 4", |bencher| {
            bencher.iter(|| {
                let mut next = 0;
                let choose = |_: &Item<'_>| {
                    next += 1;
                    next % 4
                };
                partition(black_box(&sound), 4, choose)
            });
        });
        group.bench_function("edit", |bencher| {
            bencher.iter(|| edit(black_box(&sound), &mut Look, MAX_BYTES).unwrap());
        });
        group.bench_function("remove ids", |bencher| {
            bencher.iter(|| {
                repair(Signal::LOGS, black_box(&bad), &limits, Repairs::default(), MAX_BYTES).unwrap()
            });
        });
        group.bench_function("to JSON", |bencher| {
            let mut out = Vec::with_capacity(text.len());
            bencher.iter(|| {
                out.clear();
                from_protobuf(Signal::LOGS.request, black_box(&body), MAX_BYTES, &mut out).unwrap()
            });
        });
        group.bench_function("from JSON", |bencher| {
            let mut out = Vec::with_capacity(body.len());
            bencher.iter(|| {
                out.clear();
                to_protobuf(Signal::LOGS.request, black_box(&text), &JsonLimits::default(), &mut out).unwrap()
            });
        });
        group.bench_function("views", |bencher| {
            bencher.iter(|| {
                let resources = RequestView::new(Signal::LOGS, black_box(&body)).resources();
                resources.flat_map(|resource| resource.scopes()).flat_map(|scope| scope.entries()).count()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, walkers);
criterion_main!(benches);
