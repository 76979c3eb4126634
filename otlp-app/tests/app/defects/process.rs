//! Signals, pipes that nobody reads: the process goes on or ends in order, and loses nothing.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

use super::backend::{Backend, Reply};
use super::setup::{Setup, TRACES, send, soon, spans, to};
use crate::process::{FORWARDING, Otlp, command, file, http, one_span};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A batch that stays open until the drain.
const OPEN: Option<&str> = Some("timeout: 1h");

#[test]
fn signals_that_end_the_process_deliver_open_batches() {
    for signal in ["QUIT", "TERM", "INT", "XCPU", "PWR"] {
        let backend = Backend::accepting();
        let mut otlp = Setup { batch: OPEN, exporter: &to(backend.address), ..Setup::default() }.start();
        assert_eq!(send(&otlp, TRACES, &spans(["open"])), 200);
        assert!(!backend.has("open"), "the batch is not open");
        otlp.signal(signal);
        otlp.line("drained");
        assert_eq!(otlp.exit_code(), 0, "{signal}");
        assert!(backend.has("open"), "{signal} lost an open batch");
    }
}

#[test]
fn other_signals_change_nothing() {
    let backend = Backend::accepting();
    let mut otlp = Setup { batch: OPEN, exporter: &to(backend.address), ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["open"])), 200);
    for signal in ["USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "XFSZ", "PIPE", "RTMIN+5"] {
        otlp.signal(signal);
        otlp.line("is ignored");
    }
    assert_eq!(send(&otlp, TRACES, &spans(["after"])), 200);
    otlp.signal("TERM");
    otlp.line("drained");
    assert_eq!(otlp.exit_code(), 0);
    assert!(backend.has("open") && backend.has("after"));
}

#[test]
fn a_hangup_does_not_shorten_a_drain() {
    let backend = Backend::start(|_| Reply::CloseAfter(Duration::from_millis(300)));
    let mut otlp = Setup { batch: OPEN, exporter: &to(backend.address), ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["open"])), 200);
    otlp.signal("TERM");
    otlp.line("draining");
    otlp.signal("HUP");
    otlp.line("draining already");
    otlp.signal("INT");
    assert_eq!(otlp.exit_code(), 130);
}

#[test]
fn under_nohup_a_hangup_changes_nothing() {
    let backend = Backend::accepting();
    let config = Setup { batch: OPEN, exporter: &to(backend.address), ..Setup::default() }.config();
    let otlp = command(&["--config", &config]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP && exec \"$0\" \"$@\""]).arg(otlp.get_program()).args(otlp.get_args());
    let mut otlp = Otlp::start(shell, FORWARDING);
    otlp.signal("HUP");
    otlp.signal("USR1");
    otlp.line("SIGUSR1 is ignored");
    assert_eq!(send(&otlp, TRACES, &spans(["after"])), 200);
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
    assert!(backend.has("after"));
}

/// A gateway whose stdout and stderr nobody reads once it listens. Killed on drop.
struct Unread {
    child: Child,
    address: SocketAddr,
    outputs: Option<(ChildStdout, BufReader<ChildStderr>)>,
}

impl Unread {
    fn start(args: &[&str]) -> Self {
        let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("otlp/http listens on ") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended");
        }
        let address = line.rsplit(' ').next().unwrap().trim().parse().unwrap();
        Self { child, address, outputs: Some((stdout, stderr)) }
    }
}

impl Unread {
    /// Sends SIGTERM; the exit code.
    fn ended(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(soon(|| self.child.try_wait().unwrap().is_some()), "SIGTERM does not end it");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn pipes_that_nobody_reads_stop_nothing() {
    let debug = Setup { exporter_id: "debug", exporter: "verbosity: detailed", ..Setup::default() }.config();
    let local = ["-v", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    for args in [&["--config", &debug][..], &local] {
        let otlp = Unread::start(args);
        // A pipe holds 64 KiB.
        let many = spans(["x"].repeat(20)).repeat(20);
        for number in 0..1200 {
            let (status, _) = http(otlp.address, "POST", "/v1/traces", &many);
            assert_eq!(status, 200, "request {number}");
        }
        assert_eq!(otlp.ended(), Some(0), "{args:?}");
    }
}

#[test]
fn closed_pipes_stop_nothing() {
    let debug = Setup { exporter_id: "debug", ..Setup::default() }.config();
    let local = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    for args in [&["--config", &debug][..], &local] {
        let mut otlp = Unread::start(args);
        drop(otlp.outputs.take());
        for _ in 0..20 {
            assert_eq!(http(otlp.address, "POST", "/v1/traces", &one_span()).0, 200);
        }
        assert_eq!(otlp.ended(), Some(0), "{args:?}");
    }
}

// Defect 22: a certificate that is watched becomes a pipe without a writer.
#[test]
fn a_watched_file_that_becomes_a_pipe_keeps_no_process_alive() {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (file(&issued.cert.pem()), file(&issued.signing_key.serialize_pem()));
    let receiver = format!("tls: {{cert_file: {certificate}, key_file: {key}, reload_interval: 50ms}},");
    let backend = Backend::accepting();
    let otlp = Setup { receiver: &receiver, exporter: &to(backend.address), ..Setup::default() }.start();
    let pipe = format!("{certificate}.pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::rename(&pipe, &certificate).unwrap();
    // A few of its intervals.
    std::thread::sleep(Duration::from_millis(300));
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
}
