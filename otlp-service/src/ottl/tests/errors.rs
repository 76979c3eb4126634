//! The form of errors.

use super::*;

#[test]
fn all_faults_of_a_text_are_shown_with_their_places() {
    let error =
        group(Context::Log, "boddy == 1 and\n  IsMatsch(body, \"x\") or trace_id.strin == \"\"").unwrap_err();
    let expected = "\
1:1: unknown path `boddy` of the context log
    boddy == 1 and
    ^^^^^
    help: did you mean `body`?
2:3: unknown converter `IsMatsch`
      IsMatsch(body, \"x\") or trace_id.strin == \"\"
      ^^^^^^^^
    help: did you mean `IsMatch`?
2:26: unknown path `trace_id.strin` of the context log
      IsMatsch(body, \"x\") or trace_id.strin == \"\"
                             ^^^^^^^^^^^^^^
    help: did you mean `trace_id.string`?";
    assert_eq!(error, expected);
}

#[test]
fn errors_of_evaluation_name_the_function() {
    let body = log(|record| {
        record.attribute("b", "s");
    });
    let env = env(Signal::LOGS, &body, None);
    let error = |text| holds(Context::Log, text, &env).unwrap_err();
    assert_eq!(error("HasPrefix(body, \"x\")"), "HasPrefix: expected a string, found nil");
    assert_eq!(error("attributes[\"b\"][\"c\"] == 1"), "expected a map for the key, found a string");
    assert_eq!(error("1 / 0 == 1"), "division by zero");
}
