//! A gateway with a queue on disk that is killed again and again under load: what it has answered arrives.
//!
//! A test binary of its own: the ports of killed gateways go to others, which must not be those of other tests.
#![expect(clippy::disallowed_methods, reason = "the peers of the gateway open sockets of their own")]
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

#[path = "../app/process.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod process;

use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Accepted, Batch, Body, Charge, Signal};
use otlp_transport::{
    BoxExport, ClientConfig, Export, GrpcClient, GrpcTransportStrategy, Routes, ServerConfig, ServerStrategy,
    TransportContext,
};
use parking_lot::Mutex;
use process::{Otlp, command, file};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The number of deliveries of each request, by the number of the request.
type Arrived = Arc<Mutex<HashMap<u64, u32>>>;

/// A directory, removed on drop.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Kills the gateway `OTLP_KILLS` times, 50 by default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_by_kills() {
    let kills = std::env::var("OTLP_KILLS").map_or(50, |kills| kills.parse().expect("a number"));
    let directory = Directory(std::env::temp_dir().join(format!("otlp-killed-{}", std::process::id())));
    let arrived = Arrived::default();
    let context = TransportContext::tcp(1 << 28);
    let sink = GrpcTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), sink(&arrived));
    let sink = sink.await.expect("listen");
    let config = configuration(&directory.0, &sink.local_addr().to_string());
    let (mut answered, mut random, mut number) = (HashSet::new(), fastrand::Rng::with_seed(7), 0);
    for _ in 0..kills {
        let otlp = start(&config);
        let mut to_gateway = ClientConfig::new(format!("http://{}", otlp.address("otlp/grpc")));
        to_gateway.timeout = Some(Duration::from_secs(1));
        let client = Arc::new(GrpcClient::new(&context, &to_gateway).expect("a client"));
        let is_over = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for sender in 0..SENDERS {
            // Each request is sent once: what arrives twice was sent twice by the gateway.
            senders.spawn(send(client.clone(), number + sender, is_over.clone()));
        }
        number += SENDERS << 32;
        tokio::time::sleep(Duration::from_millis(random.u64(5..120))).await;
        // Another process may get the port: nothing more is sent there.
        is_over.store(true, Ordering::Relaxed);
        // Dropping kills it, with the requests in flight.
        tokio::task::spawn_blocking(move || drop(otlp)).await.expect("killed");
        while let Some(sent) = senders.join_next().await {
            answered.extend(sent.expect("no panic"));
        }
    }
    let otlp = start(&config);
    let deadline = Instant::now() + Duration::from_secs(30);
    let missing = |arrived: &Arrived| {
        let arrived = arrived.lock();
        answered.iter().filter(|number| !arrived.contains_key(number)).count()
    };
    while missing(&arrived) > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(otlp);
    assert_eq!(missing(&arrived), 0, "of {} answered requests", answered.len());
    assert!(answered.len() as u64 > 10 * kills, "only {} requests were answered", answered.len());
    let duplicates: u64 = arrived.lock().values().map(|times| u64::from(times - 1)).sum();
    println!("{kills} kills: {} requests answered, none lost, {duplicates} duplicates", answered.len());
    assert!(duplicates <= kills * CONSUMERS, "{duplicates} duplicates after {kills} kills");
}

/// Sends requests one after the other until that is over; returns the numbers of those that were answered.
async fn send(client: Arc<GrpcClient>, mut number: u64, is_over: Arc<AtomicBool>) -> Vec<u64> {
    let mut answered = Vec::new();
    while !is_over.load(Ordering::Relaxed) && client.export(batch(number)).await.is_ok() {
        answered.push(number);
        number += SENDERS;
    }
    answered
}

fn batch(number: u64) -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.event_name(&format!("<{number}>"));
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}

/// Takes each request after some milliseconds.
fn sink(arrived: &Arrived) -> Routes {
    let arrived = arrived.clone();
    let take = move |batch: Batch| {
        let arrived = arrived.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..5))).await;
            let text = String::from_utf8_lossy(&batch.body().plain().to_contiguous()).into_owned();
            for name in text.split('<').skip(1).filter_map(|rest| rest.split_once('>')) {
                *arrived.lock().entry(name.0.parse().expect("a number")).or_default() += 1;
            }
            Ok(Accepted::FULL)
        }
    };
    Routes::new().with(Signal::LOGS, BoxExport::from_fn(take))
}

fn configuration(directory: &Path, sink: &str) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         extensions: {{file_storage: {{directory: '{}', create_directory: true}}}}\n\
         exporters: {{otlp: {{endpoint: 'http://{sink}', sending_queue: {{storage: file_storage, num_consumers: \
         {CONSUMERS}}}}}}}\n\
         service: {{extensions: [file_storage], telemetry: {{metrics: {{level: none}}}}, pipelines: {{logs: {{receivers: \
         [otlp], exporters: [otlp]}}}}}}\n",
        directory.display()
    ))
}

fn start(config: &str) -> Otlp {
    Otlp::start(command(&["--config", config]), &["otlp/grpc"])
}

const SENDERS: u64 = 16;
const CONSUMERS: u64 = 4;
