//! What was acknowledged arrives, once: when there is too much of it, when the gateway stops, when the destination does.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::door::Door;
use crate::peers::{Verdict, within};
use crate::process::{FORWARDING, Otlp, command, file, forwarding, frugal};
use crate::sink::{Port, Sink};
use otlp_transport::{Clock, TokioClock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, block_in_place};

const UNAVAILABLE: u32 = 14;
const LIMIT_MIB: u64 = 32;
/// What the process may use beside bodies: itself, connections, pools, what is being compressed.
const ALLOWANCE_MIB: u64 = 64;

/// Sends as fast as it can until that was refused often enough; always with the same status.
async fn press(door: Door, is_grpc: bool, status: u32) {
    let mut peer = door.connect(is_grpc).await;
    let mut refused = 0;
    while refused < 50 {
        let (signal, body) = door.next(64 << 10);
        let answer = peer.send(signal, None, &body).await.expect("an answer");
        match answer.verdict {
            Verdict::Accepted => door.sent(|sent| sent.accepted.add(signal, &body)),
            verdict => {
                assert_eq!((verdict, answer.status), (Verdict::Busy, status));
                refused += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_with_a_delay_and_costs_nothing_accepted() {
    let short_queue = "compression: none, sending_queue: {num_consumers: 1, queue_size: 2},";
    let long_queue = "compression: none, sending_queue: {num_consumers: 10, queue_size: 10000},";
    for (limit_mib, exporter, http_status) in
        [(4 * LIMIT_MIB, short_queue, 503), (LIMIT_MIB, long_queue, 429)]
    {
        let sink = Sink::new(Duration::ZERO);
        let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
        let config = forwarding(limit_mib, server.local_addr(), exporter);
        let otlp = Otlp::start(frugal(&["--config", &config]), FORWARDING);
        let door = Door::of(&otlp);
        sink.set_open(false);
        let mut senders = JoinSet::new();
        for (is_grpc, status) in [(true, UNAVAILABLE), (false, http_status)].repeat(2) {
            senders.spawn(press(door.clone(), is_grpc, status));
        }
        senders.join_all().await;
        assert_eq!(sink.items(), 0);
        sink.set_open(true);
        let sent = block_in_place(|| otlp.settled());
        assert_eq!(sink.check(&door), sent);
        assert!(sent > 20, "only {sent} were accepted");
        let peak = otlp.peak_rss_bytes() >> 20;
        assert!(peak <= limit_mib + ALLOWANCE_MIB, "{peak} MiB were resident");
        door.send_next(true).await;
        assert_eq!(block_in_place(|| otlp.settled()), sent + 1);
        assert_eq!(sink.check(&door), sent + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_nothing() {
    for exporter in ["sending_queue: {num_consumers: 2},", "sending_queue: {enabled: false},"] {
        let sink = Sink::new(Duration::from_millis(20));
        let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
        let config = forwarding(LIMIT_MIB, server.local_addr(), exporter);
        let mut otlp = Otlp::start(command(&["--config", &config, "--drain-timeout", "20s"]), FORWARDING);
        let door = Door::of(&otlp);
        let watched = door.open(true).await;
        let traffic = door.traffic();
        door.accepted_more(30).await;
        otlp.signal("TERM");
        within("GOAWAY", goaway(watched)).await;
        // It ends since nobody accepts connections any more.
        within("the traffic", traffic.join_all()).await;
        block_in_place(|| otlp.line("drained"));
        assert_eq!(block_in_place(|| otlp.exit_code()), 0);
        sink.check(&door);
    }
}

/// Greets as a client does and reads until a GOAWAY without an error comes. RFC 9113 §4.1, §6.8.
async fn goaway(mut stream: TcpStream) {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SETTINGS].concat()).await.expect("it is open");
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.expect("a frame");
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.expect("its payload");
        if head[3] == 7 {
            return assert_eq!(payload[4..8], [0; 4]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_comes_late_gets_everything() {
    let port = Port::reserve();
    let config = forwarding(LIMIT_MIB, port.address(), "");
    let otlp = Otlp::start(command(&["--config", &config]), FORWARDING);
    let door = Door::of(&otlp);
    let traffic = door.traffic();
    door.accepted_more(100).await;
    door.stop(traffic).await;
    let sink = Sink::new(Duration::ZERO);
    let _server = sink.listen(port.address()).await;
    let sent = block_in_place(|| otlp.settled());
    assert_eq!(sink.check(&door), sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_restarts_gets_everything() {
    let port = Port::reserve();
    let sink = Sink::new(Duration::from_millis(5));
    let mut server = sink.listen(port.address()).await;
    let exporter = "sending_queue: {enabled: false},";
    let config = forwarding(LIMIT_MIB, port.address(), exporter);
    let otlp = Otlp::start(command(&["--config", &config]), FORWARDING);
    let door = Door::of(&otlp);
    let traffic = door.traffic();
    for _ in 0..3 {
        door.accepted_more(8).await;
        server.drain(TokioClock.now() + Duration::from_secs(20)).await;
        server = sink.listen(port.address()).await;
    }
    door.accepted_more(8).await;
    door.stop(traffic).await;
    let sent = block_in_place(|| otlp.settled());
    assert_eq!(sink.check(&door), sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_crashes_gets_everything_at_most_twice() {
    let port = Port::reserve();
    let sink = Sink::new(Duration::from_millis(5));
    let server = sink.listen(port.address()).await;
    let config = forwarding(LIMIT_MIB, port.address(), "");
    let otlp = Otlp::start(command(&["--config", &config]), FORWARDING);
    let door = Door::of(&otlp);
    let traffic = door.traffic();
    door.accepted_more(100).await;
    // What it took, but had not answered for, comes again.
    drop(server);
    door.accepted_more(100).await;
    let _server = sink.listen(port.address()).await;
    door.accepted_more(100).await;
    door.stop(traffic).await;
    let sent = block_in_place(|| otlp.settled());
    assert_eq!(door.sent(|sent| sent.accepted.items), sent);
    door.sent(|sent| sent.unanswered = sent.accepted.clone());
    sink.check(&door);
}

/// A file of the Collector whose exporter joins requests in its queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_joins_requests_delivers_everything_in_fewer_requests() {
    const BATCH: &str =
        "sending_queue: {sizer: items, queue_size: 1000000, batch: {flush_timeout: 200ms, min_size: 8192}},";
    let sink = Sink::new(Duration::ZERO);
    let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
    let text = std::fs::read_to_string(forwarding(LIMIT_MIB, server.local_addr(), BATCH)).expect("its file");
    let config =
        file(&text.replace("memory_limiter, batch]", "memory_limiter]").replace("batch: , memory", "memory"));
    let otlp = Otlp::start(command(&["--config", &config]), FORWARDING);
    let door = Door::of(&otlp);
    let traffic = door.traffic();
    door.accepted_more(400).await;
    door.stop(traffic).await;
    let sent = block_in_place(|| otlp.settled());
    assert_eq!(sink.check(&door), sent);
    let metrics = otlp.metrics();
    assert_eq!(metrics.sum("otelcol_exporter_queue_capacity", "data_type=\"logs\""), 1_000_000);
    // Profiles with a dictionary cannot be joined, requests of the three other signals are.
    assert!(sink.requests() < 200, "{} requests", sink.requests());
}
