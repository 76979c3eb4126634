//! The cost of a queue on disk: groups of requests appended to its files against one write and a sync of the same bytes; a backlog
//! delivered from the files against one delivered from memory, both over gRPC to a gateway in this process.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};
use otlp_service::{
    DiskCompression, DiskConfig, ExporterSpec, Gateway, GatewaySpec, NopExporter, PipelineSpec, QueueFiles,
    ReceiverSpec, ServerSpec,
};
use otlp_transport::{
    Attempt, BoxAttempt, ClientConfig, Clock as _, Compression, Export as _, ExportResult, GrpcClient,
    GrpcTransportStrategy, ServerConfig, SystemDisk, TokioClock, TransportContext,
};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Spans of a request of 56 KB.
const SPANS: usize = 100;
/// Groups in files that are then removed.
const GROUPS: u64 = 200;
/// Requests of a backlog: 112 MB, seven times what a queue on disk keeps in memory.
const BACKLOG: u64 = 2000;

fn body() -> Body {
    Body::check(Signal::TRACES, Bytes::from(otlp_benches::spans(SPANS)), &ValidateLimits::default()).unwrap()
}

fn batch(body: &Body) -> Batch {
    Batch::new(body.clone(), Charge::none())
}

/// An empty directory on the disk of the build.
fn directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("queue-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Appends so many groups to files in an empty directory, by what `open` returns. The first group, for which files are made, does not
/// count.
fn timed<A: FnMut()>(groups: u64, open: impl Fn(&Path) -> A) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = groups;
    while left > 0 {
        let directory = directory();
        let mut append = open(&directory);
        append();
        let begin = TokioClock.now();
        (0..left.min(GROUPS)).for_each(|_| append());
        time += TokioClock.now() - begin;
        left = left.saturating_sub(GROUPS);
        fs::remove_dir_all(&directory).unwrap();
    }
    time
}

fn append(criterion: &mut Criterion) {
    let body = body();
    for requests in [1, 16] {
        let mut group = criterion.benchmark_group(format!("append {requests} of 56 KB"));
        group.throughput(Throughput::Bytes((requests * body.len()) as u64));
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        let bytes = body.to_bytes().repeat(requests);
        group.bench_function("write and sync", |bencher| {
            bencher.iter_custom(|groups| {
                timed(groups, |directory| {
                    let mut file = File::create(directory.join("file")).unwrap();
                    let bytes = &bytes;
                    move || {
                        file.write_all(bytes).unwrap();
                        file.sync_data().unwrap();
                    }
                })
            });
        });
        let batches: Vec<_> = (0..requests).map(|_| batch(&body)).collect();
        group.bench_function("queue", |bencher| {
            bencher.iter_custom(|groups| {
                timed(groups, |directory| {
                    fs::write(QueueFiles::lock_file(directory), "").unwrap();
                    let files = QueueFiles::open(Arc::new(SystemDisk), directory, None).unwrap();
                    let batches = &batches;
                    move || {
                        files.append(batches, "traces", SystemTime::UNIX_EPOCH).unwrap();
                    }
                })
            });
        });
        group.finish();
    }
}

/// Sends once it is open, and counts.
struct Gate {
    client: GrpcClient,
    open: watch::Receiver<bool>,
    sent: Arc<AtomicU64>,
}

impl Attempt for Gate {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.open.clone().wait_for(|is_open| *is_open).await.unwrap();
        let result = self.client.attempt(batch).await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        result
    }
}

/// A gateway with a queue before the gate.
struct Gated {
    gateway: Gateway,
    open: watch::Sender<bool>,
    sent: Arc<AtomicU64>,
}

