//! Measures the time that statements take for an item: 100 spans of 11 to 15 attributes, and the data points of 100 metrics.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use otlp_benches::{metrics, spans};
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};
use otlp_service::{Out, Processor, TransformConfig, TransformGroup, TransformProcessor};

fn transform(signal: Signal, statements: &[&str]) -> TransformProcessor {
    let mut config = TransformConfig::default();
    config.groups.push(TransformGroup::new(signal, statements.iter().copied()));
    TransformProcessor::new(config).unwrap()
}

fn statements(criterion: &mut Criterion) {
    let traces = Body::check(Signal::TRACES, Bytes::from(spans(100)), &ValidateLimits::default()).unwrap();
    let metrics =
        Body::check(Signal::METRICS, Bytes::from(metrics(100)), &ValidateLimits::default()).unwrap();
    let mut group = criterion.benchmark_group("transform");
    for (name, body, statements) in [
        (
            "nothing_to_change",
            &traces,
            &[r#"set(span.attributes["a"], "b") where span.name == "absent""#][..],
        ),
        ("new_attribute", &traces, &[r#"set(span.attributes["a"], "b")"#]),
        (
            "three_statements",
            &traces,
            &[
                r#"set(span.attributes["env"], "prod") where span.attributes["env"] == nil"#,
                r#"delete_key(span.attributes, "http.request.method")"#,
                r#"replace_pattern(span.name, "\\d+", "{id}")"#,
            ],
        ),
        ("attribute_of_resource", &traces, &[r#"set(resource.attributes["a"], "b")"#]),
        ("attribute_of_points", &metrics, &[r#"set(datapoint.attributes["a"], metric.name)"#]),
    ] {
        let transform = transform(body.signal(), statements);
        group.throughput(Throughput::Elements(body.count().items));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut out = Out::new();
                transform.process(Batch::new(body.clone(), Charge::none()), &mut out).unwrap();
                out
            });
        });
    }
    group.finish();
}

criterion_group!(benches, statements);
criterion_main!(benches);
