//! What is resident and what is charged stay within the budget, whatever a sender holds open or sends.

use super::backend::{Backend, Reply};
use super::setup::{LOGS, Setup, TRACES, send, send_with, soon, spans, to};
use crate::peers::{Peer, call_head, http_answer, post};
use crate::process::{FORWARDING, Otlp, frugal, one_span};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use h2::SendStream;
use http::Request;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, block_in_place};
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const MIB: u64 = 1 << 20;

fn resident(otlp: &Otlp) -> u64 {
    block_in_place(|| otlp.metrics().sum("otelcol_process_memory_rss", ""))
}

fn grown_mib(otlp: &Otlp, before: u64) -> u64 {
    otlp.peak_rss_bytes().saturating_sub(before) / MIB
}

/// An exporter to a destination that takes everything and answers nothing.
fn silent() -> String {
    let backend = Backend::start(|_| Reply::Silence);
    format!("endpoint: 'http://{}', compression: none, sending_queue: {{queue_size: 10000}}", backend.address)
}

/// Begins that many calls on one connection, sends as much of `body` in each as the server takes within two seconds, and
/// keeps all of them open.
async fn unfinished(otlp: &Otlp, calls: usize, head: impl Fn() -> Request<()>, body: &Bytes) -> JoinSet<()> {
    let Some(Peer::Grpc(sender)) = Peer::connect(true, otlp.address("otlp/grpc")).await else {
        unreachable!()
    };
    let mut open = JoinSet::new();
    let mut streams = Vec::new();
    for _ in 0..calls {
        let Ok(Ok(mut ready)) = timeout(SECOND, sender.clone().ready()).await else { break };
        let Ok((answer, stream)) = ready.send_request(head(), false) else { break };
        open.spawn(async move {
            let _ = answer.await;
            std::future::pending().await
        });
        streams.push(stream);
    }
    let sending = streams.iter_mut().map(|stream| timeout(2 * SECOND, send_all(stream, body.clone())));
    join_all(sending).await;
    open.spawn(async move {
        let _held = streams;
        std::future::pending().await
    });
    open
}

/// Sends what the window allows, again and again, until all is sent or the stream is reset.
async fn send_all(stream: &mut SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        stream.reserve_capacity(body.len().min(64 << 10));
        match std::future::poll_fn(|context| stream.poll_capacity(context)).await {
            Some(Ok(capacity)) => {
                let piece = body.split_to(capacity.min(body.len()));
                if stream.send_data(piece, false).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

// Defect 2: 128 calls of 4 MiB on one connection, without credentials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_health_checks_hold_no_memory() {
    let otlp = block_in_place(|| Setup { exporter: &silent(), ..Setup::default() }.start());
    let before = resident(&otlp);
    let check = || {
        let request = Request::post("http://a/grpc.health.v1.Health/Check").version(http::Version::HTTP_2);
        request.header("content-type", "application/grpc").header("te", "trailers").body(()).expect("a head")
    };
    let body = Bytes::from([&[0, 0, 0x40, 0, 0], &vec![0; 4 << 20][1..]].concat());
    let open = unfinished(&otlp, 128, check, &body).await;
    let grown = grown_mib(&otlp, before);
    assert!(grown < 24, "{grown} MiB were resident for calls of the health service");
    drop(open);
}

// Defect 3: 200 times a malformed body of 1.2 MiB and a good one of 4.2 KiB, in one write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_bodies_do_not_pin_the_buffers_of_large_ones() {
    let otlp = block_in_place(|| Setup { exporter: &silent(), ..Setup::default() }.start());
    let bad = vec![0x0f; 1_200_000];
    let good = spans(["x".repeat(4200).as_str()]);
    let pair = [post(TRACES, "", bad.len()).as_bytes(), &bad, post(TRACES, "", good.len()).as_bytes(), &good]
        .concat();
    let before = resident(&otlp);
    let address = otlp.address("otlp/http");
    let mut senders = JoinSet::new();
    for _ in 0..4 {
        let pair = pair.clone();
        senders.spawn(async move {
            let (mut stream, mut read) =
                (TcpStream::connect(address).await.expect("connect"), BytesMut::new());
            for _ in 0..50 {
                stream.write_all(&pair).await.expect("send");
                for status in [400, 200] {
                    let answer = http_answer(&mut stream, &mut read).await.expect("an answer");
                    assert_eq!(answer.status, status);
                }
            }
        });
    }
    senders.join_all().await;
    let charged = block_in_place(|| otlp.metrics().sum("otlp_memory_budget_used", ""));
    let grown = resident(&otlp).saturating_sub(before);
    // Beside bodies: the connections' own buffers, the task of each request.
    let allowed = 2 * charged + 24 * MIB;
    assert!(grown < allowed, "{} KiB are charged, {} KiB resident", charged >> 10, grown >> 10);
}

// Defect 4: 70 calls that announce 1 MiB and send 6 bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_announced_is_not_charged() {
    let otlp = block_in_place(|| Setup { exporter: &silent(), ..Setup::default() }.start());
    let Some(Peer::Grpc(sender)) = Peer::connect(true, otlp.address("otlp/grpc")).await else {
        unreachable!()
    };
    let mut calls = Vec::new();
    for _ in 0..70 {
        let mut ready = sender.clone().ready().await.expect("a stream");
        let head = call_head(TRACES).body(()).expect("a head");
        let (answer, mut stream) = ready.send_request(head, false).expect("a stream");
        stream.send_data(Bytes::from_static(&[0, 0, 0x10, 0, 0]), false).expect("some data");
        calls.push((answer, stream));
    }
    sleep(SECOND / 4).await;
    for (_, stream) in &mut calls {
        stream.send_data(Bytes::from_static(&[0x0a]), false).expect("some data");
    }
    sleep(SECOND / 2).await;
    block_in_place(|| {
        let charged = otlp.metrics().sum("otlp_memory_budget_used", "");
        assert!(charged <= 70 * (64 << 10), "{charged} bytes are charged for 420");
        assert_eq!(send(&otlp, TRACES, &one_span()), 200);
    });
}

