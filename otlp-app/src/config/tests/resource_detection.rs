//! The settings of `resource_detection`: what is noted, and what is refused.

use super::*;

fn text(settings: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors:\n  resourcedetection: {settings}\nexporters: {{nop: }}\nservice: \
         {{pipelines: {{logs: {{receivers: [otlp], processors: [resourcedetection], exporters: [nop]}}}}}}\n"
    )
}

fn notes(settings: &str) -> Vec<String> {
    plan(&text(settings)).notes.into_iter().map(|note| note.text).collect()
}

#[test]
fn notes_tell_of_detectors_that_do_not_exist_and_of_renamed_hosts() {
    assert_eq!(notes(""), [""; 0]);
    assert_eq!(notes("{detectors: [env, system, docker, process], override: false, timeout: 2s}"), [""; 0]);
    assert_eq!(notes("{detectors: [system], override: true}"), [""; 0], "the operator has decided");
    let notes = notes("{detectors: [env, ec2, system], ec2: {tags: [a]}, retry: {max_interval: 1m}}");
    let expected = [
        "processors.resourcedetection.ec2 is ignored: this detector does not exist here: its attributes are not added",
        "resourcedetection: detectors.1: the detector `ec2` does not exist here: its attributes are not added",
        "resourcedetection: override: the default is true: telemetry that other hosts send gets the name of this host; set \
         `override: false` unless all senders run on this host",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn wrong_settings_are_shown_with_their_places() {
    for (settings, place, expected) in [
        ("{detectors: [env, sytem]}", "3:40", "unknown detector `sytem`\n"),
        ("{system: {hostname_sources: [dns, o]}}", "3:56", "unknown source `o`\n"),
        (
            "{system: {resource_attributes: {host.nme: {enabled: true}}}}",
            "3:53",
            "unknown attribute `host.nme`\n",
        ),
        (
            "{docker: {resource_attributes: {host.id: {enabled: true}}}}",
            "3:53",
            "unknown attribute `host.id`\n",
        ),
        ("{docker: {resource_attributes: {os.type: {enable: true}}}}", "3:64", "unknown key `enable`\n"),
        ("{timeout: 0}", "3:32", "timeout: it must be longer than 0\n"),
        ("{retry: {multiplier: -1}}", "3:43", "retry.multiplier: it must be 0 to 1000\n"),
    ] {
        let shown = problems(&text(settings));
        assert!(
            shown.contains(expected) && shown.contains(&format!("c.yaml:{place}")),
            "{settings}\n{shown}"
        );
    }
}
