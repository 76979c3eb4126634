//! Tests of `otlp ottl`.

use super::difference::Difference;
use super::*;
use otlp_protocol::{Batch, Body, Charge, json};
use otlp_service::Out;

fn texts(statements: &[&str], conditions: &[&str]) -> Texts {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Texts {
        statement: owned(statements),
        condition: owned(conditions),
        context: None,
        signal: None,
        ignore_nil: false,
    }
}

fn logs() -> Body {
    let record = |body: &str| format!(r#"{{"body":{{"stringValue":"{body}"}}}}"#);
    let records = ["a", "b", "b", "c"].map(record).join(",");
    json::from_str(
        Signal::LOGS,
        &format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#),
    )
    .unwrap()
}

#[test]
fn a_check_names_signals_faults_and_remarks() {
    let report = |statements: &[&str], conditions: &[&str]| check::report(&texts(statements, conditions));
    assert_eq!(
        report(&[], &[r#"resource.attributes["a"] == 1"#]).unwrap(),
        "valid for traces, metrics, logs, profiles\n"
    );
    assert_eq!(report(&[], &[r#"span.name == "a""#]).unwrap(), "valid for traces\n");
    let faults = report(&[], &[r#"span.nmae == "a""#]).unwrap_err();
    assert_eq!(
        faults,
        "error: --condition 1: 1:6: unknown path `nmae` of the context span\n  | span.nmae == \"a\"\n  |      ^^^^\n  = did you mean `name`?\n"
    );
    let remarks = report(&[r#"set(log.body, nil)"#], &[]).unwrap();
    assert!(
        remarks.starts_with("valid for logs\nnote: --statement 1: a nil value empties the target"),
        "{remarks}"
    );
    let faults = report(&["sett(log.body, 1)", "set(log.bdy, 1)"], &["log.body == 1"]).unwrap_err();
    assert!(
        faults.contains("error: --statement 1: ") && faults.contains("error: --statement 2: "),
        "{faults}"
    );
    let always = report(&[], &["log.body == 1 or true"]).unwrap();
    assert!(always.contains("note: --condition 1: the condition is always met"), "{always}");
    let mut unknown = texts(&[], &["body == 1"]);
    unknown.context = Some("record".into());
    assert!(check::report(&unknown).unwrap_err().contains("error: --context: "));
}

#[test]
fn a_difference_shows_items_before_and_after() {
    let of = |texts: &Texts| {
        let program =
            texts.program(Signal::LOGS, ErrorMode::Propagate).map_err(|faults| explained(&faults)).unwrap();
        let mut out = Out::new();
        program.processor().process(Batch::new(logs(), Charge::none()), &mut out).unwrap();
        let after = out.into_batches().pop();
        let difference = Difference::of(&logs(), after.as_ref().map(Batch::body));
        let signs: String = difference
            .text(100)
            .lines()
            .map(|line| {
                let body =
                    line.split("stringValue\":\"").nth(1).and_then(|rest| rest.chars().next()).unwrap_or(' ');
                format!("{}{body}", &line[..1])
            })
            .collect();
        (signs, [difference.changed(), difference.removed(), difference.added()])
    };
    assert_eq!(of(&texts(&[], &[r#"log.body == "b""#])), ("-b-b".into(), [0, 2, 0]));
    assert_eq!(of(&texts(&[], &[r#"log.body != "b""#])), ("-a-c".into(), [0, 2, 0]));
    assert_eq!(of(&texts(&[], &["log.body != nil"])), ("-a-b-b-c".into(), [0, 4, 0]));
    assert_eq!(
        of(&texts(&[r#"set(log.body, "x") where log.body == "b""#], &[])),
        ("-b+x-b+x".into(), [2, 0, 0])
    );
    assert_eq!(of(&texts(&[r#"set(log.body, "x")"#], &[r#"log.body == "c""#])), ("-c+x".into(), [1, 0, 0]));
    assert_eq!(of(&texts(&[], &["log.body == nil"])), (String::new(), [0, 0, 0]));
}
