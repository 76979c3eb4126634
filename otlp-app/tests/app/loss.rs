//! Ways to lose telemetry that need the binary; the others are in `otlp-service/tests/service/loss.rs`. `docs/loss.md` lists all of
//! them.

use crate::process::{Otlp, command, file, run, told};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Pipelines that answer at different times.
const MODES: &str = "\
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
extensions: {file_storage: {directory: /tmp/otlp-loss, create_directory: true}}
exporters:
  otlp_grpc/memory: {endpoint: http://127.0.0.1:1}
  otlp_grpc/disk: {endpoint: http://127.0.0.1:1, sending_queue: {storage: file_storage}}
  otlp_grpc/direct: {endpoint: http://127.0.0.1:1, sending_queue: {enabled: false}}
service:
  extensions: [file_storage]
  pipelines:
    logs: {receivers: [otlp], exporters: [otlp_grpc/memory]}
    metrics: {receivers: [otlp], exporters: [otlp_grpc/disk]}
    traces: {receivers: [otlp], exporters: [otlp_grpc/direct]}
";

#[test]
fn window_01_validate_names_the_pipelines_that_a_crash_costs() {
    let (code, stdout, stderr) = told(&run(&["validate", "--delivery", "--config", &file(MODES)]));
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<_> = stdout.lines().filter(|line| line.contains(" answers ")).collect();
    assert_eq!(
        lines,
        [
            "logs answers once the data is queued in memory: a crash loses the queue",
            "metrics answers once the data is on disk: a crash loses nothing that was answered",
            "traces answers with the answers of its exporters: senders keep the data until then",
        ]
    );
}

#[test]
fn window_15_a_stop_does_not_wait_for_a_sender_that_never_ends() {
    let config = file(
        "receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}\nexporters: {nop: }\n\
         service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}\n",
    );
    let otlp = Otlp::start(command(&["--config", &config, "--drain-timeout", "1s"]), &["otlp/http"]);
    let mut sender = TcpStream::connect(otlp.address("otlp/http")).expect("it listens");
    let head = "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100\r\n\r\n";
    sender.write_all(head.as_bytes()).expect("it reads");
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Each window has a test, and each test a place in the page.
#[test]
fn the_page_names_a_test_for_each_of_the_fifteen_windows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect(path);
    let page = read("docs/loss.md");
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in ["otlp-service/tests/service/loss.rs", "otlp-app/tests/app/loss.rs"] {
        let text = read(path);
        let names = text.lines().filter_map(|line| line.split_once("fn window_")?.1.split_once("()"));
        for (name, _) in names.filter(|(name, _)| name.starts_with(|first: char| first.is_ascii_digit())) {
            tests.entry(name[..2].to_owned()).or_default().push(format!("window_{name}"));
        }
    }
    let numbers: Vec<_> = (1..=15).map(|number| format!("{number:02}")).collect();
    assert!(tests.keys().eq(&numbers), "{tests:?}");
    for name in tests.values().flatten() {
        assert!(page.contains(&format!("`{name}`")), "docs/loss.md does not name {name}");
    }
}
