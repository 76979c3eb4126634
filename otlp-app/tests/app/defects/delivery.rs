//! Delays of destinations, and connections that are of no use any more: each batch is sent once, in time, elsewhere.
#![expect(clippy::unwrap_used, reason = "what the tests share may panic like the tests themselves")]

use super::backend::{Backend, Reply};
use super::setup::{LOGS, Setup, TRACES, send, soon, spans, to};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::block_in_place;

const THROTTLED: &str = "retry-after: 3600\r\n";

fn throttled() -> Backend {
    Backend::start(|_| Reply::Answer(503, THROTTLED, Vec::new()))
}

/// Six endpoints, of which the three that are asked first ask for an hour.
fn three_of_six_throttled() -> Vec<Backend> {
    let asked = Arc::<AtomicUsize>::default();
    let backend = || {
        let (asked, is_throttled) = (asked.clone(), OnceLock::new());
        Backend::start(move |_| {
            match is_throttled.get_or_init(|| asked.fetch_add(1, Ordering::Relaxed) < 3) {
                true => Reply::Answer(503, THROTTLED, Vec::new()),
                false => Reply::ok(),
            }
        })
    };
    (0..6).map(|_| backend()).collect()
}

// Defect 6.
#[test]
fn throttled_endpoints_do_not_silence_the_others() {
    let backends = three_of_six_throttled();
    let names: Vec<_> = backends.iter().map(|backend| format!("'http://{}'", backend.address)).collect();
    let exporter = format!(
        "policy: round_robin, protocol: {{otlp_http: {{compression: none}}}}, \
         resolver: {{static: {{hostnames: [{}]}}}}, \
         retry_on_failure: {{initial_interval: 50ms, max_interval: 100ms}}",
        names.join(", ")
    );
    let otlp = Setup { exporter_id: "load_balancing", exporter: &exporter, ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["first"])), 200);
    // All that a request is taken to at once.
    assert!(soon(|| backends.iter().map(|backend| backend.received().0).sum::<usize>() >= 3));
    for name in ["2", "3", "4", "5", "6", "7", "8"] {
        assert_eq!(send(&otlp, TRACES, &spans([name])), 200);
    }
    let delivered = || backends.iter().map(Backend::accepted_items).sum::<u64>();
    soon(|| delivered() == 8);
    assert_eq!(delivered(), 8, "of 8 were delivered");
}

// Defect 7: end to end, the next sender waits for no longer than retries last.
#[test]
fn a_throttle_holds_no_sender_longer_than_its_retries() {
    for retry in ["enabled: false", "initial_interval: 50ms, max_elapsed_time: 1s"] {
        let backend = throttled();
        let exporter = format!(
            "endpoint: 'http://{}', compression: none, sending_queue: {{enabled: false}}, \
             retry_on_failure: {{{retry}}}",
            backend.address
        );
        let otlp = Setup { exporter: &exporter, ..Setup::default() }.start();
        for name in ["first", "second"] {
            // A sender that waits longer than the test's sockets do fails the test.
            let status = send(&otlp, TRACES, &spans([name]));
            assert!([429, 503].contains(&status), "{name}: {status}");
        }
        assert!(soon(|| otlp.metrics().sum("otlp_memory_budget_used", "") == 0), "its budget is pinned");
    }
}

// Defect 7: one throttle a target.
#[test]
fn a_throttle_of_one_host_holds_up_no_other() {
    let (traces, logs) = (throttled(), Backend::accepting());
    let exporter = format!("{}, traces_endpoint: 'http://{}/v1/traces'", to(logs.address), traces.address);
    let otlp = Setup { exporter: &exporter, ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["a"])), 200);
    assert!(soon(|| traces.received().0 > 0));
    let log = super::setup::records(10, 1);
    assert_eq!(send(&otlp, LOGS, &log), 200);
    assert!(soon(|| logs.accepted_items() == 1), "the throttle of traces holds up logs");
}

