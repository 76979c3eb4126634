//! `otlp send`, `otlp convert`, `otlp inspect`, as a user runs them.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, run, told};
use otlp_protocol::Signal;
use std::io::{BufRead as _, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A gateway that accepts all signals and discards them.
fn gateway() -> Otlp {
    let pipelines =
        Signal::ALL.map(|signal| format!("{}: {{receivers: [otlp], exporters: [nop]}}", signal.name));
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}, http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{nop: }}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, pipelines: {{{}}}}}\n",
        pipelines.join(", ")
    ));
    Otlp::start(command(&["--config", &config]), &["otlp/grpc", "otlp/http", "metrics"])
}

fn accepted(gateway: &Otlp) -> [u64; 4] {
    let metrics = gateway.metrics();
    Signal::ALL.map(|signal| metrics.sum(&format!("otelcol_receiver_accepted_{}", signal.items_noun), ""))
}

fn with_stdin(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("start otlp");
    child.stdin.take().expect("stdin").write_all(input).expect("write");
    child.wait_with_output().expect("wait for otlp")
}

#[test]
fn generated_telemetry_arrives_as_the_summary_counts() {
    let gateway = gateway();
    let [grpc, http] = ["otlp/grpc", "otlp/http"].map(|name| format!("http://{}", gateway.address(name)));
    let ways: [&[&str]; 5] = [
        &["--to", &grpc],
        &["--to", &grpc, "--compression", "zstd", "--connections", "3"],
        &["--to", &http, "--protocol", "http/protobuf"],
        &["--to", &http, "--protocol", "http/json", "--compression", "gzip"],
        &["--to", grpc.trim_start_matches("http://"), "--concurrency", "1"],
    ];
    for (index, way) in ways.iter().enumerate() {
        let args = ["send", "--generate", "all", "--count", "8", "--batch-items", "30", "--seed", "3"];
        let (code, stdout, stderr) = told(&run(&[&args[..], way].concat()));
        assert_eq!((code, stderr.as_str()), (0, ""), "{way:?}: {stdout}");
        assert!(stdout.starts_with("8 requests to "), "{stdout}");
        for signal in Signal::ALL {
            let line =
                stdout.lines().find(|line| line.contains(signal.items_noun)).expect("a line of the signal");
            let words: Vec<_> = line.split_whitespace().collect();
            assert_eq!(words, [signal.items_noun, "60", "sent", "60", "accepted"], "{stdout}");
        }
        assert!(stdout.contains("\nlatency: p50 "), "{stdout}");
        assert_eq!(accepted(&gateway), [60 * (index as u64 + 1); 4]);
    }
}

#[test]
fn files_in_all_formats_and_stdin_are_sent() {
    let gateway = gateway();
    let to = format!("http://{}", gateway.address("otlp/grpc"));
    let span = r#"{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","name":"GET /"}"#;
    let line = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span},{span}]}}]}}]}}"#);
    let log = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}"#;
    let lines = file(&format!("{line}\n{log}\n{line}\n"));
    let packed = format!("{lines}.pb.gz");
    assert_eq!(told(&run(&["convert", &lines, &packed])), (0, String::new(), String::new()));
    let (code, stdout, _) = told(&run(&["send", &lines, &packed, "--to", &to]));
    assert!(code == 0 && stdout.starts_with("6 requests to "), "{stdout}");
    assert_eq!(accepted(&gateway), [8, 0, 2, 0]);
    // Read again from the start until there were enough, and split.
    let (code, stdout, _) = told(&run(&["send", &packed, "--to", &to, "--count", "7", "--batch-items", "1"]));
    assert!(code == 0 && stdout.starts_with("7 requests to "), "{stdout}");
    assert_eq!(accepted(&gateway), [14, 0, 3, 0]);
    let output = with_stdin(command(&["send", "-", "--to", &to, "--count", "5"]), log.as_bytes());
    let (code, stdout, _) = told(&output);
    assert!(code == 0 && stdout.starts_with("1 request to "), "{stdout}");
    // What cannot be read is said; the rest is sent.
    let broken = file(&format!("{log}\nnonsense\n{log}\n"));
    let (code, stdout, stderr) = told(&run(&["send", &broken, "/nonexistent", "--to", &to]));
    assert_eq!(code, 1, "{stdout}");
    assert!(
        stdout.starts_with("2 requests to ") && stdout.contains("2 requests of the files could not be read")
    );
    for part in
        [&format!("otlp: {broken}: request 2: expected a JSON object"), "otlp: /nonexistent: cannot open"]
    {
        assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
    }
    assert_eq!(accepted(&gateway), [14, 0, 6, 0]);
}

