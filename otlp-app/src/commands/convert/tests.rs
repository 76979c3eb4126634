use super::*;
use crate::commands::send::sample;
use otlp_protocol::json;
use std::os::unix::fs::PermissionsExt as _;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("otlp-convert-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn convert(input: &Path, output: &Path, to: Option<Target>) -> Result<Vec<u8>, String> {
    let args = ConvertArgs { input: input.to_owned(), output: output.to_owned(), to, signal: None };
    run(&args).map_err(|failure| failure.to_string())?;
    Ok(std::fs::read(output).unwrap())
}

/// Through all formats and back: the same bytes.
#[test]
fn requests_of_all_signals_come_back_unchanged() {
    let bodies = Signal::ALL.map(|signal| sample(signal, 20));
    let lines: Vec<String> = bodies.iter().map(|body| json::to_string(body).unwrap()).collect();
    let start = file("all.jsonl", (lines.join("\n") + "\n").as_bytes());
    let names = ["all.json", "all.pb", "all.pb.gz", "all.json.zst", "all.jsonl.zst", "again.pb", "end.jsonl"];
    let mut from = start.clone();
    let mut made = vec![start.clone()];
    for name in names {
        let to = std::env::temp_dir().join(format!("otlp-convert-{}-{name}", std::process::id()));
        convert(&from, &to, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        made.push(to.clone());
        from = to;
    }
    assert_eq!(std::fs::read(&from).unwrap(), std::fs::read(&start).unwrap());
    made.iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

#[test]
fn one_request_in_protobuf_has_no_length_before_it() {
    let body = sample(Signal::ALL[0], 3);
    let path = file("one.json", json::to_string(&body).unwrap().as_bytes());
    assert_eq!(convert(&path, &file("one.out", b""), Some(Target::Protobuf)), Ok(body.to_bytes().to_vec()));
}

#[test]
fn empty_requests_are_left_out_of_protobuf_as_its_readers_skip_them() {
    let bodies = [sample(Signal::ALL[0], 3), sample(Signal::ALL[2], 2)];
    let [spans, logs] = bodies.each_ref().map(|body| json::to_string(body).unwrap());
    let empty = r#"{"resourceLogs":[]}"#;
    let all = file("empty.jsonl", [empty, &spans, empty, &logs, empty].join("\n").as_bytes());
    let protobuf = file("empty.pb", b"");
    convert(&all, &protobuf, None).unwrap();
    let back = convert(&protobuf, &file("empty-back.jsonl", b""), None).unwrap();
    assert_eq!(String::from_utf8(back).unwrap(), format!("{spans}\n{logs}\n"));
    // One request that is left has no length before it.
    let one = file("empty-one.jsonl", [empty, &spans].join("\n").as_bytes());
    assert_eq!(convert(&one, &protobuf, None).unwrap(), bodies[0].to_bytes());
}

#[test]
fn broken_requests_are_left_out_and_a_file_that_fails_is_not_written() {
    let line = json::to_string(&sample(Signal::ALL[2], 1)).unwrap();
    let path = file("broken.jsonl", format!("{line}\n{{\"resourceLogs\": 1}}\n{line}\n").as_bytes());
    let output = file("rest.jsonl", b"");
    let error = convert(&path, &output, None).unwrap_err();
    assert!(error.contains("1 of 3 requests could not be read"), "{error}");
    assert_eq!(std::fs::read(&output).unwrap(), format!("{line}\n{line}\n").as_bytes());
    let error = convert(&path, Path::new("/nonexistent/a.json"), None).unwrap_err();
    assert!(error.contains("/nonexistent/a.json: "), "{error}");
    let error = convert(&path, &file("unknown.name", b""), None).unwrap_err();
    assert!(error.contains("--to"), "{error}");
}

#[test]
fn what_exists_is_replaced_only_by_something_converted() {
    let broken = file("broken.pb", b"\x0a\x03\x0a\x05\x00");
    let output = file("kept.json", b"kept");
    convert(&broken, &output, None).unwrap_err();
    assert_eq!(std::fs::read(&output).unwrap(), b"kept");
    // Devices are written, not replaced; links and permissions stay.
    let one = file("one-line.json", json::to_string(&sample(Signal::ALL[2], 1)).unwrap().as_bytes());
    let error = convert(&one, Path::new("/dev/full"), Some(Target::Jsonl)).unwrap_err();
    assert!(error.contains("No space left"), "{error}");
    let link = std::env::temp_dir().join(format!("otlp-convert-{}-link.json", std::process::id()));
    std::os::unix::fs::symlink(&output, &link).unwrap();
    std::fs::set_permissions(&output, std::fs::Permissions::from_mode(0o600)).unwrap();
    let written = convert(&one, &link, Some(Target::Jsonl)).unwrap();
    assert_eq!(std::fs::read(&output).unwrap(), written);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&output).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(link).unwrap();
}

#[test]
fn indented_json_is_for_people() {
    let text = br#"{"a":[],"b":[{"c":"x\"{,:}\\"},2],"d":{}}"#;
    let expected = "{\n  \"a\": [],\n  \"b\": [\n    {\n      \"c\": \"x\\\"{,:}\\\\\"\n    },\n    2\n  ],\n  \"d\": {}\n}";
    assert_eq!(String::from_utf8(indent::indented(text)).unwrap(), expected);
}
