use super::*;
use std::time::{Duration, UNIX_EPOCH};

#[test]
fn names_stay_in_their_directory_and_belong_to_one_exporter() {
    let time = UNIX_EPOCH + Duration::from_millis(1_798_761_599_250);
    for (id, expected) in [
        ("otlp", "otlp-logs-20261231T235959.250Z.otlp"),
        ("otlp_http/a.b", "otlp_http%2Fa%2Eb-logs-20261231T235959.250Z.otlp"),
        ("otlp/../../x", "otlp%2F%2E%2E%2F%2E%2E%2Fx-logs-20261231T235959.250Z.otlp"),
        ("otlp/ä%", "otlp%2F%C3%A4%25-logs-20261231T235959.250Z.otlp"),
    ] {
        let names = Names::new(id);
        let stem = names.stem(Signal::LOGS, time);
        assert_eq!(stem.requests(), expected);
        assert_eq!(names.parse(&stem.requests()), Some(stem.clone()));
        assert_eq!(names.parse(&stem.reasons()), Some(stem.clone()));
        assert_eq!(Names::new(&format!("{id}-logs")).parse(expected), None);
        assert!(names.probe(u128::MAX).len() >= stem.reasons().len());
    }
    // The files of `otlp-traces` are not those of `otlp`.
    let other = Names::new("otlp-traces").stem(Signal::LOGS, time);
    assert_eq!(Names::new("otlp").parse(&other.requests()), None);
    for foreign in ["otlp-logs-20261231T235959.250Z", "otlp-logs-20261231.otlp", "notes.txt", "otlp-.otlp"] {
        assert_eq!(Names::new("otlp").parse(foreign), None, "{foreign}");
    }
}