// Defect 19: each request has 15 KiB of a header that is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_headers_are_charged() {
    let setup = Setup {
        limit_mib: 8,
        receiver: "include_metadata: true,",
        exporter: &format!("{}, auth: {{authenticator: headers_setter}}", silent()),
        extensions: "headers_setter: {headers: [{key: x-tenant, from_context: x-tenant}]}",
        extension_ids: "headers_setter",
        ..Setup::default()
    };
    let otlp = block_in_place(|| setup.start());
    let before = resident(&otlp);
    let address = otlp.address("otlp/http");
    let mut senders = JoinSet::new();
    for sender in 0..4 {
        senders.spawn(async move {
            let (mut stream, mut read) =
                (TcpStream::connect(address).await.expect("connect"), BytesMut::new());
            for number in 0..750 {
                let tenant = format!("{sender}-{number}-{}", "x".repeat(15_000));
                let head = post(TRACES, &format!("x-tenant: {tenant}\r\n"), one_span().len());
                // A refusal may cost the connection.
                if stream.write_all(&[head.as_bytes(), &one_span()].concat()).await.is_err()
                    || http_answer(&mut stream, &mut read).await.is_none()
                {
                    stream = TcpStream::connect(address).await.expect("connect");
                    read.clear();
                }
            }
        });
    }
    senders.join_all().await;
    let grown = resident(&otlp).saturating_sub(before) / MIB;
    assert!(grown < 2 * 8 + 8, "{grown} MiB are resident with a budget of 8");
}

// Defect 20: calls that wait for the check of a password, 1 MiB each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_not_let_in_yet_hold_no_memory() {
    let setup = Setup {
        receiver: "auth: {authenticator: basicauth},",
        exporter: &silent(),
        extensions: "basicauth: {htpasswd: {inline: 'me:$2y$14$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'}}",
        extension_ids: "basicauth",
        ..Setup::default()
    };
    let otlp = block_in_place(|| Otlp::start(frugal(&["--config", &setup.config()]), FORWARDING));
    let before = resident(&otlp);
    let head = || {
        let credentials = format!("Basic {}", STANDARD.encode("me:wrong"));
        call_head(TRACES).header("authorization", credentials).body(()).expect("a head")
    };
    let body = Bytes::from([&[0, 0, 0x10, 0, 0], &vec![0; 1 << 20][1..]].concat());
    let open = join_all((0..16).map(|_| unfinished(&otlp, 8, head, &body))).await;
    let grown = grown_mib(&otlp, before);
    assert!(grown < 32, "{grown} MiB were resident for calls that are not let in");
    drop(open);
}

// A sender that leaves takes its charge with it.
#[test]
fn the_budget_is_free_once_everything_is_delivered() {
    let backend = Backend::accepting();
    let otlp = Setup { exporter: &to(backend.address), ..Setup::default() }.start();
    assert_eq!(send(&otlp, TRACES, &one_span()), 200);
    assert!(soon(|| otlp.metrics().sum("otlp_memory_budget_used", "") == 0));
}

// Defect 13: what fits an idle budget is taken, and what never will is refused for good.
#[test]
fn a_request_is_refused_for_good_only_if_it_can_never_fit() {
    let backend = Backend::accepting();
    let exporter = format!("{}, sending_queue: {{enabled: false}}", to(backend.address));
    let otlp = Setup { limit_mib: 8, exporter: &exporter, ..Setup::default() }.start();
    let json = |records: &str| {
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#).into_bytes()
    };
    let short = r#"{"severityNumber":9},"#.repeat((5 << 20) / 21);
    let long = format!(r#"{{"body":{{"stringValue":"{}"}}}}"#, "x".repeat(5 << 20));
    let send = |text: &[u8]| send_with(&otlp, LOGS, "content-type: application/json\r\n", text);
    assert_eq!(send(&json(short.trim_end_matches(','))), 200);
    assert_eq!(send(&json(&long)), 413, "the text and as much protobuf are over 8 MiB");
    assert!(soon(|| otlp.metrics().sum("otlp_memory_budget_used", "") == 0));
}
