//! Bad input among good: each body gets its verdict, nothing bad gets on, nothing good is lost, memory stays bounded.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::door::Door;
use crate::peers::{Answer, Peer, Verdict, call_head, framed, http_answer, post, within};
use crate::process::{FORWARDING, Otlp, command, forwarding, frugal, limited};
use crate::sink::{Sink, one_item};
use crate::vectors::{Vector, vectors};
use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use otlp_protocol::{BufferPool, Payload, Repairs, Signal, ValidateLimits, repair};
use otlp_transport::{Codec, codec};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, block_in_place};

const LIMIT_MIB: u64 = 128;
/// What the process may use beside bodies: itself, connections, pools, what is being compressed.
const ALLOWANCE_MIB: u64 = 56;
const LARGE_BYTES: usize = 400_000;

/// The bodies that the test sends. All are made before the first connection is opened: to make them takes long, and a peer
/// whose request comes late is cut off.
struct Bodies {
    vectors: Vec<(Vector, Option<Bytes>)>,
    bombs: Vec<Bomb>,
}

/// Encoding, bytes as they are sent, and verdict.
type Bomb = (Option<String>, Bytes, Verdict);

impl Bodies {
    fn new() -> Arc<Self> {
        let vectors = vectors();
        assert!(vectors.len() > 90);
        let bombs = bombs(&vectors);
        let with_sound = |vector| {
            let sound = sound(&vector);
            (vector, sound)
        };
        Arc::new(Self { vectors: vectors.into_iter().map(with_sound).collect(), bombs })
    }
}

/// Returns the body that the gateway sends on for an accepted vector: without spans whose ids have the wrong length.
fn sound(vector: &Vector) -> Option<Bytes> {
    (vector.verdict == Verdict::Accepted).then(|| {
        let (plain, limits) = (vector.plain(), ValidateLimits::default());
        let sound = repair(vector.signal, &plain, &limits, Repairs::default(), 64 << 20);
        sound.expect("a sound body").body.plain().to_contiguous()
    })
}

/// What inflates to more than it should: over the limit of a request, and under it but over that of memory when eight
/// come at a time. Also 100,000 levels in the clear.
fn bombs(vectors: &[Vector]) -> Vec<Bomb> {
    let mut bombs = Vec::new();
    for vector in vectors {
        if vector.name.starts_with("bomb_100MiB") && vector.verdict == Verdict::TooLarge {
            bombs.push((vector.encoding.clone(), vector.wire.clone(), vector.verdict));
        }
        if vector.name.ends_with("_depth_100000") {
            bombs.push((None, vector.plain(), Verdict::Invalid));
        }
    }
    let mut plain = vec![0; 24 << 20];
    // Large as they come, they are inflated beside each other.
    fastrand::Rng::with_seed(5).fill(&mut plain[1..LARGE_BYTES]);
    let plain = Payload::from(Bytes::from(plain));
    for name in ["gzip", "zstd", "br"] {
        let wire = codec(name)
            .and_then(Codec::compressor)
            .expect("a codec")
            .compress(&plain, &BufferPool::new(1))
            .expect("compress");
        bombs.push((Some(name.to_owned()), wire, Verdict::Invalid));
    }
    assert_eq!(bombs.len(), 8);
    bombs
}

/// Every vector, one after the other.
async fn send_vectors(door: Door, bodies: Arc<Bodies>, is_grpc: bool) {
    for (vector, sound) in &bodies.vectors {
        let verdict = door.send(is_grpc, vector.signal, vector.encoding.as_deref(), &vector.wire).await;
        assert_eq!(verdict, vector.verdict, "{} over {}", vector.name, if is_grpc { "gRPC" } else { "HTTP" });
        if let Some(sound) = sound {
            door.sent(|sent| sent.accepted.add(vector.signal, sound));
        }
    }
}

/// Every bomb, eight at a time.
async fn send_bombs(door: Door, bodies: Arc<Bodies>, is_grpc: bool) {
    for (encoding, wire, expected) in &bodies.bombs {
        let mut answers = Vec::new();
        // As long as others take all of the memory.
        while !answers.contains(expected) {
            let eight = (0..8).map(|_| async {
                let mut peer = door.connect(is_grpc).await;
                peer.send(Signal::LOGS, encoding.as_deref(), wire).await.expect("an answer").verdict
            });
            answers = within("memory", join_all(eight)).await;
            assert!(
                answers.iter().all(|verdict| [*expected, Verdict::Busy].contains(verdict)),
                "{answers:?}"
            );
        }
    }
}

/// Bodies that never end; they are held open for as long as what is returned lives.
async fn stall(door: &Door) -> (Vec<TcpStream>, JoinSet<()>) {
    let mut streams = Vec::new();
    let half = [post(Signal::LOGS, "", 1 << 20).as_bytes(), &[10; 1000]].concat();
    for begun in [&half[..], b"POST /v1/lo", b"PRI * HT"] {
        for is_grpc in [true, false] {
            for _ in 0..5 {
                let mut stream = door.open(is_grpc).await;
                stream.write_all(begun).await.expect("it takes what comes");
                streams.push(stream);
            }
        }
    }
    let mut calls = JoinSet::new();
    for _ in 0..5 {
        let Peer::Grpc(sender) = door.connect(true).await else { unreachable!() };
        let mut ready = sender.ready().await.expect("a stream");
        let head = call_head(Signal::LOGS).body(()).expect("a head");
        let (response, mut stream) = ready.send_request(head, false).expect("a stream");
        stream.send_data(framed(false, &[10; 1000]).slice(..500), false).expect("some data");
        calls.spawn(async move {
            let _ = response.await;
            drop(stream);
        });
    }
    (streams, calls)
}

