//! Items that a destination refuses for good are kept in files, which `otlp inspect` shows and `otlp send` delivers.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use crate::defects::backend::{Backend, Reply};
use crate::defects::setup::{LOGS, Setup, TRACES, field, send, soon, spans, to};
use crate::process::{Otlp, file, frugal, run, told};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that the gateway makes, removed on drop.
struct Dead(PathBuf);

// === impl Dead ===

impl Dead {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("dead-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name).join("letters"))
    }

    /// Settings of an exporter to there.
    fn settings(&self, backend: &Backend, more: &str) -> String {
        format!("{}, dead_letter: {{directory: '{}'{more}}}", to(backend.address), self.0.display())
    }

    /// Files with an ending, sorted by name.
    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).expect("the directory is there");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| path.to_string_lossy().ends_with(ending));
        files.sort();
        files
    }

    fn the_file(&self, ending: &str) -> PathBuf {
        match &self.files(ending)[..] {
            [file] => file.clone(),
            files => panic!("{} files: {files:?}", files.len()),
        }
    }

    fn reasons(&self) -> String {
        fs::read_to_string(self.the_file(".reasons.jsonl")).expect("a file of reasons")
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().expect("a directory above"));
    }
}

fn start(exporter: &str) -> Otlp {
    Setup { exporter, ..Setup::default() }.start()
}

/// A request with log records of these texts, each with a field that no version of OTLP knows.
fn records<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let record = |text: &[u8]| [field(5, &field(1, text)), field(1000, b"unknown")].concat();
    let records = texts.into_iter().flat_map(|text| field(2, &record(text)));
    field(1, &field(2, &records.collect::<Vec<_>>()))
}

/// Items of a counter of the dead letter.
fn items(otlp: &Otlp, counter: &str, reason: &str) -> u64 {
    otlp.metrics().sum(&format!("otlp_dead_letter_{counter}_items"), reason)
}

fn inspect(path: &Path) -> String {
    let (code, stdout, stderr) = told(&run(&["inspect", "--json", &path.to_string_lossy()]));
    assert_eq!(code, 0, "{stderr}");
    stdout
}

#[test]
fn a_poisoned_record_is_kept_inspected_and_sent_elsewhere() {
    let backend = Backend::start(|request| match request.has("poison") {
        true => {
            Reply::Answer(400, "content-type: text/plain\r\n", b"records of \"poison\" are refused".to_vec())
        }
        false => Reply::ok(),
    });
    let dead = Dead::new();
    let mut otlp = start(&dead.settings(&backend, ""));
    assert_eq!(dead.files("").len(), 0);
    let texts = ["good-0", "good-1", "poison", "good-2", "good-3"].map(str::as_bytes);
    assert_eq!(send(&otlp, LOGS, &records(texts)), 200);
    assert_eq!(otlp.settled(), 4);
    assert_eq!(send(&otlp, TRACES, &spans(["poison", "good-4"])), 200);
    assert_eq!(otlp.settled(), 5);
    assert!(otlp.line("lost items are in the dead letter").contains("items=1 batches=1"));
    assert_eq!((otlp.dropped(), items(&otlp, "written", "reason=\"permanent\"")), (2, 2));
    drop(otlp);

    let [logs, traces] = &dead.files(".otlp")[..] else { panic!("{:?}", dead.files("")) };
    assert!(logs.to_string_lossy().contains("/otlp_http-logs-2"), "{logs:?}");
    assert!(traces.to_string_lossy().contains("/otlp_http-traces-2"), "{traces:?}");
    let shown = inspect(logs);
    for part in [r#""requests":1"#, r#""logs""#, r#""unknown_fields""#] {
        assert!(shown.replace(": ", ":").contains(part), "{part} is not in {shown}");
    }
    let reasons = fs::read_to_string(&dead.files(".reasons.jsonl")[0]).expect("a file of reasons");
    for part in [
        r#"{"request":1,"offset":12,"items":1,"#,
        r#""reason":"permanent","error":"InvalidData","#,
        r#"records of \"poison\" are refused"#,
    ] {
        assert!(reasons.contains(part), "{part} is not in {reasons}");
    }

    // Another destination gets what was refused, byte for byte.
    let other = Backend::accepting();
    let address = format!("http://{}", other.address);
    let (logs, traces) = (logs.to_string_lossy(), traces.to_string_lossy());
    let sent = run(&["send", "--to", &address, "--protocol", "http/protobuf", &logs, &traces]);
    let (code, _, stderr) = told(&sent);
    assert_eq!(code, 0, "{stderr}");
    let bodies: Vec<_> = other.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies.contains(&records([&b"poison"[..]])) && bodies.contains(&spans(["poison"])));
}

