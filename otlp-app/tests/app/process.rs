//! The real binary as a child process: started on port 0, told apart by what it says on stderr.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use otlp_protocol::Signal;
use std::collections::HashMap;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// A running `otlp`; killed on drop.
pub(crate) struct Otlp {
    child: Child,
    lines: Receiver<String>,
    addresses: HashMap<String, String>,
}

/// A page of metrics.
pub(crate) struct Metrics(String);

/// A path for a Unix socket, which is removed on drop. Paths of Unix sockets are short.
pub(crate) struct Socket(pub(crate) String);

/// `otlp` with `args`, without any variable of OpenTelemetry.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otlp"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// The same, giving memory back as soon as it is free. By itself mimalloc keeps it for another second, so that what is
/// resident would tell of the allocator more than of what is held.
pub(crate) fn frugal(args: &[&str]) -> Command {
    let mut command = command(args);
    command.env("MIMALLOC_PURGE_DELAY", "0");
    command
}

/// The same under a limit of `ulimit`.
pub(crate) fn limited(limit: &str, args: &[&str]) -> Command {
    let otlp = command(args);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
    shell.arg(otlp.get_program()).args(otlp.get_args()).stdin(Stdio::null());
    for (name, value) in otlp.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// Runs `otlp` to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    command(args).output().expect("run otlp")
}

/// Exit code, stdout and stderr.
pub(crate) fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A configuration file of this test.
pub(crate) fn file(text: &str) -> String {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}.yaml", std::process::id()));
    std::fs::write(&path, text).expect("write a configuration");
    path.to_str().expect("a UTF-8 path").to_owned()
}

/// A configuration that takes all signals, joins them, and forwards them over gRPC; `exporter` has more of its settings.
pub(crate) fn forwarding(limit_mib: u64, sink: impl Display, exporter: &str) -> String {
    let pipelines = Signal::ALL.map(|signal| {
        let rest = "{receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}";
        format!("{}: {rest}", signal.name)
    });
    let port = "endpoint: 127.0.0.1:0, invalid_utf8: refuse";
    file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{{port}}}, http: {{{port}}}}}}}}}\n\
         processors: {{batch: , memory_limiter: {{check_interval: 1s, limit_mib: {limit_mib}}}}}\n\
         exporters: {{otlp: {{endpoint: 'http://{sink}', timeout: 60s, {exporter} \
         retry_on_failure: {{initial_interval: 50ms, max_interval: 200ms}}}}}}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, pipelines: {{{}}}}}\n",
        pipelines.join(", ")
    ))
}

/// Where that listens.
pub(crate) const FORWARDING: &[&str] = &["otlp/grpc", "otlp/http", "metrics"];

// === impl Socket ===

