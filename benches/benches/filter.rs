//! Measures the time that a condition takes for an item: 100 spans of 11 to 15 attributes, of which none is removed, and 100 metrics.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use otlp_benches::{metrics, spans};
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};
use otlp_service::{FilterConditions, FilterConfig, FilterProcessor, Out, Processor};

fn filter(signal: Signal, conditions: &[&str]) -> FilterProcessor {
    let mut config = FilterConfig::default();
    config.conditions.push(FilterConditions::new(signal, conditions.iter().copied()));
    FilterProcessor::new(config).unwrap()
}

fn conditions(criterion: &mut Criterion) {
    let traces = Body::check(Signal::TRACES, Bytes::from(spans(100)), &ValidateLimits::default()).unwrap();
    let metrics =
        Body::check(Signal::METRICS, Bytes::from(metrics(100)), &ValidateLimits::default()).unwrap();
    let mut group = criterion.benchmark_group("filter");
    for (name, body, conditions) in [
        ("absent_attribute", &traces, &[r#"span.attributes["absent"] == "x""#][..]),
        ("name", &traces, &[r#"span.name == "GET /health""#]),
        ("regex_of_name", &traces, &[r#"IsMatch(span.name, "^GET /health")"#]),
        ("absent_attribute_of_event", &traces, &[r#"spanevent.attributes["absent"] == "x""#]),
        (
            "three_conditions",
            &traces,
            &[
                r#"span.attributes["absent"] == "x" or span.kind == SPAN_KIND_INTERNAL"#,
                r#"span.name == "GET /health" and span.status.code == STATUS_CODE_OK"#,
                r#"resource.attributes["absent"] == "x""#,
            ],
        ),
        ("half_is_removed", &traces, &[r#"span.start_time_unix_nano / 2 * 2 == span.start_time_unix_nano"#]),
        ("absent_attribute_of_point", &metrics, &[r#"datapoint.attributes["absent"] == "x""#]),
    ] {
        let filter = filter(body.signal(), conditions);
        group.throughput(Throughput::Elements(body.count().items));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut out = Out::new();
                filter.process(Batch::new(body.clone(), Charge::none()), &mut out).unwrap();
                out
            });
        });
    }
    group.finish();
}

criterion_group!(benches, conditions);
criterion_main!(benches);
