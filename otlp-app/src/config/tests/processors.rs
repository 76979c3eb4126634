//! The processors that change attributes, and what of a sender is kept for them.

use super::*;
use otlp_protocol::{Batch, Charge, Count, Signal};
use otlp_service::Out;

/// A configuration with one processor in a pipeline.
fn with(processor: &str, pipeline: &str) -> String {
    let id = processor.trim().split(':').next().unwrap().to_owned();
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: , http: {{include_metadata: true}}}}}}}}\nprocessors:\n{processor}\nexporters: {{nop: }}\n\
         service:\n  pipelines:\n    {pipeline}: {{receivers: [otlp], processors: [{id}], exporters: [nop]}}\n"
    )
}

#[test]
fn actions_of_the_collectors_own_examples_are_taken() {
    for (processor, pipeline) in [
        (
            "  attributes/insert:\n    actions:\n      - {key: attribute1, value: 123, action: insert}\n      - {key: string key, from_attribute: anotherkey, action: INSERT}",
            "traces",
        ),
        (
            "  attributes/regex_insert:\n    actions:\n      - key: \"http.url\"\n        pattern: ^(?P<http_protocol>.*):\\/\\/(?P<http_domain>.*)\\/(?P<http_path>.*)(\\?|\\&)?(?P<q>.*)\n        action: delete",
            "logs",
        ),
        (
            "  attributes/excludemulti:\n    exclude:\n      match_type: strict\n      services: [\"svcA\", \"svcB\"]\n      attributes:\n        - {key: env, value: \"dev\"}\n        - {key: test_request}\n    actions:\n      - {key: credit_card, action: delete}",
            "traces",
        ),
        (
            "  attributes/selective:\n    include: {match_type: strict, services: [svcA]}\n    exclude: {match_type: strict, attributes: [{key: redact_trace, value: false}]}\n    actions: [{key: credit_card, action: hash}]",
            "traces",
        ),
        (
            "  attributes/library:\n    exclude: {match_type: strict, libraries: [{name: mongo-java-driver, version: \"3.8.0\"}]}\n    actions: [{key: credit_card, action: delete}]",
            "traces",
        ),
        (
            "  attributes/log_body_regexp:\n    include: {match_type: regexp, log_bodies: [\"AUTH.*\"], log_severity_number: {min: 9, match_undefined: true}}\n    actions: [{key: password, action: update, value: obfuscated}]",
            "logs",
        ),
        (
            "  attributes/metrics:\n    include: {match_type: regexp, regexp: {cacheenabled: true}, metric_names: ['cpu\\..*'], resources: [{key: host.type, value: n1.*}]}\n    actions: [{key: c, action: convert, converted_type: int}]",
            "metrics",
        ),
        (
            "  resource:\n    attributes: [{key: k8s.cluster.name, from_attribute: k8s-cluster, action: insert}, {key: x, action: delete}]",
            "profiles",
        ),
        (
            "  attributes/default:\n    actions: [{key: region, from_attribute: cloud.region, default_value: [us, {a: 1}], action: upsert}]",
            "logs",
        ),
    ] {
        let plan = plan(&with(processor, pipeline));
        assert_eq!(plan.pipelines[0].stages.len(), 1, "{processor}");
    }
}

