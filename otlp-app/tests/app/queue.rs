//! `otlp queue` on the files of a gateway that could not deliver.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::defects::backend::{Backend, Reply};
use crate::defects::setup::{Setup, TRACES, send, send_with, soon, spans, to};
use crate::process::{Otlp, command, file, run, told};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A gateway with queues on disk, whose destination accepts nothing.
struct Stuck {
    root: PathBuf,
    config: String,
    otlp: Option<Otlp>,
}

/// Exit code, stdout and stderr.
type Told = (i32, String, String);

// === impl Stuck ===

impl Stuck {
    fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("queue-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let backend = Backend::start(|_| Reply::Answer(503, "", Vec::new()));
        let exporter = format!("{}, sending_queue: {{storage: file_storage}}", to(backend.address));
        let exporter = exporter.replace(", max_elapsed_time: 2s", "");
        let extensions =
            format!("file_storage: {{directory: '{}', create_directory: true, fsync: true}}", root.display());
        let receiver = "include_metadata: true,";
        let setup = Setup {
            exporter: &exporter,
            extensions: &extensions,
            extension_ids: "file_storage",
            receiver,
            ..Setup::default()
        };
        let config = setup.config();
        let otlp = Otlp::start(command(&["--config", &config]), crate::process::FORWARDING);
        Self { root, config, otlp: Some(otlp) }
    }

    /// One that has these spans, a request each, and is stopped.
    fn with(names: &[&str]) -> Self {
        let mut stuck = Self::start();
        stuck.send(names);
        stuck.stop();
        stuck
    }

    fn send(&self, names: &[&str]) {
        let otlp = self.otlp.as_ref().expect("it runs");
        for name in names {
            assert_eq!(send(otlp, TRACES, &spans([*name])), 200);
        }
    }

    fn stop(&mut self) {
        let otlp = self.otlp.take().expect("it runs");
        otlp.signal("TERM");
        assert_eq!(otlp.exit_code(), 0);
    }

    /// Runs a command below `otlp queue`, with `--directory`.
    fn queue(&self, command: &str, more: &[&str]) -> Told {
        let root = self.root.to_string_lossy();
        told(&run(&[&["queue", command, "--directory", &root], more].concat()))
    }

    fn directory(&self) -> PathBuf {
        self.root.join("otlp_http/traces")
    }

