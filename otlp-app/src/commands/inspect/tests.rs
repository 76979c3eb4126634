use super::*;
use crate::commands::send::sample;
use otlp_protocol::{json, wire};
use std::io::Cursor;

fn survey(bytes: impl Into<Vec<u8>>) -> Survey {
    let input = Input::new(Box::new(Cursor::new(bytes.into()))).unwrap();
    let mut survey = Survey::new(input.description());
    for read in input {
        match read {
            Ok(record) => survey.add(&record, None),
            Err(error) => survey.add_problem(error.to_string(), None),
        }
    }
    survey
}

#[test]
fn a_file_of_all_signals_is_counted() {
    let bodies = Signal::ALL.map(|signal| sample(signal, 200));
    let lines: Vec<String> = bodies.iter().map(|body| json::to_string(body).unwrap()).collect();
    let survey = survey(lines.join("\n"));
    assert_eq!((survey.requests, survey.broken, survey.signals.len()), (4, 0, 4));
    for body in &bodies {
        let found = &survey.signals[body.signal().name];
        assert_eq!((found.items, found.entries, found.bytes), (200, body.count().entries, body.len() as u64));
        assert_eq!(found.sources.values().sum::<u64>(), 200, "{}", body.signal());
        assert!(found.times.is_some_and(|(first, last)| 0 < first && first <= last));
        assert_eq!((found.duplicates, found.duplicate_ids, found.missing_ids, found.zero_ids), (0, 0, 0, 0));
    }
    let traces = &survey.signals["traces"];
    assert!(traces.traces.count() > 10 && traces.resources.count() >= 5, "{}", traces.resources.count());
    assert!(traces.sources.keys().any(|(service, _)| service == "cart"));
    // All bytes of the requests are in their parts.
    let total: u64 = bodies.iter().map(|body| body.len() as u64).sum();
    let parts = survey.sizes.parts();
    let top: u64 = parts.iter().filter(|(path, _)| !path.contains('.')).map(|(_, size)| size.bytes).sum();
    assert_eq!(top, total);
    assert!(survey.sizes.keys().iter().any(|(key, size)| key == "http.route" && size.count > 50));
}

#[test]
fn the_text_has_tables_and_sizes() {
    let survey = survey(sample(Signal::ALL[0], 50).to_bytes());
    let text = report::text(&survey, "a.pb", true, 3);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "a.pb: protobuf, 1 request");
    assert!(
        lines[1].starts_with("traces: 1 request, 50 spans, ") && lines[1].ends_with(" bytes of protobuf"),
        "{text}"
    );
    assert!(lines[2].starts_with("  from 2027-01-15 0") && lines[2].contains(" UTC: "), "{text}");
    for part in [
        " resources, ",
        "  spans  service",
        "   bytes     part  count  field",
        "100.0 %",
        "resource_spans.scope_spans.spans\n",
        " more\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&report::json(&survey, "a.pb")).unwrap();
    assert_eq!(json["signals"]["traces"]["items"], 50);
    assert_eq!(json["parts"][0]["field"], "resource_spans");
}

#[test]
fn duplicates_and_wrong_ids_are_found() {
    let body = sample(Signal::ALL[0], 4).to_bytes();
    let twice = survey([body.clone(), body].concat());
    let traces = &twice.signals["traces"];
    assert_eq!((traces.items, traces.duplicates, traces.duplicate_ids), (8, 4, 4));
    // One span with a trace id of zeros and without a span id, and with an unknown field.
    let field = |number: u32, value: &[u8]| {
        let mut out = Vec::new();
        wire::put_len_delimited(&mut out, number, value);
        out
    };
    let span = [field(1, &[0; 16]), field(5, b"GET /"), field(30, b"?")].concat();
    let survey = survey(field(1, &field(2, &field(2, &span))));
    let traces = &survey.signals["traces"];
    assert_eq!((traces.zero_ids, traces.missing_ids, traces.unknown_fields), (1, 1, 1));
    let text = report::text(&survey, "x", false, 20);
    assert!(text.contains("  1 ids are zeros\n") && text.contains("  1 fields are unknown"), "{text}");
}

#[test]
fn a_broken_request_is_shown_with_path_offset_and_bytes() {
    let survey = survey(*b"\x0a\x0a\x12\x08\x12\x06\x2a\x04ab\xffd");
    let text = report::text(&survey, "x.pb", false, 20);
    let expected = "x.pb: protobuf, 1 request, 1 broken\nproblems\n  request 1 (at byte 0): invalid protobuf of traces: \
                    resource_spans[0].scope_spans[0].spans[0].name: string is not UTF-8 (at byte 10)\n    \
                    00000000  0a 0a 12 08 12 06 2a 04 61 62[ff]64\n";
    assert_eq!(text, expected);
    let json = survey_of_json();
    let text = report::text(&json, "x", false, 20);
    let mark = text.lines().last().unwrap();
    let shown = text.lines().rev().nth(1).unwrap();
    assert_eq!(shown.get(mark.len() - 1..mark.len() + 1), Some("5}"), "{text}");
}

fn survey_of_json() -> Survey {
    survey(r#"{"resourceLogs":[{},{"schemaUrl":5}]}"#)
}

#[test]
fn a_request_that_is_cut_off_is_shown_to_its_end() {
    let body = sample(Signal::ALL[0], 1).to_bytes();
    let survey = survey(&body[..body.len() - 3]);
    let text = report::text(&survey, "x", false, 20);
    assert!(
        survey.broken == 1 && text.contains("request 1 (at byte 0): invalid protobuf of traces: "),
        "{text}"
    );
}

/// Bytes that are changed, taken out and doubled: no fault is without an answer, and reading ends.
#[test]
fn any_bytes_are_inspected() {
    let bodies = Signal::ALL.map(|signal| sample(signal, 3));
    let text = bodies.each_ref().map(|body| json::to_string(body).unwrap()).join("\n");
    let prefixed =
        bodies.each_ref().map(|body| [&(body.len() as u32).to_be_bytes()[..], &body.to_bytes()].concat());
    let files =
        bodies.iter().map(|body| body.to_bytes().to_vec()).chain([text.into_bytes(), prefixed.concat()]);
    let mut random = fastrand::Rng::with_seed(5);
    for file in files {
        for _ in 0..200 {
            let mut changed = file.clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..changed.len());
                match random.u8(..3) {
                    0 => changed[at] = random.u8(..),
                    1 => drop(changed.drain(at..changed.len().min(at + random.usize(..40)))),
                    _ => changed.extend_from_within(at..),
                }
                changed.push(random.u8(..));
            }
            let survey = survey(changed);
            assert!(survey.requests > 0 && survey.broken <= survey.requests);
            assert_eq!(survey.broken, survey.problems.len() as u64);
            for problem in &survey.problems {
                assert!(
                    !problem.text.is_empty() && problem.excerpt.as_ref().is_none_or(|text| text.len() < 500)
                );
            }
            let text = report::text(&survey, "x", true, 5);
            assert!(text.starts_with("x: ") && text.lines().count() < 500);
            assert!(serde_json::from_str::<serde_json::Value>(&report::json(&survey, "x")).is_ok());
        }
    }
}
