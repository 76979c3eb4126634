//! Connection pools: how many connections, how long they live, and what becomes of requests when they end.

use super::fake::{Fake, Reply, serve_http2};
use super::{batch, config, context};
use otlp_protocol::{Accepted, ErrorKind, Retry};
use otlp_transport::{Export, ExportResult, GrpcClient, HttpClient};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Starts `count` exports at once.
fn exports(client: &(impl Export + Clone), count: usize) -> Vec<tokio::task::JoinHandle<ExportResult>> {
    (0..count)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.export(batch().0).await })
        })
        .collect()
}

async fn all_accepted(exports: Vec<tokio::task::JoinHandle<ExportResult>>) {
    for export in exports {
        assert_eq!(export.await.unwrap().unwrap(), Accepted::FULL);
    }
}

/// Waits, with patience but not for ever.
async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: not reached");
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// A server that answers as permits are added, and the permits.
async fn held_back(max_streams: u32) -> (Fake, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(0));
    let held = permits.clone();
    let fake = Fake::http2_with(Some(max_streams), move |_| {
        let held = held.clone();
        async move {
            held.acquire().await.unwrap().forget();
            Reply::message(b"")
        }
    })
    .await;
    (fake, permits)
}

#[tokio::test]
async fn another_http2_connection_is_opened_only_when_streams_are_used_up() {
    let (fake, permits) = held_back(2).await;
    let mut config = config(fake.address);
    config.limits.max_connections = Some(3);
    let client = GrpcClient::new(&context(), &config).unwrap();
    // The first one learns the server's limit.
    permits.add_permits(1);
    client.export(batch().0).await.unwrap();

    let mut waiting = exports(&client, 2);
    until("two streams", || fake.seen().len() == 3).await;
    assert_eq!(fake.connections(), 1);
    waiting.extend(exports(&client, 1));
    until("a third stream", || fake.seen().len() == 4).await;
    assert_eq!(fake.connections(), 2);
    waiting.extend(exports(&client, 7));
    until("all streams of three connections", || fake.seen().len() == 7).await;
    permits.add_permits(100);
    all_accepted(waiting).await;
    assert_eq!((fake.seen().len(), fake.connections()), (11, 3));
}

#[tokio::test]
async fn requests_beyond_max_waiting_are_refused_retryably() {
    let (fake, permits) = held_back(1).await;
    let mut config = config(fake.address);
    config.limits.max_connections = Some(1);
    config.limits.max_waiting = 2;
    let client = GrpcClient::new(&context(), &config).unwrap();
    permits.add_permits(1);
    client.export(batch().0).await.unwrap();
    let pending = exports(&client, 3);
    until("one stream", || fake.seen().len() == 2).await;
    tokio::task::yield_now().await;
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    assert!(matches!(error.retry(), Retry::After(_)));
    assert_eq!(read(&client.pool().stats().refused_requests), 1);
    permits.add_permits(3);
    all_accepted(pending).await;
}

#[tokio::test]
async fn those_who_wait_share_one_attempt_to_connect() {
    let fake = Fake::http2(|_| Reply::message(b"")).await;
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    all_accepted(exports(&client, 50)).await;
    assert_eq!((fake.connections(), read(&client.pool().stats().connects)), (1, 1));
}

