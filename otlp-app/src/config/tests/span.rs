//! The settings of `span`: what is taken, and what is refused.

use super::*;

fn text(settings: &str, signal: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors:\n  span: {settings}\nexporters: {{nop: }}\nservice: {{pipelines: \
         {{{signal}: {{receivers: [otlp], processors: [span], exporters: [nop]}}}}}}\n"
    )
}

#[test]
fn the_collectors_own_examples_are_taken() {
    for settings in [
        "{name: {from_attributes: [db.svc, operation, id], separator: '::'}}",
        "{name: {to_attributes: {rules: ['^\\/api\\/v1\\/document\\/(?P<documentId>.*)\\/update$'], break_after_match: true}}}",
        "{name: {to_attributes: {keep_original_name: true, rules: ['(?P<operation_website>.*?)$']}}}",
        "{include: {match_type: regexp, services: [banks], span_names: ['^(.*?)/(.*?)$']}, exclude: {match_type: strict, span_names: \
         [donot/change]}, name: {to_attributes: {rules: ['(?P<operation_website>.*?)$']}}}",
        "{status: {code: Error, description: 'some additional error description'}}",
        "{include: {match_type: strict, attributes: [{key: http.status_code, value: 400}]}, status: {code: Ok}}",
        "{status: {code: Unset}}",
    ] {
        assert_eq!(plan(&text(settings, "traces")).pipelines[0].stages.len(), 1, "{settings}");
    }
}

#[test]
fn wrong_settings_are_shown_with_their_places() {
    for (settings, place, expected) in [
        ("{name: {separator: '::'}}", "3:3", "span: one of name.from_attributes"),
        (
            "{name: {to_attributes: {rules: ['(', '[']}}}",
            "3:41",
            "name.to_attributes.rules.0: unclosed group",
        ),
        (
            "{name: {to_attributes: {rules: ['(', '[']}}}",
            "3:46",
            "name.to_attributes.rules.1: unclosed character class",
        ),
        ("{status: {code: ok}}", "3:25", "unknown code `ok`\n"),
        ("{status: {description: a}}", "3:18", "the code is empty\n"),
        ("{status: {code: Ok, description: a}}", "3:42", "only the code `Error` has a description\n"),
        ("{status: {code: Ok}, include: {services: [a]}}", "3:39", "match_type"),
    ] {
        let shown = problems(&text(settings, "traces"));
        assert!(
            shown.contains(expected) && shown.contains(&format!("c.yaml:{place}")),
            "{settings}\n{shown}"
        );
    }
    let shown = problems(&text("{status: {code: Ok}}", "logs"));
    assert!(
        shown.contains("span: the processor is for traces only, but the pipeline logs uses it\n"),
        "{shown}"
    );
}