#[test]
fn refusals_have_their_reasons_and_exit_codes() {
    let (code, stdout, stderr) =
        told(&run(&["send", "--generate", "logs", "--to", "http://127.0.0.1:1", "--timeout", "5s"]));
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("\nfailures:\n  1 × unavailable: "), "{stdout}");
    assert_eq!(stderr, "otlp: not everything was accepted: 1 request failed\n");
    for args in [
        &["send"][..],
        &["send", "--generate", "spans"],
        &["send", "x", "--generate", "logs"],
        &["send", "x", "--rate", "0"],
        &["send", "x", "--rate", "-1"],
        &["send", "x", "--to", ""],
        &["convert", "x", "x.unknown"],
        &["send", "x", "--seed", "1"],
        &["tap", "--admin", "x", "--where", "a=1", "--where", "a=2"],
        &["convert"],
        &["inspect"],
    ] {
        assert_eq!(told(&run(args)).0, 2, "{args:?}");
    }
    let (code, _, stderr) = told(&run(&["send", "--generate", "logs", "--to", "ftp://x:1"]));
    assert!(code == 2 && stderr.contains("endpoint"), "{stderr}");
    for name in ["send", "convert", "inspect"] {
        let (code, stdout, _) = told(&run(&[name, "--help"]));
        assert!(code == 0 && stdout.contains("Examples:") && stdout.contains("Exit codes:"), "{stdout}");
    }
}

#[test]
fn an_interrupt_ends_with_the_summary() {
    let gateway = gateway();
    let to = format!("http://{}", gateway.address("otlp/grpc"));
    let mut send = command(&["send", "--generate", "traces", "--rate", "100", "--to", &to]);
    let child: Child = send.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start otlp");
    for _ in 0..1_000 {
        if accepted(&gateway)[0] > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let (code, stdout, stderr) = told(&child.wait_with_output().expect("wait for otlp"));
    assert_eq!(code, 0, "{stderr}");
    let items = accepted(&gateway)[0];
    assert!(items > 0 && items.is_multiple_of(100), "{items}");
    let line = stdout.lines().find(|line| line.contains("spans")).expect("a line of spans").replace(',', "");
    assert!(line.contains(&format!(" {items} accepted")), "{items} items:\n{stdout}");
}

/// A second signal does not wait for answers: requests without an answer are no success.
#[test]
fn a_second_interrupt_counts_what_has_no_answer() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
    let to = format!("http://{}/", silent.local_addr().expect("an address"));
    let mut send =
        command(&["send", "--generate", "logs", "--timeout", "0s", "--protocol", "http/json", "--to", &to]);
    let mut child = send.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start otlp");
    let (connection, _) = silent.accept().expect("a connection");
    let interrupt = |child: &Child| {
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    };
    interrupt(&child);
    let mut note = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().expect("stderr"));
    stderr.read_line(&mut note).expect("a line");
    assert_eq!(note, "otlp: waits for the answers to 1 request; a second signal ends at once\n");
    interrupt(&child);
    let (code, stdout, _) = told(&child.wait_with_output().expect("wait for otlp"));
    assert_eq!(code, 3, "{stdout}");
    assert!(stdout.contains("\n1 request without an answer, 100 items\n"), "{stdout}");
    drop(connection);
}

#[test]
fn a_conversion_that_a_signal_ends_leaves_nothing_behind() {
    let directory =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("convert-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("make a directory");
    let files = || {
        let entries = std::fs::read_dir(&directory).expect("list").flatten();
        entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect::<Vec<_>>()
    };
    let out = directory.join("out.jsonl");
    let out = out.to_str().expect("UTF-8");
    std::fs::write(out, "kept").expect("write");
    for (signal, expected) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let mut convert = command(&["convert", "-", out]);
        convert.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = convert.spawn().expect("start otlp");
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(&[br#"{"resourceLogs":[]}"#.as_slice(); 8].concat()).expect("write");
        for _ in 0..1_000 {
            if files().len() > 1 {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(files().len(), 2, "a file that is not complete");
        let killed = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(killed.expect("kill").success());
        let (code, _, stderr) = told(&child.wait_with_output().expect("wait for otlp"));
        assert_eq!((code, stderr), (expected, format!("otlp: SIG{signal}: {out} is not written\n")));
        assert_eq!((files(), std::fs::read(out).expect("read")), (vec!["out.jsonl".into()], b"kept".into()));
        drop(stdin);
    }
    std::fs::remove_dir_all(directory).expect("remove");
}

/// Output whose reader goes away early ends the command without a word, as of other programs.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut schema = command(&["config", "schema"]);
    let mut child = schema.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start otlp");
    drop(child.stdout.take());
    assert_eq!(told(&child.wait_with_output().expect("wait for otlp")), (141, String::new(), String::new()));
}

#[test]
fn a_file_is_inspected() {
    let log = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}"#;
    let (code, stdout, stderr) = told(&run(&["inspect", &file(log), "--sizes"]));
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains(": JSON, 1 request\nlogs: 1 request, 1 log_record, "), "{stdout}");
    let (code, stdout, stderr) = told(&with_stdin(command(&["inspect", "-"]), b"\x0a\x03\x0a\x05\x00"));
    assert_eq!(code, 1);
    assert!(stdout.contains("problems\n  request 1 (at byte 0): invalid protobuf of "), "{stdout}");
    assert_eq!(stderr, "otlp: stdin: broken requests: 1 of 1\n");
    let (_, stdout, _) = told(&run(&["inspect", &file(log), "--json"]));
    let report: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(report["signals"]["logs"]["items"], 1);
}