#[test]
fn one_item_of_5_mib_among_8192_is_the_only_one_that_is_lost() {
    let backend = Backend::start(|request| match request.body.len() {
        0..=4_194_304 => Reply::ok(),
        _ => Reply::Answer(413, "", Vec::new()),
    });
    let dead = Dead::new();
    // A debug build takes a while for 27 requests.
    let otlp = start(&dead.settings(&backend, "").replace("2s", "60s"));
    let (large, small) = (vec![b'x'; 5 << 20], [b'y'; 700]);
    let texts = (0..8192).map(|number| if number == 4711 { &large[..] } else { &small[..] });
    assert_eq!(send(&otlp, LOGS, &records(texts)), 200);
    assert_eq!(otlp.settled(), 8191);
    assert_eq!(backend.accepted_items(), 8191);
    assert_eq!(otlp.metrics().sum("otlp_ledger_items", "reason=\"too_large\""), 1);
    assert_eq!(items(&otlp, "written", "reason=\"too_large\""), 1);
    assert!(dead.reasons().contains(r#""items":1,"bytes":5242"#), "{}", dead.reasons());
    let kept = fs::read(dead.the_file(".otlp")).expect("a file of requests");
    assert!(kept.ends_with(&records([&large[..]])));
    inspect(&dead.the_file(".otlp"));
}

#[test]
fn retries_that_are_exhausted_are_kept_and_the_oldest_files_are_deleted() {
    let backend = Backend::start(|_| Reply::Answer(503, "", Vec::new()));
    let dead = Dead::new();
    let exporter = dead.settings(&backend, ", max_bytes: 1048576").replace("2s", "100ms");
    let otlp = start(&exporter);
    let text = "x".repeat(100_000);
    for _ in 0..30 {
        assert_eq!(send(&otlp, TRACES, &spans([text.as_str()])), 200);
    }
    assert_eq!(otlp.settled(), 0);
    assert_eq!(items(&otlp, "written", "reason=\"retries_exhausted\""), 30);
    let deleted = items(&otlp, "deleted", "");
    let kept = dead.files(".otlp").into_iter().map(|path| {
        let shown = inspect(&path).replace(": ", ":");
        let (_, rest) = shown.split_once("\"requests\":").expect("a number of requests");
        rest.split([',', '}']).next().and_then(|number| number.trim().parse::<u64>().ok()).expect("a number")
    });
    assert_eq!(kept.sum::<u64>() + deleted, 30);
    let bytes: u64 = dead.files("").iter().map(|path| path.metadata().expect("a file").len()).sum();
    assert!((800_000..=1 << 20).contains(&bytes), "{bytes}");
    assert_eq!(otlp.metrics().sum("otlp_dead_letter_bytes", ""), bytes);
}

#[test]
fn a_directory_that_cannot_be_written_stops_the_start() {
    let backend = Backend::accepting();
    let in_the_way = file("");
    let directory = format!("dead_letter: {{directory: '{in_the_way}/letters'}}");
    let exporter = format!("{}, {directory}", to(backend.address));
    let config = Setup { exporter: &exporter, ..Setup::default() }.config();
    let output = frugal(&["--config", &config]).output().expect("run otlp");
    let (code, _, stderr) = told(&output);
    assert_ne!(code, 0);
    let problem =
        format!("otlp_http: dead_letter.directory: cannot make the directory `{in_the_way}/letters`: ");
    assert!(stderr.contains(&problem), "{stderr}");
}

#[test]
fn a_disk_that_fails_costs_the_dead_letter_alone() {
    let backend = Backend::start(|request| match request.has("poison") {
        true => Reply::Answer(400, "", Vec::new()),
        false => Reply::ok(),
    });
    let dead = Dead::new();
    let mut otlp = start(&dead.settings(&backend, ""));
    fs::remove_dir(&dead.0).expect("the directory is empty");
    fs::write(&dead.0, "in the way").expect("write a file");
    assert_eq!(send(&otlp, TRACES, &spans(["poison", "good-0"])), 200);
    assert_eq!(otlp.settled(), 1);
    assert_eq!((items(&otlp, "written", ""), items(&otlp, "failed", "")), (0, 1));
    let line = otlp.line("lost items cannot be written to the dead letter");
    assert!(line.contains(&dead.0.display().to_string()), "{line}");

    fs::remove_file(&dead.0).expect("remove the file");
    fs::create_dir(&dead.0).expect("make the directory");
    assert_eq!(send(&otlp, TRACES, &spans(["poison", "good-1"])), 200);
    assert!(soon(|| items(&otlp, "written", "") == 1), "nothing is written");
    assert_eq!(otlp.settled(), 2);
    inspect(&dead.the_file(".otlp"));
}