#[test]
fn what_is_wrong_with_processors_is_shown_with_its_place() {
    let mut wrong = Vec::new();
    for (processor, pipeline, place, expect) in [
        (
            "  attributes:\n    actions: []",
            "traces",
            "4:14",
            "attributes: actions: at least one action is required",
        ),
        ("  resource:", "traces", "3:3", "resource: attributes: at least one action is required"),
        (
            "  attributes:\n    actions: [{key: a, action: inser, value: 1}]",
            "traces",
            "4:32",
            "unknown action `inser`",
        ),
        (
            "  attributes:\n    actions: [{key: a, value: 1}]",
            "traces",
            "4:15",
            "actions.0.action: it is required",
        ),
        (
            "  attributes:\n    actions:\n      - {key: a, action: delete}\n      - {key: a, action: insert}",
            "traces",
            "6:9",
            "actions.1.value: one of value, from_attribute",
        ),
        (
            "  attributes:\n    actions: [{key: a, action: insert, value: 1, from_attribute: b}]",
            "traces",
            "4:66",
            "more than one source of a value",
        ),
        (
            "  attributes:\n    actions: [{action: insert, value: 1}]",
            "traces",
            "4:15",
            "actions.0.key: it is required",
        ),
        (
            "  attributes:\n    actions: [{pattern: '(', action: delete}]",
            "traces",
            "4:25",
            "actions.0.pattern: unclosed group",
        ),
        (
            "  attributes:\n    actions: [{key: a, pattern: 'x', action: extract}]",
            "traces",
            "4:33",
            "no named group",
        ),
        (
            "  attributes:\n    actions: [{key: a, action: convert, converted_type: integer}]",
            "traces",
            "4:57",
            "unknown type `integer`",
        ),
        (
            "  resource:\n    attributes: [{key: a, action: insert, from_context: auth.raw}]",
            "traces",
            "4:57",
            "credentials are not kept",
        ),
        (
            "  attributes:\n    include: {services: [a]}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:14",
            "include.match_type: it is required",
        ),
        (
            "  attributes:\n    exclude: {match_type: glob, services: [a]}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:27",
            "unknown match type `glob`",
        ),
        (
            "  attributes:\n    include: {match_type: strict}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:14",
            "include: no condition is given",
        ),
        (
            "  attributes:\n    include: {match_type: strict, span_names: [a]}\n    actions: [{key: a, action: delete}]",
            "logs",
            "4:47",
            "include.span_names: the setting is for traces only, but the pipeline logs uses it",
        ),
        (
            "  attributes:\n    include: {match_type: strict, attributes: [{key: a}]}\n    actions: [{key: a, action: delete}]",
            "metrics",
            "4:47",
            "the setting is for traces and logs only, but the pipeline metrics uses it",
        ),
        ("  probabilistic_sampler: {mode: hashed}", "traces", "3:33", "unknown mode `hashed`"),
        (
            "  probabilistic_sampler: {sampling_percentage: 10, sampling_precision: 15}",
            "traces",
            "3:72",
            "sampling_precision: it must be 1 to 14 hexadecimal digits",
        ),
        (
            "  probabilistic_sampler: {sampling_percentage: 10}",
            "metrics",
            "3:26",
            "probabilistic_sampler: the processor is for traces and logs only, but the pipeline metrics uses it",
        ),
        ("  redaction: {blocked_values: [a, '(']}", "traces", "3:35", "blocked_values.1: unclosed group"),
        (
            "  redaction: {hash_function: hmac-sha256, hmac_key: short}",
            "traces",
            "3:53",
            "hmac_key: it must have at least 32 bytes; it has 5",
        ),
        ("  redaction: {hash_function: sha9}", "traces", "3:30", "unknown hash function `sha9`"),
        ("  redaction: {hash_salt: pepper}", "traces", "3:26", "hash_salt: it has no effect without"),
        (
            "  redaction: {allow_all_keys: true}",
            "profiles",
            "3:14",
            "redaction: the processor is for traces and metrics and logs only, but the pipeline profiles uses it",
        ),
        (
            "  attributes:\n    include: {match_type: regexp, services: [a, '[']}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:49",
            "include.services.1: unclosed character class",
        ),
        (
            "  attributes:\n    include: {match_type: regexp, attributes: [{key: a, value: 1}]}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:64",
            "an expression must be a text",
        ),
        (
            "  attributes:\n    include: {match_type: strict, resources: [{value: 1}]}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:47",
            "include.resources.0.key: it is required",
        ),
        (
            "  attributes:\n    include: {match_type: strict, span_kinds: [server]}\n    actions: [{key: a, action: delete}]",
            "traces",
            "4:48",
            "unknown span kind `server`",
        ),
        ("  batch:\n    metadata_keys: [a, A]", "traces", "4:24", "metadata_keys.1: it is listed twice"),
        (
            "  batch:\n    resource_keys: a,b",
            "traces",
            "4:20",
            "resource_keys: expected a list, found a single value",
        ),
        ("  batch:\n    resource_keys: ['']", "traces", "4:21", "resource_keys.0: it is empty"),
        (
            "  batch:\n    adaptive: {}\n    send_batch_size: 8192",
            "traces",
            "5:22",
            "send_batch_size: it has no effect beside adaptive",
        ),
        (
            "  batch:\n    adaptive: {}\n    send_batch_max_size: 0",
            "traces",
            "5:26",
            "send_batch_max_size: it has no effect beside adaptive",
        ),
        (
            "  batch:\n    adaptive: {target_latency: 0}",
            "traces",
            "4:32",
            "adaptive.target_latency: it must be more than 0",
        ),
        (
            "  batch:\n    adaptive: {min_batch_size: 0}",
            "traces",
            "4:32",
            "adaptive.min_batch_size: it must be at least 1",
        ),
        (
            "  batch:\n    adaptive: {max_batch_size: 0}",
            "traces",
            "4:32",
            "adaptive.max_batch_size: it must be at least 1",
        ),
        (
            "  batch:\n    adaptive: {min_batch_size: 20, max_batch_size: 10}",
            "traces",
            "4:52",
            "adaptive.max_batch_size: it must not be less than min_batch_size",
        ),
    ] {
        let problems = problems(&with(processor, pipeline));
        if !problems.contains(expect) || !problems.contains(&format!(" c.yaml:{place}\n")) {
            wrong.push(format!("{place} {expect}:\n{problems}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn adaptive_batches_have_defaults_for_each_limit() {
    for (adaptive, expect) in [
        ("{}", (50, 512, 8192)),
        ("{target_latency: 1s}", (1000, 512, 8192)),
        ("{min_batch_size: 10000}", (50, 10_000, 10_000)),
        ("{max_batch_size: 100}", (50, 100, 100)),
        ("{target_latency: 20ms, min_batch_size: 1, max_batch_size: 20000}", (20, 1, 20_000)),
    ] {
        let plan = plan(&with(&format!("  batch: {{adaptive: {adaptive}}}"), "traces"));
        let adaptive = batch(&plan).adaptive.clone().unwrap();
        let sizes = (adaptive.min_batch_size, adaptive.max_batch_size);
        assert_eq!((adaptive.target_latency.as_millis(), sizes.0, sizes.1), expect);
    }
    assert_eq!(batch(&plan(&with("  batch: {timeout: 1s}", "traces"))).adaptive, None);
}

#[test]
fn processors_run_in_the_order_of_the_pipeline() {
    let text = "receivers: {otlp: {protocols: {grpc: }}}\nprocessors:\n  \
                attributes/a: {actions: [{key: k, value: a, action: upsert}]}\n  \
                attributes/b: {actions: [{key: k, value: b, action: upsert}]}\n  batch: \n\
                exporters: {nop: }\nservice:\n  pipelines:\n    \
                logs: {receivers: [otlp], processors: [attributes/b, batch, attributes/a], exporters: [nop]}\n";
    let plan = plan(text);
    let mut batch = Batch::unchecked(
        Signal::LOGS,
        b"\x0a\x04\x12\x02\x12\x00".to_vec(),
        Count { items: 1, entries: 1 },
        true,
        Charge::none(),
    );
    let ids: Vec<_> = plan.pipelines[0].stages.iter().map(|stage| stage.id.as_str()).collect();
    assert_eq!(ids, ["attributes/b", "attributes/a", "batch"]);
    for stage in &plan.pipelines[0].stages {
        let StageSpec::Processor(processor) = &stage.stage else { continue };
        let mut out = Out::new();
        assert!(processor.process(batch, &mut out).is_ok());
        batch = out.into_batches().remove(0);
    }
    let body = batch.body().plain().to_contiguous();
    assert!(
        body.windows(6).any(|bytes| bytes == b"\x01k\x12\x03\x0a\x01") && body.ends_with(b"a"),
        "{body:?}"
    );
}

#[test]
fn receivers_keep_what_somebody_needs() {
    let text = "receivers:\n  otlp: {protocols: {grpc: {include_metadata: true}, http: }}\n  otlp/other: {protocols: {grpc: {endpoint: h:1}}}\n\
                processors:\n  batch: {metadata_keys: [X-Tenant], resource_keys: k8s.namespace.name}\n  \
                resource: {attributes: [{key: a, from_context: metadata.x-a, action: insert}, {key: b, from_context: client.address, action: insert}, {key: c, from_context: auth.subject, action: insert}]}\n\
                exporters: {nop: }\nservice:\n  pipelines:\n    \
                logs: {receivers: [otlp], processors: [resource, batch], exporters: [nop]}\n    \
                traces: {receivers: [otlp, otlp/other], exporters: [nop]}\n";
    let plan = plan(text);
    let batch = batch(&plan);
    assert_eq!(batch.resource_keys, ["k8s.namespace.name".into()]);
    let notes: Vec<_> = plan.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(
        notes,
        [
            "the processor resource needs request headers (x-a), but the receiver otlp does not keep them on localhost:4318: set `include_metadata: true` there",
            "the processor batch needs request headers (x-tenant), but the receiver otlp does not keep them on localhost:4318: set `include_metadata: true` there",
        ]
    );
    let kept = spec_of(plan).needs().into_iter().map(|kept| {
        let headers: Vec<_> = kept.needs.headers.iter().map(|name| name.to_string()).collect();
        (headers, kept.needs.peer, kept.needs.identity, kept.without_headers)
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept[0], (vec!["x-a".into(), "x-tenant".into()], true, true, vec!["localhost:4318".into()]));
    assert_eq!(kept[1], (vec![], false, false, vec!["h:1".into()]));
}

#[test]
fn all_generations_of_the_filters_keys_are_taken() {
    for (processor, pipeline) in [
        (
            "  filter:\n    trace_conditions:\n      - resource.attributes[\"a\"] == \"b\"\n      - IsMatch(span.name, \"^GET /h\\\\w+$\")",
            "traces",
        ),
        (
            "  filter/groups:\n    error_mode: propagate\n    log_conditions:\n      - {context: log, error_mode: silent, conditions: [severity_number < SEVERITY_NUMBER_WARN]}\n      - conditions: ['resource.attributes[\"a\"] == nil']",
            "logs",
        ),
        (
            "  filter/old:\n    error_mode: ignore\n    traces: {span: ['attributes[\"x\"] == \"y\"'], spanevent: ['IsMatch(name, \".*grpc.*\")']}\n    metrics: {metric: ['name == \"my.metric\"', type == METRIC_DATA_TYPE_HISTOGRAM], datapoint: ['resource.attributes[\"a\"] == nil']}\n    logs: {log_record: ['IsMatch(body, \".*password.*\")']}\n    profiles: {profile: ['IsMatch(resource.attributes[\"service.name\"], \"containerd-shim-.*\")']}",
            "metrics",
        ),
        (
            "  filter/oldest:\n    spans: {include: {match_type: strict, services: [app_3]}, exclude: {match_type: regexp, regexp: {cacheenabled: true}, span_names: ['^hello']}}\n    metrics: {include: {match_type: regexp, metric_names: ['prefix/.*'], resource_attributes: [{key: a, value: b}]}}\n    logs: {exclude: {match_type: strict, severity_number: {min: info3, match_undefined: true}, bodies: [x]}}",
            "logs",
        ),
    ] {
        let plan = plan(&with(processor, pipeline));
        assert_eq!(plan.pipelines[0].stages.len(), 1, "{processor}");
    }
}

#[test]
fn what_is_wrong_with_a_filter_is_shown_with_its_place() {
    for (settings, problems) in [
        (
            "trace_conditions: [span.nmae == 1, 1 == 1]",
            &[
                "trace_conditions.0: 1:6: unknown path `nmae`",
                "did you mean `name`?",
                "trace_conditions.1: 1:1: no path",
            ][..],
        ),
        ("traces: {span: ['name = 1']}", &["traces.span.0: 1:6: expected a comparison, found `=`"]),
        (
            "trace_conditions: [span.name == 1, {conditions: []}]",
            &["single conditions and groups do not go together"],
        ),
        (
            "trace_conditions: [span.name == nil]\n    spans: {}\n    traces: {span: ['1 == 1']}",
            &["an older form of the same"],
        ),
        (
            "log_conditions: [{context: span, conditions: [name == 1]}]",
            &["unknown context `span`, known: log, scope, resource"],
        ),
        (
            "metrics: {include: {match_type: expr, expressions: [x]}}",
            &["metrics.include.expressions is not supported"],
        ),
        ("error_mode: ignroe", &["did you mean `ignore`?"]),
        ("logs: {include: {match_type: strict, severity_number: {min: NOPE}}}", &["unknown severity `NOPE`"]),
        ("logs: {include: {match_type: regexp, bodies: ['(']}}", &["logs: ", "bodies.0"]),
    ] {
        let text = with(&format!("  filter:\n    {settings}"), "traces");
        let error = Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]).err().expect(settings);
        for problem in problems {
            assert!(error.contains(problem), "{settings}: {problem}:\n{error}");
        }
    }
}

#[test]
fn strange_conditions_of_a_filter_are_noted() {
    let conditions = "  filter:\n    trace_conditions: [span.name != nil or true, span.name == 5]";
    let notes: Vec<_> = plan(&with(conditions, "traces")).notes.into_iter().map(|note| note.text).collect();
    let has = |text: &str| notes.iter().any(|note| note.contains(text));
    assert!(has("trace_conditions.0: the condition is always met: everything is removed"), "{notes:?}");
    assert!(has("trace_conditions.1: the condition is never met"), "{notes:?}");
}

#[test]
fn both_forms_of_statements_of_a_transform_are_taken() {
    for (settings, pipeline) in [
        (
            "trace_statements:\n      - set(span.name, \"x\")\n      - set(resource.attributes[\"a\"], 1)",
            "traces",
        ),
        (
            "error_mode: silent\n    dry_run: true\n    log_statements:\n      - {context: log, statements: ['set(body, \"x\")']}\n      - {conditions: [log.body == nil], statements: ['set(log.body, \"x\")'], error_mode: propagate, shared_cache: true}",
            "logs",
        ),
        (
            "ignore_nil: true\n    metric_statements:\n      - {context: datapoint, statements: ['set(value_int, 1)']}",
            "metrics",
        ),
    ] {
        let plan = plan(&with(&format!("  transform:\n    {settings}"), pipeline));
        assert_eq!(plan.pipelines[0].stages.len(), 1, "{settings}");
    }
}

#[test]
fn what_is_wrong_with_a_transform_is_shown_with_its_place() {
    for (settings, problems) in [
        (
            "trace_statements: ['sett(span.name, 1)', 'set(span.nmae, 1)']",
            &[
                "trace_statements.0: 1:1: unknown",
                "did you mean `set`?",
                "trace_statements.1: 1:10: unknown path `nmae`",
            ][..],
        ),
        (
            "trace_statements: [{context: span, conditions: [nmae == 1], statements: ['set(events, 1)']}]",
            &[
                "trace_statements.0.conditions.0: 1:1: ",
                "trace_statements.0.statements.0: 1:5: `events` cannot be changed",
            ],
        ),
        (
            "trace_statements: [{context: log, statements: ['set(name, 1)']}]",
            &["trace_statements.0.context: 1:1: unknown context `log`"],
        ),
        (
            "trace_statements: ['set(span.name, \"x\")', {statements: []}]",
            &["single statements and groups do not go together", "trace_statements.1"],
        ),
        ("flatten_data: true", &["flatten_data is not supported: resources and scopes are not copied"]),
    ] {
        let text = with(&format!("  transform:\n    {settings}"), "traces");
        let error = Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]).err().expect(settings);
        for problem in problems {
            assert!(error.contains(problem), "{settings}: {problem}:\n{error}");
        }
    }
}

#[test]
fn statements_that_may_empty_their_target_are_noted() {
    let statement =
        "  transform:\n    trace_statements: ['set(span.attributes[\"a\"], span.attributes[\"b\"])']";
    let notes: Vec<_> = plan(&with(statement, "traces")).notes.into_iter().map(|note| note.text).collect();
    assert!(
        notes.iter().any(
            |note| note.contains("trace_statements.0: if the value is missing, the target becomes empty")
        ),
        "{notes:?}"
    );
}
