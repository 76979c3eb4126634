use super::*;
use otlp_protocol::view::{MetricData, RequestView};
use otlp_protocol::{StatusCode, ValidateLimits, validate};
use std::collections::{HashMap, HashSet};

const NOW: u64 = 1_800_000_000_000_000_000;

fn generator(signals: &[Signal], items: usize) -> Generator {
    Generator::new(signals.to_vec(), items, 7, NOW - 1_000_000_000)
}

#[test]
fn each_request_is_valid_and_has_as_many_items_as_asked_for() {
    for signal in Signal::ALL {
        for items in [1, 2, 3, 7, 100, 1_000] {
            for number in [0, 1, 50] {
                let body = generator(&[signal], items).request(number, NOW);
                let checked = validate(signal, &body.to_bytes(), &ValidateLimits::default());
                assert_eq!(checked.map(|checked| checked.count.items), Ok(items as u64), "{signal} {number}");
            }
        }
    }
}

#[test]
fn the_seed_and_the_number_decide_and_nothing_else() {
    let all = generator(&Signal::ALL, 50);
    for number in 0..8 {
        assert_eq!(all.request(number, NOW).to_bytes(), all.request(number, NOW).to_bytes());
        assert_ne!(all.request(number, NOW).to_bytes(), all.request(number + 4, NOW).to_bytes());
        let other = Generator::new(Signal::ALL.to_vec(), 50, 8, NOW);
        assert_ne!(all.request(number, NOW).to_bytes(), other.request(number, NOW).to_bytes());
    }
    let signals: Vec<_> = (0..5).map(|number| all.request(number, NOW).signal()).collect();
    assert_eq!(signals, [Signal::ALL.as_slice(), &Signal::ALL[..1]].concat());
}

/// Spans have parents in the same trace that enclose them; failures have events and statuses; traces differ.
#[test]
fn traces_are_trees_over_services_with_failures_in_them() {
    let generator = generator(&Signal::ALL[..1], 500);
    let (mut traces, mut failed, mut exceptions, mut crossing) = (HashSet::new(), 0, 0, 0);
    for number in 0..10 {
        let bytes = generator.request(number, NOW).to_bytes();
        let view = RequestView::new(Signal::ALL[0], &bytes);
        let spans: HashMap<_, _> =
            view.spans().map(|span| ((*span.trace_id().unwrap(), *span.span_id().unwrap()), span)).collect();
        assert_eq!(spans.len(), 500, "ids are unique");
        for span in view.spans() {
            let trace = *span.trace_id().unwrap();
            assert!(
                span.start_time_unix_nano() < span.end_time_unix_nano() && span.end_time_unix_nano() <= NOW
            );
            if let Some(parent) = span.parent_span_id() {
                let parent = spans[&(trace, *parent)];
                assert!(parent.start_time_unix_nano() <= span.start_time_unix_nano());
                assert!(parent.end_time_unix_nano() >= span.end_time_unix_nano());
                let service = |span: &otlp_protocol::view::Scoped<'_, otlp_protocol::view::Span<'_>>| {
                    span.resource().attributes().get("service.name").map(|name| format!("{name:?}"))
                };
                crossing += u64::from(service(&parent) != service(&span));
            } else {
                assert!(traces.insert(trace), "a trace has one root");
            }
            failed += u64::from(span.status().code() == StatusCode::Error);
            exceptions += span.events().filter(|event| event.name() == "exception").count() as u64;
        }
    }
    assert!(traces.len() > 200 && crossing > 500, "{} traces, {crossing} calls", traces.len());
    assert!(exceptions > 10 && failed > exceptions * 2, "{exceptions} exceptions, {failed} spans failed");
}

#[test]
fn log_records_exemplars_and_samples_have_the_ids_of_the_spans() {
    let generator = generator(&Signal::ALL, 200);
    let bytes: Vec<_> = (0..4).map(|number| generator.request(number, NOW).to_bytes()).collect();
    let views: Vec<_> =
        Signal::ALL.iter().zip(&bytes).map(|(signal, bytes)| RequestView::new(*signal, bytes)).collect();
    let spans: HashSet<_> =
        views[0].spans().map(|span| (*span.trace_id().unwrap(), *span.span_id().unwrap())).collect();
    let mut found = [0; 3];
    for record in views[2].log_records() {
        assert!(spans.contains(&(*record.trace_id().unwrap(), *record.span_id().unwrap())));
        found[0] += 1;
    }
    for metric in views[1].metrics() {
        let MetricData::Histogram(histogram) = metric.data() else { continue };
        for exemplar in histogram.data_points().flat_map(|point| point.exemplars()) {
            assert!(spans.contains(&(*exemplar.trace_id().unwrap(), *exemplar.span_id().unwrap())));
            found[1] += 1;
        }
    }
    for link in views[3].dictionary().links().skip(1) {
        assert!(spans.contains(&(*link.trace_id().unwrap(), *link.span_id().unwrap())));
        found[2] += 1;
    }
    assert!(found[0] == 200 && found[1] > 3 && found[2] == 200, "{found:?}");
}

#[test]
fn counters_never_decrease() {
    let generator = generator(&[Signal::ALL[1]], 30);
    let mut last: Vec<f64> = Vec::new();
    for number in 0..50 {
        let bytes = generator.request(number, NOW).to_bytes();
        let view = RequestView::new(Signal::ALL[1], &bytes);
        let mut values = Vec::new();
        for metric in view.metrics() {
            match metric.data() {
                MetricData::Histogram(histogram) => values.extend(
                    histogram.data_points().flat_map(|point| point.bucket_counts()).map(|count| count as f64),
                ),
                MetricData::Sum(sum) if sum.is_monotonic() => {
                    values.extend(sum.data_points().map(|point| match point.value() {
                        otlp_protocol::view::Number::Double(value) => value,
                        other => panic!("{other:?}"),
                    }));
                }
                _ => {}
            }
        }
        assert!(last.is_empty() || last.len() == values.len());
        assert!(last.iter().zip(&values).all(|(before, now)| before <= now), "moment {number}");
        last = values;
    }
    assert!(last.len() > 10);
}
