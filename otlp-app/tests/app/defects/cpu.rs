//! What a small request may cost: CPU time, requests, bytes, and the time of the others.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

use super::backend::Backend;
use super::setup::{LOGS, Setup, TRACES, gzip, records, send_with, soon, to};
use crate::process::{FORWARDING, Otlp, command, http, one_span};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const GZIP: &str = "content-encoding: gzip\r\n";

/// Seconds of CPU that a request costs until it is delivered.
fn cost(otlp: &Otlp, body: &[u8]) -> f64 {
    let before = cpu_seconds(otlp);
    assert_eq!(send_with(otlp, LOGS, GZIP, body), 200);
    otlp.settled();
    cpu_seconds(otlp) - before
}

fn cpu_seconds(otlp: &Otlp) -> f64 {
    let (_, page) = http(otlp.address("metrics"), "GET", "/metrics", &[]);
    let value = page.lines().find_map(|line| line.strip_prefix("otelcol_process_cpu_seconds "));
    value.unwrap().parse().unwrap()
}

// Defect 5: 400 KiB of a resource, and 200,000 records that belong to it.
#[test]
fn the_size_of_a_resource_is_not_paid_for_each_item() {
    for routing in ["routing_key: service", "routing_key: resource"] {
        let backends = [Backend::accepting(), Backend::accepting()];
        let exporter = format!(
            "{routing}, protocol: {{otlp_http: {{}}}}, resolver: {{static: {{hostnames: ['http://{}', 'http://{}']}}}}",
            backends[0].address, backends[1].address
        );
        let otlp = Setup { exporter_id: "load_balancing", exporter: &exporter, ..Setup::default() }.start();
        let small = cost(&otlp, &gzip(records(10, 200_000)));
        let large = cost(&otlp, &gzip(records(400 << 10, 200_000)));
        assert!(large < 2.0 * small + 0.5, "{routing}: {large} s, with a small resource {small} s");
    }
}

// Defect 9: a resource of 1 MiB and 400,000 records, in parts of 1000.
#[test]
fn parts_do_not_multiply_what_they_share() {
    for (max_size, resource_bytes, count) in [(1000, 1 << 20, 400_000), (1, 100_000, 5000)] {
        let backend = Backend::accepting();
        let batch = format!("send_batch_size: {max_size}, send_batch_max_size: {max_size}, timeout: 100ms");
        let otlp = Setup { batch: Some(&batch), exporter: &to(backend.address), ..Setup::default() }.start();
        let body = records(resource_bytes, count);
        assert_eq!(send_with(&otlp, LOGS, GZIP, &gzip(body.clone())), 200);
        // What envelopes say is repeated for at most 64 MiB.
        let limit = 80 << 20;
        let settled = || otlp.metrics().sum("otlp_memory_budget_used", "") == 0 && backend.received().0 > 0;
        soon(|| backend.received().1 > limit || settled());
        let (requests, bytes) = backend.received();
        assert!(bytes <= limit, "{} bytes became {requests} requests and {bytes} bytes", body.len());
    }
}

/// A gateway that has one core, and so one thread for everything that must not wait.
fn on_one_core(setup: Setup<'_>) -> Otlp {
    let otlp = command(&["--config", &setup.config()]);
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", "0"]).arg(otlp.get_program()).args(otlp.get_args()).stdin(Stdio::null());
    Otlp::start(pinned, FORWARDING)
}

/// The longest that a small request took while `large` ran.
fn longest_beside(otlp: &Otlp, large: impl FnOnce()) -> Duration {
    let address = otlp.address("otlp/http");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !is_over.load(Ordering::Relaxed) {
                let start = Instant::now();
                assert_eq!(http(address, "POST", TRACES.http_path, &one_span()).0, 200);
                longest = longest.max(start.elapsed());
            }
            longest
        });
        large();
        is_over.store(true, Ordering::Relaxed);
        beside.join().unwrap()
    })
}

/// A large body holds up no small ones on a gateway with one core.
fn assert_others_go_on(batch: &str, body: &[u8]) {
    let backend = Backend::accepting();
    let setup = Setup { batch: Some(batch), exporter: &to(backend.address), ..Setup::default() };
    let otlp = on_one_core(setup);
    let mut took = Duration::ZERO;
    let longest = longest_beside(&otlp, || {
        let start = Instant::now();
        assert_eq!(send_with(&otlp, LOGS, GZIP, body), 200);
        soon(|| backend.accepted_items() > RECORDS as u64);
        took = start.elapsed();
    });
    // A thread that works beside takes its share of the core.
    let allowed = took / 3 + Duration::from_millis(100);
    assert!(longest < allowed, "a small request took {longest:?}, the large one {took:?}");
}

// Defect 10: a batch is cut where the connections are served.
#[test]
fn cutting_a_large_batch_holds_up_no_small_requests() {
    let batch = "send_batch_max_size: 40000, send_batch_size: 40000, timeout: 100ms";
    assert_others_go_on(batch, &gzip(records(1 << 20, RECORDS)));
}

// Defect 10: only the last member of gzip says how large it is.
#[test]
fn members_of_gzip_are_as_large_as_all_of_them() {
    let members = [gzip(records(16 << 20, RECORDS)), gzip(Vec::new())].concat();
    assert_others_go_on("timeout: 100ms", &members);
}

const RECORDS: usize = 300_000;