/// Requests whose connection, or stream, ends in the middle of the body.
async fn break_off(door: Door) {
    let (signal, body) = one_item(u64::MAX, 100_000);
    for _ in 0..30 {
        let mut stream = door.open(false).await;
        let _ = stream.write_all(post(signal, "", body.len()).as_bytes()).await;
        let _ = stream.write_all(&body[..body.len() / 2]).await;
        drop(stream);
        let Peer::Grpc(sender) = door.connect(true).await else { unreachable!() };
        let mut ready = sender.ready().await.expect("a stream");
        let head = call_head(signal).body(()).expect("a head");
        let (_, mut stream) = ready.send_request(head, false).expect("a stream");
        let _ = stream.send_data(framed(false, &body).slice(..body.len() / 2), false);
        tokio::task::yield_now().await;
        stream.send_reset(h2::Reason::CANCEL);
    }
}

/// What is too large by its own account, and what is not HTTP at all.
async fn send_garbage(door: Door) {
    let large = "x".repeat(20 << 10);
    let heads = [
        (post(Signal::LOGS, &format!("x: {large}\r\n"), 0), Verdict::Other, 431),
        (post(Signal::LOGS, &"x: y\r\n".repeat(100), 0), Verdict::Other, 431),
        (post(Signal::LOGS, "", 65 << 20), Verdict::TooLarge, 413),
        ("\0\r\n\r\n".to_owned(), Verdict::Invalid, 400),
    ];
    for (head, verdict, status) in heads {
        let mut stream = door.open(false).await;
        stream.write_all(head.as_bytes()).await.expect("it takes what comes");
        let answer = within("a refusal", http_answer(&mut stream, &mut BytesMut::new())).await;
        assert_eq!(answer, Some(Answer { verdict, status }));
    }
    let mut random = fastrand::Rng::with_seed(3);
    for n in 0..40 {
        // Of TLS, of HTTP/2, and of nothing.
        let begin = [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""][n % 3];
        let noise: Vec<u8> = (0..4096).map(|_| random.u8(..)).collect();
        let mut stream = door.open(n % 2 == 0).await;
        let _ = stream.write_all(&[begin, &noise].concat()).await;
        let _ = stream.shutdown().await;
        let _ = within("closing", stream.read_to_end(&mut Vec::new())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_its_verdict_and_harms_nothing_good() {
    let bodies = Bodies::new();
    let sink = Sink::new(Duration::ZERO);
    let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
    let otlp =
        Otlp::start(frugal(&["--config", &forwarding(LIMIT_MIB, server.local_addr(), "")]), FORWARDING);
    let door = Door::of(&otlp);
    let good = door.traffic();
    let stalled = stall(&door).await;
    let mut bad = JoinSet::new();
    for is_grpc in [true, false] {
        bad.spawn(send_vectors(door.clone(), bodies.clone(), is_grpc));
        bad.spawn(send_vectors(door.clone(), bodies.clone(), is_grpc));
        bad.spawn(send_bombs(door.clone(), bodies.clone(), is_grpc));
    }
    bad.spawn(break_off(door.clone()));
    bad.spawn(send_garbage(door.clone()));
    bad.join_all().await;
    door.stop(good).await;
    drop(stalled);

    let sent = block_in_place(|| otlp.settled());
    assert_eq!(sink.check(&door), sent);
    assert_eq!(door.sent(|sent| sent.unanswered.items), 0);
    let peak = otlp.peak_rss_bytes() >> 20;
    assert!(peak <= LIMIT_MIB + ALLOWANCE_MIB, "{peak} MiB were resident");
    otlp.signal("TERM");
    assert_eq!(block_in_place(|| otlp.exit_code()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_malformed_body_among_a_hundred_takes_none_with_it() {
    let sink = Sink::new(Duration::ZERO);
    let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
    let otlp =
        Otlp::start(command(&["--config", &forwarding(LIMIT_MIB, server.local_addr(), "")]), FORWARDING);
    let door = Door::of(&otlp);
    for is_grpc in [true, false] {
        let door = &door;
        let requests = (0..101).map(|n| async move {
            let (signal, mut body) = door.next(100);
            if n == 50 {
                body = body.slice(..body.len() - 1);
            }
            let verdict = door.send(is_grpc, signal, None, &body).await;
            assert_eq!(verdict, if n == 50 { Verdict::Invalid } else { Verdict::Accepted });
            if verdict == Verdict::Accepted {
                door.sent(|sent| sent.accepted.add(signal, &body));
            }
        });
        join_all(requests).await;
    }
    assert_eq!(block_in_place(|| otlp.settled()), 200);
    assert_eq!(sink.check(&door), 200);
}

/// Scenario: many more idle connections than the process may have file descriptors. Guarantee: new senders, the
/// destination and the port of the metrics get theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_senders_are_served_beside_more_idle_ones_than_descriptors() {
    let sink = Sink::new(Duration::ZERO);
    let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
    let config = forwarding(LIMIT_MIB, server.local_addr(), "");
    let otlp = Otlp::start(limited("-n 256", &["--config", &config]), FORWARDING);
    let door = Door::of(&otlp);
    let mut crowd = Vec::new();
    for n in 0..600 {
        crowd.push(door.open(n % 2 == 0).await);
    }
    for is_grpc in [true, false] {
        door.send_next(is_grpc).await;
    }
    assert_eq!(block_in_place(|| otlp.settled()), 2);
    assert_eq!(sink.check(&door), 2);
    let metrics = block_in_place(|| otlp.metrics());
    assert!(metrics.sum("otlp_server_evicted_connections", "") > 0);
    drop(crowd);
}
