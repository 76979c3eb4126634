//! Settings of `dead_letter`.

use super::{around, plan, problems};
use otlp_service::DeadLetterConfig;

/// The settings of the exporter and the notes, for the sections `rest` of an exporter.
fn settings(rest: &str) -> (Option<DeadLetterConfig>, Vec<String>) {
    let plan = plan(&around(&format!("  otlp: {{endpoint: 'c:1', {rest}}}")));
    let notes = plan.notes.iter().map(|note| note.text.clone()).collect();
    (plan.exporters[0].1.part.dead_letter.clone(), notes)
}

#[test]
fn a_directory_and_a_limit() {
    let expected = |max_bytes| {
        let mut config = DeadLetterConfig::new("/d");
        config.max_bytes = max_bytes;
        (Some(config), Vec::new())
    };
    assert_eq!(settings("dead_letter: {directory: /d}"), expected(1 << 30));
    assert_eq!(settings("dead_letter: {directory: /d, max_bytes: 1048576}"), expected(1 << 20));
    assert_eq!(settings("dead_letter: "), (None, Vec::new()));
    for (wrong, problem) in [
        ("{}", "otlp: dead_letter.directory: it is required"),
        ("{directory: ''}", "otlp: dead_letter.directory: it is required"),
        ("{directory: /d, max_bytes: 1048575}", "otlp: dead_letter.max_bytes: it must be at least 1048576"),
        ("{directory: /d, max_byte: 1}", "did you mean `max_bytes`?"),
    ] {
        let told = problems(&around(&format!("  otlp: {{endpoint: 'c:1', dead_letter: {wrong}}}")));
        assert!(told.contains(problem), "{problem} is not in {told}");
    }
}

#[test]
fn end_to_end_it_has_no_effect_and_a_note_says_so() {
    for queue in ["{enabled: false}", "{wait_for_result: true}"] {
        let (config, notes) = settings(&format!("dead_letter: {{directory: /d}}, sending_queue: {queue}"));
        assert_eq!(config, None);
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(note.starts_with("otlp: dead_letter: it has no effect: without a queue, "), "{note}");
    }
}

#[test]
fn load_balancing_has_it_in_the_exporter_or_in_the_protocol() {
    let of = |own: &str, protocol: &str| {
        let resolver = "resolver: {static: {hostnames: [a]}}";
        let settings = format!("  load_balancing: {{{resolver}, {own}, protocol: {{otlp: {{{protocol}}}}}}}");
        let text = around(&settings).replace("exporters: [otlp]", "exporters: [load_balancing]");
        plan(&text).exporters.remove(0).1.part.dead_letter.map(|config| config.directory)
    };
    let (one, other) = ("dead_letter: {directory: /one}", "dead_letter: {directory: /other}");
    assert_eq!(of(one, other), Some("/one".into()));
    assert_eq!(of("timeout: 0", other), Some("/other".into()));
}
