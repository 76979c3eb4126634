use super::*;

#[test]
fn requests_come_as_they_were_written() {
    let request = Request {
        version: VERSION,
        command: "tap".into(),
        edge: Some("traces/\"batch\"".into()),
        signals: vec!["traces".into(), "logs".into()],
        r#where: [("service.name".into(), "ca\\rt \u{1f6d2}\n".into()), ("n".into(), "7".into())].into(),
        format: Some("json".into()),
        color: true,
        rate: Some(7),
        count: Some(3),
        mask: Some(false),
    };
    assert_eq!(Request::read(request.line().trim_end()), Ok(request));
    let short = r#"{"version": 1, "command": "tap", "where": {"n": 7}}"#;
    let read = Request::read(short).unwrap();
    assert_eq!((read.mask, &read.r#where["n"]), (None, &"7".to_owned()));
}

#[test]
fn wrong_requests_are_explained() {
    for (line, part) in [
        ("", "version 1"),
        (r#"{"version":2,"command":"tap"}"#, "version 1"),
        (r#"{"version":1,"comand":"tap"}"#, "comand"),
        (r#"{"version":1"#, "invalid YAML"),
        (r#"{"version":1,"rate":"x"}"#, "rate"),
    ] {
        let error = Request::read(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
    let unknown = |request: Request| request.subscription(&[]).unwrap_err();
    assert!(unknown(Request { edge: Some("a".into()), ..Request::default() }).contains("no edge a"));
    assert!(
        unknown(Request { signals: vec!["spans".into()], ..Request::default() }).contains("no signal spans")
    );
    let format = Request { format: Some("xml".into()), ..Request::default() };
    assert!(format.debug_format().unwrap_err().contains("no format xml"));
}

#[test]
fn answers_come_as_they_were_written() {
    let text = "GET /  \"quoted\" \\ \u{1f6d2}\u{1b}[0m\ttab\u{85}\n";
    let line = Answer::Text { edge: "a\"b", text }.line();
    assert_eq!(line.matches('\n').count(), 1);
    assert_eq!(Received::read(line.trim_end()).unwrap().text.as_deref(), Some(text));
    assert_eq!(request_of(&line), None);
    let lost = Answer::Lost { lost: Lost { batches: 1, items: 2 }, skipped_items: 3 }.line();
    let expected = ReceivedLost { batches: 1, items: 2, skipped_items: 3 };
    assert_eq!(Received::read(lost.trim_end()).unwrap().lost, Some(expected));
    assert_eq!(Received::read(Answer::End("x").line().trim_end()).unwrap().end.as_deref(), Some("x"));
    assert_eq!(Received::read(Answer::Error("y").line().trim_end()).unwrap().error.as_deref(), Some("y"));
    for edge in ["traces", "\",\"request\":{}", "\\"] {
        let line = Answer::Request { edge, request: "{\"a\":1}" }.line();
        assert_eq!(request_of(&line), Some("{\"a\":1}"), "{edge}");
    }
}
