//! Does a slow observer slow the data? Many short pairs of runs through one gateway, each with a run without an observer and one
//! with an observer at every edge that takes 10 ms for each copy:
//! `cargo run --release -p otlp-benches --bin observed_throughput`. Single pairs differ by a third on a shared machine, so the
//! median of all counts.
//!
//! Requests come over gRPC from the same thread, so that the throughput is that of one core. Besides the requests in a second of
//! real time the program counts those in a second of the thread's CPU time (Linux), which other programs disturb less.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use futures_util::future::join_all;
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};
use otlp_service::{
    EdgeFilter, ExporterSpec, Gateway, GatewaySpec, NopExporter, Observed, PipelineSpec, ReceiverSpec,
    ServerSpec, Subscription, TelemetryObserver,
};
use otlp_transport::{
    Attempt as _, BoxAttempt, ClientConfig, Clock, Compression, GrpcClient, GrpcTransportStrategy,
    ServerConfig, TokioClock, TransportContext,
};
use std::cell::Cell;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Pairs of runs for each size of a request.
const PAIRS: usize = 100;
/// Length of a run.
const RUN: Duration = Duration::from_millis(200);

struct Slow;

impl TelemetryObserver for Slow {
    fn on_batch(&self, _: &Observed) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Requests in a second: of real time, of CPU time.
type Rates = [f64; 2];

/// Sends requests for one run, 16 at a time.
async fn throughput(client: &GrpcClient, body: &Body) -> Rates {
    let (begin, cpu_begin, requests) = (TokioClock.now(), cpu_time(), Cell::new(0u64));
    let senders = (0..16).map(|_| async {
        while TokioClock.now() - begin < RUN {
            client.attempt(&Batch::new(body.clone(), Charge::none())).await.unwrap();
            requests.set(requests.get() + 1);
        }
    });
    join_all(senders).await;
    let times = [TokioClock.now() - begin, cpu_time().saturating_sub(cpu_begin)];
    times.map(|time| requests.get() as f64 / time.as_secs_f64())
}

/// CPU time of this thread; zero where the system does not tell.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

async fn gateway() -> (Gateway, GrpcClient) {
    let server = ServerSpec::new(Arc::new(GrpcTransportStrategy), ServerConfig::new("127.0.0.1:0"));
    let mut pipeline = PipelineSpec::new("traces", Signal::TRACES);
    (pipeline.receivers, pipeline.exporters) = (vec!["otlp".into()], vec!["nop".into()]);
    let mut spec = GatewaySpec::default();
    let receiver = ReceiverSpec::otlp("otlp", vec![server]);
    let exporter = ExporterSpec::new("nop", BoxAttempt::new(NopExporter));
    (spec.receivers, spec.exporters, spec.pipelines) = (vec![receiver], vec![exporter], vec![pipeline]);
    let context = TransportContext::tcp(64 << 20);
    let gateway = Gateway::start(context.clone(), spec).await.unwrap();
    let (_, address) = gateway.endpoints().into_iter().find(|(name, _)| name == "otlp/grpc").unwrap();
    let mut config = ClientConfig::new(format!("http://{address}"));
    config.compression = Compression::None;
    (gateway, GrpcClient::new(&context, &config).unwrap())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut out = std::io::stdout();
    for spans in [1, 100] {
        let (gateway, client) = gateway().await;
        let body =
            Body::check(Signal::TRACES, otlp_benches::spans(spans), &ValidateLimits::default()).unwrap();
        throughput(&client, &body).await; // Connects, and warms up.
        let mut ratios = [Vec::new(), Vec::new()];
        for pair in 0..PAIRS {
            let mut subscription = Subscription::default();
            subscription.edges = EdgeFilter::All;
            let mut rates = [Rates::default(); 2];
            // Each goes first in every other pair.
            for turn in 0..2 {
                let is_observed = (pair + turn) % 2 == 1;
                let subscribed =
                    is_observed.then(|| gateway.observers().subscribe(subscription.clone(), Slow).unwrap());
                rates[usize::from(is_observed)] = throughput(&client, &body).await;
                if let Some(subscribed) = subscribed {
                    assert!(subscribed.lost().batches > 0, "the observer is slow");
                }
            }
            let [alone, observed] = rates;
            let [real, cpu] = [0, 1].map(|time| observed[time] / alone[time]);
            ratios[0].push(real);
            ratios[1].push(cpu);
        }
        for (of, ratios) in ["real time", "CPU time"].iter().zip(&mut ratios) {
            ratios.sort_by(f64::total_cmp);
            let [low, median, high] = [1, 2, 3].map(|quarter| ratios[PAIRS * quarter / 4]);
            writeln!(
                out,
                "{spans} spans, requests in {of}: median {median:.3}, quartiles {low:.3} to {high:.3}"
            )
            .unwrap();
        }
    }
}