    /// The number of requests in the queue of traces.
    fn left(&self) -> u64 {
        let (code, stdout, stderr) = self.queue("ls", &["--json", "--queue", "otlp_http/traces"]);
        assert_eq!(code, 0, "{stderr}");
        let (_, rest) = stdout.split_once("\"requests\":").expect("a number of requests");
        rest.split(',').next().expect("a number").parse().expect("a number")
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        drop(self.otlp.take());
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The bytes of all files of a directory.
fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

#[test]
fn what_is_left_is_listed_while_the_gateway_runs_and_after() {
    let mut stuck = Stuck::start();
    stuck.send(&["one", "two"]);
    let otlp = stuck.otlp.as_ref().expect("it runs");
    let secret = "authorization: Bearer topsecret\r\n";
    assert_eq!(send_with(otlp, TRACES, secret, &spans(["three"])), 200);
    let (code, stdout, stderr) = stuck.queue("ls", &[]);
    assert_eq!(code, 0, "{stderr}");
    let row = stdout.lines().find(|line| line.contains("otlp_http/traces")).expect("a row");
    assert!(row.contains(" 3 ") && row.contains("running ("), "{stdout}");
    assert!(stdout.contains("otlp_http/logs"), "{stdout}");
    let (_, running, _) = stuck.queue("status", &[]);
    assert!(running.contains("(otlp) has the queue open"), "{running}");
    stuck.stop();

    let before = contents(&stuck.directory());
    let by_config =
        told(&run(&["queue", "status", "--config", &stuck.config, "--queue", "otlp_http/traces"]));
    assert_eq!(by_config.0, 0, "{}", by_config.2);
    for part in ["gateway    stopped", "3 requests, 3 items", "pipeline   traces: 3 items"] {
        assert!(by_config.1.contains(part), "{part} is not in {}", by_config.1);
    }
    assert!(!by_config.1.contains("topsecret"));
    let (code, stdout, _) = stuck.queue("verify", &[]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("otlp_http/traces: 1 file, 3 sound requests, 3 of them not delivered"),
        "{stdout}"
    );
    assert_eq!(contents(&stuck.directory()), before, "looking changes nothing");
}

#[test]
fn what_is_left_is_exported_inspected_and_sent() {
    let stuck = Stuck::with(&["one", "two"]);
    let before = contents(&stuck.directory());
    let path = stuck.path("traces.otlp");
    let (code, _, stderr) = stuck.queue("export", &["--queue", "otlp_http/traces", "-o", &path]);
    assert!(code == 0 && stderr.contains("2 requests of traces with 2 items"), "{stderr}");
    assert_eq!(contents(&stuck.directory()), before);
    let (code, stdout, stderr) = told(&run(&["inspect", "--json", &path]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.replace(": ", ":").contains(r#""requests":2"#), "{stdout}");
    let backend = Backend::accepting();
    let address = format!("http://{}", backend.address);
    assert_eq!(told(&run(&["send", "--to", &address, "--protocol", "http/protobuf", &path])).0, 0);
    assert_eq!(backend.accepted_items(), 2);
    // Several queues are below the directory.
    let (code, _, stderr) = stuck.queue("export", &["-o", &path]);
    assert!(code == 2 && stderr.contains("name one by --queue: otlp_http/"), "{stderr}");
}

#[test]
fn a_drain_takes_out_what_is_accepted_and_leaves_what_is_refused() {
    let stuck = Stuck::with(&["good-0", "poison", "good-1"]);
    let backend = Backend::start(|request| match request.has("poison") {
        true => Reply::Answer(400, "", Vec::new()),
        false => Reply::ok(),
    });
    let address = format!("http://{}", backend.address);
    let (code, stdout, stderr) = stuck.queue("drain", &["--to", &address, "--protocol", "http/protobuf"]);
    assert!(stdout.contains("otlp_http/traces: accepted: 2 requests with 2 items"), "{stdout}{stderr}");
    assert!(code == 1 && stderr.contains("refused, and left in the queue: 1 request: "), "{stderr}");
    assert_eq!((backend.accepted_items(), stuck.left()), (2, 1));
    assert!(backend.has_accepted("good-0") && backend.has_accepted("good-1"));

    let other = Backend::accepting();
    let address = format!("http://{}", other.address);
    let (code, _, stderr) = stuck.queue("drain", &["--to", &address, "--protocol", "http/protobuf"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(other.has_accepted("poison"));
    assert_eq!((other.accepted_items(), stuck.left()), (1, 0));
}

#[test]
fn a_drain_to_a_destination_that_is_down_leaves_everything() {
    let stuck = Stuck::with(&["one", "two"]);
    let (code, _, stderr) = stuck.queue("drain", &["--to", "http://127.0.0.1:1", "--retries", "0"]);
    assert!(code == 1 && stderr.contains("the rest is left in the queue"), "{stderr}");
    assert_eq!(stuck.left(), 2);
    let (code, _, stderr) = stuck.queue("drain", &[]);
    assert!(code == 2 && stderr.contains("--to ENDPOINT"), "{stderr}");
}

#[test]
fn requeued_files_are_delivered_after_the_next_start() {
    let stuck = Stuck::with(&["one"]);
    let path = stuck.path("letters.pb");
    fs::write(&path, spans(["requeued"])).expect("write a file");
    let (code, stdout, stderr) = stuck.queue("requeue", &["--queue", "otlp_http/traces", "--", &path]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("letters.pb: added to queue otlp_http/traces: 1 request with 1 item"),
        "{stdout}"
    );
    assert_eq!(stuck.left(), 2);
    fs::write(&path, b"\x0a\xff").expect("write a file");
    let (code, _, stderr) = stuck.queue("requeue", &["--queue", "otlp_http/traces", "--", &path]);
    assert!(code == 1 && stderr.contains("not added: 1 broken request"), "{stderr}");

    let backend = Backend::accepting();
    let text = fs::read_to_string(&stuck.config).expect("the configuration");
    let (before, rest) = text.split_once("endpoint: 'http://").expect("an endpoint");
    let (_, after) = rest.split_once('\'').expect("the end of the endpoint");
    let config = file(&format!("{before}endpoint: 'http://{}'{after}", backend.address));
    let otlp = Otlp::start(command(&["--config", &config]), crate::process::FORWARDING);
    assert!(soon(|| backend.accepted_items() == 2));
    assert!(backend.has_accepted("one") && backend.has_accepted("requeued"));
    assert_eq!(otlp.settled(), 2);
}

#[test]
fn a_full_queue_takes_no_more_files_and_tells_what_is_left() {
    let stuck = Stuck::with(&["one"]);
    let (first, second) = (stuck.path("a.otlp"), stuck.path("b.pb"));
    let frame = |name: &str| {
        let body = spans([name]);
        [&u32::try_from(body.len()).expect("a short request").to_be_bytes()[..], &body].concat()
    };
    fs::write(&first, [frame("two"), frame("three"), frame("four")].concat()).expect("write a file");
    fs::write(&second, spans(["five"])).expect("write a file");
    let used: u64 = contents(&stuck.directory())
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "log"))
        .map(|(_, bytes)| bytes.len() as u64)
        .sum();
    // A request takes at most 256 bytes beside its body.
    let limit = used + 2 * (256 + spans(["three"]).len() as u64);
    let limit = format!("exporters.otlp_http.sending_queue.max_bytes={limit}");
    let of = ["--config", &stuck.config, "--set", &limit, "--queue", "otlp_http/traces"];
    let (code, stdout, stderr) = told(&run(&[&["queue", "requeue", &first, &second], &of[..]].concat()));
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("a.otlp: added to queue otlp_http/traces: 2 requests with 2 items"), "{stdout}");
    assert!(stdout.contains("b.pb: added to queue otlp_http/traces: 0 requests with 0 items"), "{stdout}");
    assert!(
        stderr.contains("(`sending_queue.max_bytes`). Added: 2 requests. Not added: 2 requests"),
        "{stderr}"
    );
    let rest = format!("the last 1 of 3 in {first}, 1 of 1 in {second}. Deliver what is in the queue");
    assert!(stderr.contains(&rest), "{stderr}");
    assert_eq!(stuck.left(), 3);
}

#[test]
fn a_queue_in_use_is_not_changed_and_its_process_is_named() {
    let stuck = Stuck::start();
    stuck.send(&["one"]);
    let path = stuck.path("letters.pb");
    fs::write(&path, spans(["requeued"])).expect("write a file");
    let name = ["--queue", "otlp_http/traces"];
    for (command, more) in [("drain", ["--to", "127.0.0.1:1"]), ("requeue", ["--", &path])] {
        let (code, _, stderr) = stuck.queue(command, &[name, more].concat());
        assert!(code == 1 && stderr.contains("(otlp) has the queue open"), "{stderr}");
    }
    assert_eq!(stuck.left(), 1);
}

#[test]
fn damage_is_reported_and_the_rest_is_left() {
    let stuck = Stuck::with(&["one", "two", "three"]);
    let (path, mut bytes) = contents(&stuck.directory())
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|extension| extension == "log"))
        .expect("a segment");
    let at = bytes.windows(3).position(|part| part == b"two").expect("the second request");
    bytes[at] ^= 1;
    fs::write(&path, &bytes).expect("write the damage");
    let before = contents(&stuck.directory());
    let (code, stdout, stderr) = stuck.queue("verify", &["--queue", "otlp_http/traces"]);
    assert!(code == 1 && stderr.contains("damaged queues: 1 of 1"), "{stderr}");
    assert!(stdout.contains("not delivered and not readable: 1 request"), "{stdout}");
    assert_eq!(contents(&stuck.directory()), before);
    let backend = Backend::accepting();
    let address = format!("http://{}", backend.address);
    let (code, _, stderr) = stuck.queue("drain", &["--to", &address, "--protocol", "http/protobuf"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(backend.has_accepted("one") && backend.has_accepted("three"));
    assert_eq!(backend.accepted_items(), 2);
}

#[test]
fn queues_must_be_named_and_exist() {
    let (code, _, stderr) = told(&run(&["queue", "ls"]));
    assert!(code == 2 && stderr.contains("--config") && stderr.contains("--directory"), "{stderr}");
    let empty = concat!(env!("CARGO_TARGET_TMPDIR"), "/no_queues");
    fs::create_dir_all(empty).expect("a directory");
    let (code, stdout, _) = told(&run(&["queue", "ls", "--directory", empty]));
    assert_eq!((code, stdout.as_str()), (0, "there is no queue on disk\n"));
    let (code, _, stderr) = told(&run(&["queue", "status", "--directory", empty, "--queue", "a/traces"]));
    assert!(code == 2 && stderr.contains("there is no queue a/traces; queues: none"), "{stderr}");
    assert_eq!(told(&run(&["queue", "ls", "--directory", "/not/there"])).0, 1);
}