#[tokio::test]
async fn those_who_wait_share_the_failure_to_connect_and_a_later_one_tries_again() {
    let fake = Fake::http2(|_| Reply::message(b"")).await;
    let address = fake.address;
    fake.stop_accepting().await;
    let client = GrpcClient::new(&context(), &config(address)).unwrap();
    for export in exports(&client, 20) {
        let error = export.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
        assert!(error.message().contains(&address.to_string()), "{error}");
    }
    assert_eq!(read(&client.pool().stats().connect_failures), 1);

    let http = HttpClient::new(&context(), &config(address)).unwrap();
    for export in exports(&http, 20) {
        assert_eq!(export.await.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
    }

    let revived = Fake::http2_at(address, |_| Reply::message(b"")).await;
    client.export(batch().0).await.unwrap();
    assert_eq!(revived.seen().len(), 1);
}

#[tokio::test]
async fn a_dropped_export_does_not_end_the_connecting_others_wait_for() {
    let (fake, permits) = held_back(100).await;
    permits.add_permits(100);
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    let first = exports(&client, 1);
    tokio::task::yield_now().await;
    let others = exports(&client, 3);
    first.iter().for_each(tokio::task::JoinHandle::abort);
    all_accepted(others).await;
    assert_eq!(fake.connections(), 1);
}

/// RFC 9113 §6.8: streams above the last-stream-id of a GOAWAY were not processed.
#[tokio::test]
async fn what_goaway_leaves_behind_is_resent_at_once() {
    let fake = Fake::accept("127.0.0.1:0", |seen, number, io| {
        if number == 0 {
            tokio::spawn(go_away_at_first_request(io));
        } else {
            tokio::spawn(serve_http2(
                io,
                None,
                number,
                seen,
                Arc::new(|_| Box::pin(async { Reply::message(b"") })),
            ));
        }
    })
    .await;
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    all_accepted(exports(&client, 10)).await;
    assert_eq!((fake.connections(), fake.seen().len()), (2, 10));
    assert!(read(&client.pool().stats().resent_requests) >= 1);
    let stats = client.pool().stats().clone();
    until("the drained connection closes", || read(&stats.open_connections) == 1).await;
}

/// Says SETTINGS, waits for HEADERS, and then that it has processed nothing.
async fn go_away_at_first_request(mut io: TcpStream) {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GO_AWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut preface = [0; 24];
    io.read_exact(&mut preface).await.unwrap();
    io.write_all(SETTINGS).await.unwrap();
    loop {
        let mut header = [0; 9];
        io.read_exact(&mut header).await.unwrap();
        let len = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        io.read_exact(&mut vec![0; len as usize]).await.unwrap();
        if header[3] == 1 {
            io.write_all(GO_AWAY).await.unwrap();
            break;
        }
    }
    // The client is to close it.
    let _ = io.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn refused_streams_are_resent_once() {
    let refuse = || Reply::Reset(h2::Reason::REFUSED_STREAM);
    let fake = Fake::http2(move |seen| if seen.number == 0 { refuse() } else { Reply::message(b"") }).await;
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    client.export(batch().0).await.unwrap();
    assert_eq!(fake.seen()[0].body, fake.seen()[1].body);

    let fake = Fake::http2(move |_| refuse()).await;
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_broken_connection_fails_its_requests_retryably_and_is_replaced() {
    let fake = Fake::accept("127.0.0.1:0", |seen, number, io| {
        let server = serve_http2(
            io,
            None,
            number,
            seen,
            Arc::new(|seen| {
                Box::pin(async move { if seen.connection == 0 { Reply::Never } else { Reply::message(b"") } })
            }),
        );
        tokio::spawn(async move {
            // The first connection is cut in the middle of its request.
            let patience = if number == 0 { Duration::from_millis(50) } else { Duration::from_secs(60) };
            let _ = tokio::time::timeout(patience, server).await;
        });
    })
    .await;
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    client.export(batch().0).await.unwrap();
    assert_eq!(fake.connections(), 2);
}

/// A peer that accepts connections but is dead otherwise.
#[tokio::test]
async fn an_unanswered_ping_ends_the_connection() {
    let fake = Fake::accept("127.0.0.1:0", |_, _, mut io| {
        tokio::spawn(async move {
            let _ = io.read_to_end(&mut Vec::new()).await;
        });
    })
    .await;
    let mut config = config(fake.address);
    config.timeout = Some(Duration::ZERO);
    config.limits.keepalive_interval = Some(Duration::from_millis(20));
    config.limits.keepalive_timeout = Duration::from_millis(20);
    let client = GrpcClient::new(&context(), &config).unwrap();
    let error = client.export(batch().0).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    assert_eq!(read(&client.pool().stats().open_connections), 0);
}

#[tokio::test]
async fn answered_pings_keep_a_slow_connection() {
    let (fake, permits) = held_back(100).await;
    let mut config = config(fake.address);
    config.limits.keepalive_interval = Some(Duration::from_millis(5));
    let client = GrpcClient::new(&context(), &config).unwrap();
    let slow = exports(&client, 1);
    tokio::time::sleep(Duration::from_millis(60)).await;
    permits.add_permits(1);
    all_accepted(slow).await;
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn aged_connections_are_replaced() {
    let http2 = Fake::http2(|_| Reply::message(b"")).await;
    let http1 = Fake::http1(|_| OK.to_vec()).await;
    let aged = |fake: &Fake, age| {
        let mut config = config(fake.address);
        config.limits.max_connection_age = Some(age);
        config
    };
    let grpc = GrpcClient::new(&context(), &aged(&http2, Duration::from_millis(1))).unwrap();
    let http = HttpClient::new(&context(), &aged(&http1, Duration::from_millis(1))).unwrap();
    for _ in 0..3 {
        grpc.export(batch().0).await.unwrap();
        http.export(batch().0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((http2.connections(), http1.connections()), (3, 3));
}

/// The Collector's `disable_keep_alives`.
#[tokio::test]
async fn with_an_age_of_nothing_a_connection_takes_one_request() {
    let (http2, http1) = (Fake::http2(|_| Reply::message(b"")).await, Fake::http1(|_| OK.to_vec()).await);
    let once = |fake: &Fake| {
        let mut config = config(fake.address);
        config.limits.max_connection_age = Some(Duration::ZERO);
        config
    };
    let grpc = GrpcClient::new(&context(), &once(&http2)).unwrap();
    let http = HttpClient::new(&context(), &once(&http1)).unwrap();
    for _ in 0..3 {
        grpc.export(batch().0).await.unwrap();
        http.export(batch().0).await.unwrap();
    }
    assert_eq!((http2.connections(), http1.connections()), (3, 3));
}

#[tokio::test]
async fn http1_connections_are_reused_and_limited() {
    let fake = Fake::http1(|_| OK.to_vec()).await;
    let mut config = config(fake.address);
    config.limits.max_connections = Some(2);
    let client = HttpClient::new(&context(), &config).unwrap();
    for _ in 0..5 {
        client.export(batch().0).await.unwrap();
    }
    assert_eq!(fake.connections(), 1);
    all_accepted(exports(&client, 40)).await;
    assert_eq!((fake.connections(), fake.seen().len()), (2, 45));
    assert_eq!(read(&client.stats().open_connections), 2);
}

#[tokio::test]
async fn idle_http1_connections_close() {
    let fake = Fake::http1(|_| OK.to_vec()).await;
    let mut config = config(fake.address);
    config.limits.idle_timeout = Duration::from_millis(20);
    let client = HttpClient::new(&context(), &config).unwrap();
    all_accepted(exports(&client, 5)).await;
    until("all closed", || read(&client.stats().open_connections) == 0).await;
    client.export(batch().0).await.unwrap();
}

/// A request given up in the middle takes its HTTP/1.1 connection along, and frees its place.
#[tokio::test]
async fn http1_requests_given_up_free_their_place() {
    let fake = Fake::accept("127.0.0.1:0", |_, _, mut io| {
        tokio::spawn(async move {
            let _ = io.read_to_end(&mut Vec::new()).await;
        });
    })
    .await;
    let mut config = config(fake.address);
    config.timeout = Some(Duration::from_millis(40));
    config.limits.max_connections = Some(1);
    let client = HttpClient::new(&context(), &config).unwrap();
    for export in exports(&client, 3) {
        assert_eq!(export.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert_eq!(client.export(batch().0).await.unwrap_err().kind(), ErrorKind::Timeout);
    until("all closed", || read(&client.stats().open_connections) == 0).await;
}

#[tokio::test]
async fn connections_close_when_the_client_is_dropped() {
    let fake = Fake::http2(|_| Reply::message(b"")).await;
    let client = GrpcClient::new(&context(), &config(fake.address)).unwrap();
    client.export(batch().0).await.unwrap();
    let stats = client.pool().stats().clone();
    drop(client);
    until("closed", || read(&stats.open_connections) == 0).await;
}

#[test]
fn connections_may_be_dropped_where_there_is_no_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime();
    let fake = server.block_on(Fake::http1(|_| OK.to_vec()));
    let client = HttpClient::new(&context(), &config(fake.address)).unwrap();
    let pool = client.pools().next().unwrap();
    let connection = runtime().block_on(async { pool.get().await.unwrap() });
    assert!(!connection.is_multiplexed());
    drop(connection);
    runtime().block_on(async {
        let first = pool.get().await.unwrap();
        drop(first);
        assert!(!pool.get().await.unwrap().is_multiplexed());
    });
    drop(server);
}