// Defect 11: the destination reads all of a request and closes a second later.
#[test]
fn a_request_that_may_have_been_processed_is_not_sent_again() {
    let backend = Backend::start(|request| match request.number {
        0 => Reply::ok(),
        _ => Reply::CloseAfter(Duration::from_secs(1)),
    });
    let exporter = format!(
        "endpoint: 'http://{}', compression: none, sending_queue: {{enabled: false}}, \
         retry_on_failure: {{enabled: false}}",
        backend.address
    );
    let otlp = Setup { exporter: &exporter, ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["first"])), 200);
    assert_ne!(send(&otlp, TRACES, &spans(["second"])), 200);
    assert_eq!(backend.received().0, 2, "requests for two batches");
}

// Defect 21: a 401 whose text sounds like a size.
#[test]
fn the_text_of_an_authentication_failure_halves_nothing() {
    let text = b"the token is larger than max".to_vec();
    let backend = Backend::start(move |_| Reply::Answer(401, "content-type: text/plain\r\n", text.clone()));
    let otlp = Setup { exporter: &to(backend.address), ..Setup::default() }.start();
    let names: Vec<_> = (0..64).map(|n| n.to_string()).collect();
    assert_eq!(send(&otlp, TRACES, &spans(names.iter().map(String::as_str))), 200);
    assert_eq!(otlp.settled(), 0);
    assert_eq!(backend.received().0, 1, "requests for one batch");
}

/// An HTTP/2 server whose first connection answers pings and no call; later ones answer calls. How many calls the
/// first has got.
async fn half_dead(listener: TcpListener) -> Arc<AtomicUsize> {
    let calls = Arc::<AtomicUsize>::default();
    let counted = calls.clone();
    tokio::spawn(async move {
        let mut connections = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let (is_first, counted) = (connections == 0, counted.clone());
            connections += 1;
            tokio::spawn(serve(stream, is_first, counted));
        }
    });
    calls
}

async fn serve(stream: tokio::net::TcpStream, is_first: bool, calls: Arc<AtomicUsize>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut held = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if is_first {
            calls.fetch_add(1, Ordering::Relaxed);
            held.push((request, respond));
            continue;
        }
        let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        let mut body = respond.send_response(head, false).unwrap();
        let _ = body.send_data(Bytes::from_static(&[0; 5]), false);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let _ = body.send_trailers(trailers);
    }
}

// Defect 24.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_answers_no_calls_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = half_dead(listener).await;
    let exporter = format!(
        "endpoint: 'http://{address}', compression: none, timeout: 100ms, \
         retry_on_failure: {{initial_interval: 10ms, max_interval: 50ms}}"
    );
    let otlp = block_in_place(|| {
        Setup { exporter_id: "otlp_grpc", exporter: &exporter, ..Setup::default() }.start()
    });
    block_in_place(|| {
        assert_eq!(send(&otlp, TRACES, &spans(["a"])), 200);
        let sent = || otlp.metrics().sum("otlp_ledger_items", "state=\"sent\"");
        assert!(
            soon(|| sent() == 1),
            "{} attempts timed out on one connection",
            calls.load(Ordering::Relaxed)
        );
    });
}

// D3: any 2xx is success, whatever the body of the answer is.
#[test]
fn an_answer_of_another_type_is_success() {
    let backend = Backend::start(|_| Reply::Answer(201, "content-type: text/plain\r\n", b"created".to_vec()));
    let exporter = format!("{}, sending_queue: {{enabled: false}}", to(backend.address));
    let otlp = Setup { exporter: &exporter, ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["a"])), 200);
    assert_eq!(otlp.metrics().sum("otlp_ledger_items", "state=\"sent\""), 1);
    assert_eq!(backend.received().0, 1);
}

// D5: a delay of 0 is none; the usual backoff holds, and retries last for 2 s.
#[test]
fn a_delay_of_zero_is_no_delay() {
    let backend = Backend::start(|request| match request.number {
        0 => Reply::Answer(503, "retry-after: 0\r\n", Vec::new()),
        _ => Reply::ok(),
    });
    let otlp = Setup { exporter: &to(backend.address), ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &spans(["a"])), 200);
    assert!(soon(|| backend.has_accepted("a")), "it was not sent again in time");
}