impl Socket {
    pub(crate) fn new() -> Self {
        static SOCKETS: AtomicU32 = AtomicU32::new(0);
        let number = SOCKETS.fetch_add(1, Ordering::Relaxed);
        Self(format!("/tmp/otlp-admin-{}-{number}.sock", std::process::id()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

// === impl Otlp ===

impl Otlp {
    /// Starts it and waits until all of `endpoints` listen.
    pub(crate) fn start(mut command: Command, endpoints: &[&str]) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start otlp");
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("stdout")), Box::new(child.stderr.take().expect("stderr"))];
        for output in outputs {
            let sender = sender.clone();
            thread::spawn(move || {
                BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
            });
        }
        // The lines end with the process: a test that fails shows them up to their end.
        drop(sender);
        let mut otlp = Self { child, lines, addresses: HashMap::new() };
        while !endpoints.iter().all(|name| otlp.addresses.contains_key(*name)) {
            let line = otlp.line(" listens on ");
            let (before, address) = line.rsplit_once(" listens on ").expect("the line was looked for");
            let name = before.rsplit(' ').next().unwrap_or_default().to_owned();
            // Fields may follow.
            let address = address.split_whitespace().next().unwrap_or_default();
            otlp.addresses.insert(name, address.to_owned());
        }
        otlp
    }

    /// The next line on stdout or stderr that contains `part`.
    pub(crate) fn line(&mut self, part: &str) -> String {
        let mut before = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => before = before + &line + "\n",
                Err(_) => panic!("no line with {part:?}, only:\n{before}"),
            }
        }
    }

    /// Where an endpoint listens.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.addresses[name].parse().expect("an address of TCP")
    }

    /// Sends a signal (`TERM`, `INT`).
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill").success());
    }

    /// The most memory that was ever resident, in bytes, without the pages of the binary, whose number follows its size.
    pub(crate) fn peak_rss_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.trim_end_matches("kB").trim().parse::<u64>().expect("a number")
        };
        (kib("VmHWM:") - kib("RssFile:")) << 10
    }

    /// Its own metrics.
    pub(crate) fn metrics(&self) -> Metrics {
        let (status, page) = http(self.address("metrics"), "GET", "/metrics", &[]);
        assert_eq!(status, 200, "{page}");
        Metrics(page)
    }

    /// Waits until it holds nothing any more, and checks the ledger; what was sent, over all of its lines.
    pub(crate) fn settled(&self) -> u64 {
        let mut metrics = self.metrics();
        for _ in 0..PATIENCE.as_millis() / 20 {
            let moving: u64 = ["queued", "in_flight"].iter().map(|state| metrics.ledger(state)).sum();
            if moving + metrics.sum("otlp_memory_budget_used", "") == 0 {
                let whole: u64 =
                    ["sent", "rejected", "dropped"].iter().map(|state| metrics.ledger(state)).sum();
                assert_eq!(metrics.ledger("accepted"), whole, "the ledger:\n{}", metrics.0);
                return metrics.ledger("sent");
            }
            thread::sleep(Duration::from_millis(20));
            metrics = self.metrics();
        }
        panic!("it does not come to rest:\n{}", metrics.0);
    }

    /// Items that the ledger has as dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.metrics().ledger("dropped")
    }

    /// Its exit code, once it ends by itself.
    pub(crate) fn exit_code(mut self) -> i32 {
        for _ in 0..PATIENCE.as_millis() / 10 {
            if let Some(status) = self.child.try_wait().expect("wait for otlp") {
                return status.code().unwrap_or(-1);
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("otlp does not end");
    }
}

// === impl Metrics ===

impl Metrics {
    /// The values of a metric with that label, added up.
    pub(crate) fn sum(&self, name: &str, label: &str) -> u64 {
        let values = self.0.lines().filter(|line| {
            let rest = line.strip_prefix(name).unwrap_or_default();
            rest.starts_with(['{', ' ']) && rest.contains(label)
        });
        values
            .map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<f64>().expect(line) as u64)
            .sum()
    }

    fn ledger(&self, state: &str) -> u64 {
        self.sum("otlp_ledger_items", &format!("state=\"{state}\""))
    }
}

impl Drop for Otlp {
    #[expect(clippy::print_stdout, reason = "the test captures stdout, and shows it if the test fails")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.lines.iter().for_each(|line| println!("otlp: {line}"));
        }
    }
}

/// Sends an HTTP/1.1 request written by hand; status and everything after the status line.
pub(crate) fn http(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    http_with(address, method, path, "", body)
}

/// The same with more headers: a line each, with its end. The body is protobuf unless they say otherwise.
pub(crate) fn http_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("set a timeout");
    let content_type =
        if headers.contains("content-type:") { "" } else { "content-type: application/x-protobuf\r\n" };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{content_type}{headers}\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("send the head");
    stream.write_all(body).expect("send the body");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read the answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (status, rest) = answer.split_once("\r\n").expect("a status line");
    (status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status"), rest.to_owned())
}

/// `ExportTraceServiceRequest` with one span, by hand: resource_spans / scope_spans / span{trace_id, span_id, name}.
pub(crate) fn one_span() -> Vec<u8> {
    let field = |number: u8, body: &[u8]| [&[number << 3 | 2, body.len() as u8], body].concat();
    let span = [field(1, &[7; 16]), field(2, &[9; 8]), field(5, b"GET /")].concat();
    field(1, &field(2, &field(2, &span)))
}

/// Far more than anything takes, also on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pipe of its own; nobody writes to it.
pub(crate) fn pipe(name: &str) -> String {
    let path = std::env::temp_dir().join(format!("otlp-cli-{name}-{}", std::process::id()));
    let path = path.to_str().expect("a UTF-8 path").to_owned();
    let _ = std::fs::remove_file(&path);
    let made = Command::new("mkfifo").arg(&path).status().expect("run mkfifo");
    assert!(made.success());
    path
}
