use super::*;
use crate::component::Reason;
use crate::telemetry::Registry;
use otlp_protocol::{Body, ByteBudget, Charge, Signal, json};

/// A request in JSON of each signal: `items` items with the attribute `host`, over two hosts, and one item without.
fn request(signal: Signal, items: usize) -> Body {
    let item = |host: Option<usize>| {
        let pair = |host: usize| format!(r#"{{"key":"host","value":{{"stringValue":"{}"}}}}"#, host % 2);
        format!(r#"{{"attributes":[{}]}}"#, host.map(pair).unwrap_or_default())
    };
    let items: Vec<_> = (0..items).map(Some).chain([None]).map(item).collect();
    let items = items.join(",");
    let (resources, scopes, entries) = match signal.name {
        "traces" => ("resourceSpans", "scopeSpans", format!(r#""spans":[{items}]"#)),
        "metrics" => {
            let metric = format!(r#""metrics":[{{"name":"m","gauge":{{"dataPoints":[{items}]}}}}]"#);
            ("resourceMetrics", "scopeMetrics", metric)
        }
        "logs" => ("resourceLogs", "scopeLogs", format!(r#""logRecords":[{items}]"#)),
        _ => ("resourceProfiles", "scopeProfiles", r#""profiles":[{"samples":[{},{}]}]"#.to_owned()),
    };
    let resource = format!(r#"{{"{scopes}":[{{{entries}}}]}}"#);
    json::from_str(signal, &format!(r#"{{"{resources}":[{resource},{resource}]}}"#)).unwrap()
}

fn batch(body: Body, charge: Charge) -> Batch {
    let (signal, count, mergeable) = (body.signal(), body.count(), body.is_mergeable());
    Batch::unchecked(signal, body.to_bytes(), count, mergeable, charge)
}

#[test]
fn items_are_grouped_and_counted_in_all_signals() {
    for signal in Signal::ALL {
        let registry = Registry::new();
        let metrics = ProcessorMetrics::new(&registry, "groupbyattrs", "p", signal);
        let processor = GroupByAttrsProcessor::new(["", "host", "host"]).with_metrics(&metrics).unwrap();
        let body = request(signal, 3);
        let items = body.count().items;
        let mut out = Out::new();
        processor.process(batch(body, Charge::none()), &mut out).unwrap();
        assert_eq!(out.removed(Reason::Dropped) + out.removed(Reason::Filtered), 0);
        let grouped = out.into_batches().remove(0);
        assert_eq!((grouped.items(), grouped.signal()), (items, signal));
        let bytes = grouped.body().to_bytes();
        let resources = otlp_protocol::view::RequestView::new(signal, &bytes).resources().count();
        // Samples have no attributes of their own: profiles are merged alone.
        let (noun, moved, expected) = match signal.name {
            "traces" => ("span", 6, 3),
            "metrics" => ("metric", 6, 3),
            "logs" => ("log", 6, 3),
            _ => ("profile", 0, 1),
        };
        assert_eq!(resources, expected, "{signal}");
        let page = registry.snapshot().to_string();
        let labels = format!("processor=\"groupbyattrs\",otel_signal=\"{signal}\",pipeline=\"p\"");
        for line in [
            format!("otelcol_processor_groupbyattrs_num_grouped_{noun}s{{{labels}}} {moved}\n"),
            format!("otelcol_processor_groupbyattrs_num_non_grouped_{noun}s{{{labels}}} {}\n", items - moved),
            format!("otelcol_processor_groupbyattrs_{noun}_groups_sum{{{labels}}} {expected}\n"),
        ] {
            assert!(page.contains(&line), "{line}{page}");
        }
    }
}

#[test]
fn a_request_that_has_nothing_to_group_goes_on_as_it_came() {
    let body =
        json::from_str(Signal::LOGS, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}"#).unwrap();
    let bytes = body.to_bytes();
    let mut out = Out::new();
    GroupByAttrsProcessor::new([""; 0]).process(batch(body, Charge::none()), &mut out).unwrap();
    assert_eq!(out.into_batches()[0].body().to_bytes(), bytes);
}

#[test]
fn grouping_is_charged_to_the_byte_budget() {
    let body = request(Signal::LOGS, 100);
    let len = body.len() as u64;
    let processor = GroupByAttrsProcessor::new(["host"]);
    let budget = ByteBudget::new(2 * len);
    let refused = batch(body.clone(), budget.try_charge(len).unwrap());
    let error = processor.process(refused, &mut Out::new()).unwrap_err();
    assert!(error.message().contains("memory"), "{error}");
    assert_eq!(budget.used(), 0);
    let budget = ByteBudget::new(1 << 20);
    let mut out = Out::new();
    processor.process(batch(body, budget.try_charge(len).unwrap()), &mut out).unwrap();
    let grouped = out.into_batches().remove(0);
    assert_eq!(budget.used(), grouped.len() as u64);
}
