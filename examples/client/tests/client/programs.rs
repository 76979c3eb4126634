//! The programs of this package, each run against `otlp` without a configuration: what they send is what `otlp` shows.
//!
//! `otlp` is the program that the build of the workspace made. If there is none, a sink receives in its place.

use otlp_protocol::json;
use otlp_transport::testing::Sink;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, thread};

#[tokio::test(flavor = "multi_thread")]
async fn spans() {
    let shown = ["import prices", "POST /orders", "SELECT product", "cache miss", "reserve", "quantity"];
    check(env!("CARGO_BIN_EXE_spans"), "{\"sent\": 4}\n", &shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs() {
    let shown = ["shop opens", "shelf is empty", "last.sold", "shop.closed"];
    check(env!("CARGO_BIN_EXE_logs"), "{\"sent\": 3}\n", &shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics() {
    let shown =
        ["http.server.requests", "active_requests", "temperature", "request.duration", "queue.length"];
    check(env!("CARGO_BIN_EXE_metrics"), "{\"sent\": 6}\n", &shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tracing_layer() {
    let shown = ["GET /cart", "cart is read", "no quantity", "0af7651916cd43dd8448eb211c80319c"];
    check(env!("CARGO_BIN_EXE_tracing_layer"), "{\"sent\": 1}\n", &shown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tracing_subscriber() {
    let shown = ["shop opens", "no box left", "order", "pack", "9.5"];
    check(env!("CARGO_BIN_EXE_tracing_subscriber"), "{\"sent\": 2} {\"sent\": 2} true\n", &shown).await;
}

/// Runs a program; it ends its output with `printed`, and each text of `shown` is in the telemetry that arrives.
async fn check(program: &str, printed: &str, shown: &[&str]) {
    if let Some(otlp) = gateway() {
        let (mut gateway, lines, endpoint) = start(&otlp);
        let output = run(program, &endpoint);
        let all = wait_for(&lines, shown);
        gateway.kill().unwrap();
        gateway.wait().unwrap();
        assert!(output.ends_with(printed), "{output}");
        assert_eq!(all, Vec::<String>::new(), "not shown");
        return;
    }
    let sink = Sink::start().await.unwrap();
    let endpoint = sink.endpoint();
    let path = program.to_owned();
    let output = tokio::task::spawn_blocking(move || run(&path, &endpoint)).await.unwrap();
    assert!(output.ends_with(printed), "{output}");
    let received: String =
        sink.received().iter().map(|batch| json::to_string(batch.body()).unwrap()).collect();
    for text in shown {
        assert!(received.contains(text), "{text} in {received}");
    }
}

fn run(program: &str, endpoint: &str) -> String {
    let output = Command::new(program)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The program `otlp` in the workspace's target folder.
fn gateway() -> Option<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    let path = target.join("debug/otlp");
    path.exists().then_some(path)
}

/// Starts `otlp` on free ports: its output, and the endpoint for gRPC.
fn start(otlp: &Path) -> (Child, Receiver<String>, String) {
    let mut gateway = Command::new(otlp)
        .args(["-v", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(gateway.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = log.find(|line| line.contains("otlp/grpc listens on ")).expect("otlp listens");
    let address = line.rsplit(' ').next().unwrap();
    let endpoint = format!("http://{address}");
    // The pipes are read to their ends: `otlp` never waits for a reader.
    thread::spawn(move || log.for_each(drop));
    let (sender, lines) = channel();
    let output = BufReader::new(gateway.stdout.take().unwrap());
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    (gateway, lines, endpoint)
}

/// Waits until each text was in a line; returns those that were not.
fn wait_for(lines: &Receiver<String>, texts: &[&str]) -> Vec<String> {
    let mut missing: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    while !missing.is_empty() {
        let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) else { break };
        missing.retain(|text| !line.contains(text.as_str()));
    }
    missing
}
