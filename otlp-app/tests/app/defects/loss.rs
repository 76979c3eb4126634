//! Items that were accepted arrive, whatever stands beside them in a batch and however much a destination takes.

use super::backend::{Backend, PROTOBUF, Reply};
use super::setup::{LOGS, Setup, TRACES, field, gzip, send, send_with, soon, span, spans, to};
use crate::process::{Metrics, Otlp};

const SOON: Option<&str> = Some("timeout: 300ms");
/// Until the drain.
const OPEN: Option<&str> = Some("timeout: 1h");
const GOOD: [&str; 5] = ["good-0", "good-1", "good-2", "good-3", "good-4"];

fn ledger(metrics: &Metrics, state: &str) -> u64 {
    metrics.sum("otlp_ledger_items", &format!("state=\"{state}\""))
}

/// Five good requests, then a bad one, in one batch; the backend must get all of the good ones.
fn assert_innocents_arrive(mut otlp: Otlp, backend: &Backend, bad: impl FnOnce(&Otlp) -> u16) {
    for good in GOOD {
        assert_eq!(send(&otlp, TRACES, &spans([good])), 200);
    }
    let status = bad(&otlp);
    assert!([200, 400].contains(&status), "{status}");
    otlp.signal("TERM");
    let report = otlp.line("drained");
    assert_eq!(otlp.exit_code(), 0);
    let arrived = GOOD.iter().filter(|good| backend.has_accepted(good)).count();
    assert_eq!(arrived, GOOD.len(), "of the good requests: {report}");
}

// Defect 1.
#[test]
fn an_envelope_of_a_million_runs_loses_no_others_in_json() {
    let backend = Backend::accepting();
    let exporter = format!("encoding: json, {}", to(backend.address));
    let otlp = Setup { batch: OPEN, exporter: &exporter, ..Setup::default() }.start();
    let runs = [0x0a, 0, 0x12, 0].repeat(540_000);
    let runs = gzip(field(1, &[runs, field(2, &field(2, &span(&[7; 16], "bad")))].concat()));
    assert_innocents_arrive(otlp, &backend, |otlp| {
        send_with(otlp, TRACES, "content-encoding: gzip\r\n", &runs)
    });
}

// D1: a trace id of another length, which the Collector refuses with all of the request.
#[test]
fn a_trace_id_of_the_wrong_length_loses_no_others() {
    let hex = b"0af7651916cd43dd8448eb211c80319c";
    let backend = Backend::start(|request| match request.has("0af7651916cd43dd8448eb211c80319c") {
        true => Reply::Answer(400, PROTOBUF, Vec::new()),
        false => Reply::ok(),
    });
    let otlp = Setup { batch: OPEN, exporter: &to(backend.address), ..Setup::default() }.start();
    let bad = field(1, &field(2, &field(2, &span(hex, "bad"))));
    assert_innocents_arrive(otlp, &backend, |otlp| send(otlp, TRACES, &bad));
    assert!(!backend.has("bad"), "the span with the wrong id was passed on");
}

// D1: a rule of the destination that nobody else knows.
#[test]
fn a_refused_request_loses_no_others_of_its_batch() {
    let backend = Backend::start(|request| match request.has("poison") {
        true => Reply::Answer(400, PROTOBUF, Vec::new()),
        false => Reply::ok(),
    });
    let otlp = Setup { batch: SOON, exporter: &to(backend.address), ..Setup::default() }.start();
    for good in GOOD {
        assert_eq!(send(&otlp, TRACES, &spans([good])), 200);
    }
    assert_eq!(send(&otlp, TRACES, &spans(["poison"])), 200);
    assert!(soon(|| GOOD.iter().all(|good| backend.has_accepted(good))), "innocents are lost");
    assert_eq!(otlp.settled(), 5);
    let metrics = otlp.metrics();
    assert_eq!(ledger(&metrics, "dropped") + ledger(&metrics, "rejected"), 1);
}

// Defect 8: the second gateway takes 1 MiB at a time.
#[test]
fn a_gateways_limit_halves_the_batches_of_another() {
    let backend = Backend::accepting();
    let last =
        Setup { grpc: "max_recv_msg_size_mib: 1,", exporter: &to(backend.address), ..Setup::default() };
    let last = last.start();
    let exporter = format!("endpoint: 'http://{}', compression: none", last.address("otlp/grpc"));
    let first = Setup { exporter_id: "otlp_grpc", exporter: &exporter, ..Setup::default() }.start();
    let large = "x".repeat(100_000);
    assert_eq!(send(&first, TRACES, &spans([large.as_str()].repeat(31))), 200);
    assert_eq!(first.settled(), 31);
    assert_eq!(ledger(&first.metrics(), "dropped"), 0);
    assert!(soon(|| backend.accepted_items() == 31), "{} of 31 arrived", backend.accepted_items());
}

// Defect 12: the first part is accepted, then the destination is down.
#[test]
fn halves_are_attempted_and_booked_each_by_itself() {
    let backend = Backend::start(|request| match request.items {
        5.. => Reply::Answer(413, "", Vec::new()),
        _ if request.has("span-00") => Reply::ok(),
        _ => Reply::Answer(503, "", Vec::new()),
    });
    let otlp = Setup { exporter: &to(backend.address), ..Setup::default() }.start();
    let names: Vec<_> = (0..16).map(|n| format!("span-{n:02}")).collect();
    assert_eq!(send(&otlp, TRACES, &spans(names.iter().map(String::as_str))), 200);
    assert_eq!(otlp.settled(), 4);
    assert_eq!(ledger(&otlp.metrics(), "dropped"), 12);
    let small: Vec<_> = backend.requests().into_iter().filter(|request| request.items <= 4).collect();
    let attempted = names.iter().filter(|name| small.iter().any(|request| request.has(name))).count();
    assert_eq!(attempted, 16, "of the items were attempted in parts that fit");
}

// Defect 17: 200, with an answer over 4 MiB.
#[test]
fn an_oversized_answer_to_an_accepted_request_sends_nothing_again() {
    let backend = Backend::start(|_| Reply::Answer(200, PROTOBUF, vec![0; 5 << 20]));
    let otlp = Setup { exporter: &to(backend.address), ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["a", "b", "c", "d"])), 200);
    assert_eq!(otlp.settled(), 4);
    assert_eq!(backend.received().0, 1, "requests for one batch");
}

// Defect 18: 40 lists and 60 groups are deeper than 100 to every protobuf runtime.
#[test]
fn lists_and_groups_have_one_depth() {
    let backend = Backend::accepting();
    let otlp = Setup { exporter: &to(backend.address), ..Setup::default() }.start();
    let nested = |lists: usize, groups: usize| {
        let (start, end) = ([0xa3, 0x06].repeat(groups), [0xa4, 0x06].repeat(groups));
        let innermost = [start, end].concat();
        let value = (0..lists).fold(innermost, |value, _| field(5, &field(1, &value)));
        field(1, &field(2, &field(2, &field(5, &value))))
    };
    assert_eq!(send(&otlp, LOGS, &nested(20, 20)), 200);
    assert_eq!(send(&otlp, LOGS, &nested(40, 60)), 400);
    assert_eq!(otlp.settled(), 1);
}
