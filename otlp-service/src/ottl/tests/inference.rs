//! Inference of contexts.

use super::*;

fn infer(allowed: &[Context], conditions: &[&str]) -> Result<Context, String> {
    let conditions: Vec<String> = conditions.iter().map(|&text| text.to_owned()).collect();
    let texts = Texts { context: None, allowed, conditions: &conditions, statements: &[] };
    let group = Group::new(texts);
    group
        .map(|group| group.context)
        .map_err(|errors| errors.iter().map(|error| error.error.to_string()).collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_innermost_context_of_the_paths_counts() {
    let traces = Context::of_signal(Signal::TRACES);
    let metrics = Context::of_signal(Signal::METRICS);
    for (allowed, text, expected) in [
        (traces, r#"resource.attributes["a"] == 1"#, Context::Resource),
        (traces, r#"resource.attributes["a"] == 1 and scope.name == "x""#, Context::Scope),
        (traces, r#"span.name == resource.attributes["a"]"#, Context::Span),
        (traces, r#"spanevent.name == span.name"#, Context::SpanEvent),
        (traces, r#"otelcol.client.metadata["a"] == nil"#, Context::Resource),
        (metrics, r#"metric.name == "x""#, Context::Metric),
        (metrics, r#"metric.name == "x" and datapoint.value_int == 1"#, Context::DataPoint),
        // The constant is known below the resource only.
        (metrics, r#"resource.attributes["t"] == METRIC_DATA_TYPE_SUM"#, Context::DataPoint),
        (traces, r#"resource.attributes["t"] == 1 and IsRootSpan()"#, Context::Span),
    ] {
        assert_eq!(infer(allowed, &[text]), Ok(expected), "{text}");
    }
}

#[test]
fn texts_without_a_context_are_refused() {
    let traces = Context::of_signal(Signal::TRACES);
    for (text, problem) in [
        (r#"name == "x""#, "no path has a context in front"),
        (r#"span.name == "x" and kind == 1"#, "write `span.kind`"),
        (r#"1 == 1"#, "no path has a context in front"),
        (r#"log.body == "x""#, "there is no log here"),
        (
            r#"spanevent.name == "x" and IsRootSpan()"#,
            "the context spanevent, which the paths name, has no IsRootSpan",
        ),
        (r#"span.name == NOPE"#, "unknown constant `NOPE`"),
    ] {
        let error = infer(traces, &[text]).expect_err(text);
        assert!(error.contains(problem), "{text}:\n{error}");
    }
}