impl Gated {
    async fn start(address: &str, storage: Option<DiskConfig>) -> Self {
        let context = TransportContext::tcp(256 << 20);
        let mut config = ClientConfig::new(format!("http://{address}"));
        config.compression = Compression::None;
        let (open, opened) = watch::channel(false);
        let sent = Arc::new(AtomicU64::new(0));
        let client = GrpcClient::new(&context, &config).unwrap();
        let gate = Gate { client, open: opened, sent: sent.clone() };
        let mut exporter = ExporterSpec::new("out", BoxAttempt::new(gate));
        exporter.queue.queue_size = usize::MAX;
        exporter.queue.storage = storage;
        let spec = GatewaySpec {
            exporters: vec![exporter],
            pipelines: vec![PipelineSpec::new("traces", Signal::TRACES).with_exporter("out")],
            ..GatewaySpec::default()
        };
        Self { gateway: Gateway::start(context, spec).await.unwrap(), open, sent }
    }

    async fn fill(&self, body: &Body) {
        let inlet = self.gateway.inlet("traces").unwrap();
        let senders = (0..BACKLOG).map(|_| inlet.export(batch(body)));
        futures_util::future::try_join_all(senders).await.unwrap();
    }

    /// Returns the time in which the backlog is sent.
    async fn empty(&self) -> Duration {
        // What is in memory at the start is.
        TokioClock.sleep(Duration::from_millis(300)).await;
        let begin = TokioClock.now();
        self.open.send(true).unwrap();
        while self.sent.load(Ordering::Relaxed) < BACKLOG {
            TokioClock.sleep(Duration::from_millis(1)).await;
        }
        TokioClock.now() - begin
    }

    async fn stop(self) {
        self.gateway.drain(TokioClock.now() + Duration::from_millis(50)).await;
    }
}

/// A gateway that drops what it gets.
async fn sink() -> (Gateway, String) {
    let server = ServerSpec::new(Arc::new(GrpcTransportStrategy), ServerConfig::new("127.0.0.1:0"));
    let mut pipeline = PipelineSpec::new("traces", Signal::TRACES).with_exporter("nop");
    pipeline.receivers = vec!["otlp".into()];
    let spec = GatewaySpec {
        receivers: vec![ReceiverSpec::otlp("otlp", vec![server])],
        exporters: vec![ExporterSpec::new("nop", BoxAttempt::new(NopExporter))],
        pipelines: vec![pipeline],
        ..GatewaySpec::default()
    };
    let gateway = Gateway::start(TransportContext::tcp(256 << 20), spec).await.unwrap();
    let (_, address) = gateway.endpoints().into_iter().find(|(name, _)| name == "otlp/grpc").unwrap();
    (gateway, address.to_string())
}

async fn from_memory(address: &str, body: &Body) -> Duration {
    let gated = Gated::start(address, None).await;
    gated.fill(body).await;
    let time = gated.empty().await;
    gated.stop().await;
    time
}

async fn from_disk(address: &str, body: &Body, compression: DiskCompression) -> Duration {
    let directory = directory();
    let mut storage = DiskConfig::new(&directory);
    storage.compression = compression;
    let gated = Gated::start(address, Some(storage.clone())).await;
    gated.fill(body).await;
    gated.stop().await;
    let gated = Gated::start(address, Some(storage)).await;
    let time = gated.empty().await;
    gated.stop().await;
    fs::remove_dir_all(&directory).unwrap();
    time
}

fn drain(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (sink, address) = runtime.block_on(sink());
    let body = body();
    let mut group = criterion.benchmark_group("drain 2000 of 56 KB");
    group.throughput(Throughput::Bytes(BACKLOG * body.len() as u64));
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.bench_function("memory", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| runtime.block_on(from_memory(&address, &body))).sum());
    });
    for (name, compression) in [("disk", DiskCompression::None), ("disk, zstd", DiskCompression::Zstd)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                (0..times).map(|_| runtime.block_on(from_disk(&address, &body, compression))).sum()
            });
        });
    }
    group.finish();
    runtime.block_on(sink.drain(TokioClock.now() + Duration::from_secs(1)));
}

criterion_group!(benches, append, drain);
criterion_main!(benches);
