//! docs/log.md lists every line of the log from info on, so that whoever reads one finds what it means.

use crate::process::{Otlp, command, file};
use crate::tidy::{is_test, read, sources};
use std::io::Write;
use std::net::TcpStream;

const PAGE: &str = "docs/log.md";
const REASONS: &str = "otlp-transport/src/server/refusals/reason.rs";

#[test]
fn every_line_is_in_the_catalogue() {
    let page = read(PAGE);
    let mut missing = Vec::new();
    let mut lines = 0;
    for path in sources().into_iter().filter(|path| !is_test(path)) {
        for line in messages(&read(&path)) {
            lines += 1;
            if !page.contains(&format!("| `{line}` |")) {
                missing.push(format!("{path}: `{line}` has no row"));
            }
        }
    }
    assert!(lines > 20, "{lines} lines were found: the rule would hold for no reason");
    assert!(missing.is_empty(), "{PAGE}:\n{}", missing.join("\n"));
}

#[test]
fn every_reason_to_refuse_is_explained() {
    let (page, source) = (read(PAGE), read(REASONS));
    let names: Vec<&str> = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 10, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !page.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "{PAGE}: no row for {missing:?}");
}

#[test]
fn receivers_are_named_as_in_the_file() {
    let config = file(
        "receivers: {otlp/2: {protocols: {http: {endpoint: 127.0.0.1:0}}}}\n\
         exporters: {nop: }\n\
         service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp/2], exporters: [nop]}}}\n",
    );
    let mut otlp = Otlp::start(command(&["--config", &config]), &["otlp/2/http"]);
    let mut sender = TcpStream::connect(otlp.address("otlp/2/http")).unwrap();
    sender.write_all(b"POST /v1/log HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").unwrap();
    let line = otlp.line("requests are refused");
    let expected = format!(
        r#"receiver="otlp/2" transport="http" reason="not_served" count=1 peer={} example="/v1/log is not served""#,
        sender.local_addr().unwrap()
    );
    assert!(line.contains(" WARN ") && line.ends_with(&expected), "{line}");
}

#[test]
fn texts_of_lines_are_found() {
    let source = r#"
        tracing::info!("{name} listens on {address:?}");
        tracing::warn!(key = f("a, (b"), %error, "it \"failed\"; {}", x);
        tracing::debug!("not shown");
        tracing::error!(
            count,
            "over"
        );
    "#;
    assert_eq!(messages(source), ["… listens on …", r#"it \"failed\"; …"#, "over"]);
}

/// The texts of the lines that a source writes at info, warn or error, with `…` for what is filled in: the last text of
/// each macro.
fn messages(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for level in ["info", "warn", "error"] {
        for call in source.split(&format!("tracing::{level}!(")).skip(1) {
            found.extend(last_text(call).map(filled));
        }
    }
    found
}

/// The last literal before the parenthesis that closes the call.
fn last_text(call: &str) -> Option<&str> {
    let (mut depth, mut last, mut begun, mut escaped) = (1, None, None, false);
    for (at, char) in call.char_indices() {
        match (begun, char) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(from), '"') => {
                last = call.get(from..at);
                begun = None;
            }
            (None, '"') => begun = Some(at + 1),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    last
}

fn filled(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "…" + part.split_once('}').map_or("", |(_, rest)| rest))
}
