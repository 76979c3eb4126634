//! Does a slow observer slow the data? Eight pairs of runs through one gateway, one without an observer and one with an
//! observer that takes 10 ms for each copy: `cargo run --release -p otlp-benches --bin observed_throughput`.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use otlp_protocol::{Batch, Signal, ValidateLimits};
use otlp_service::{
    EdgeFilter, ExporterSpec, Gateway, GatewaySpec, NopExporter, Observed, PipelineSpec, Subscription,
    TelemetryObserver,
};
use otlp_transport::{BoxAttempt, BoxExport, Clock, Export, TokioClock, TransportContext};
use std::io::Write as _;
use std::time::Duration;

struct Slow;

impl TelemetryObserver for Slow {
    fn on_batch(&self, _: &Observed) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends requests of `spans` spans for a second, each received anew; requests a second.
async fn throughput(inlet: &BoxExport, body: &bytes::Bytes, context: &TransportContext) -> f64 {
    let (begin, mut requests) = (TokioClock.now(), 0u64);
    loop {
        for _ in 0..100 {
            let charge = context.budget.try_charge(body.len() as u64).unwrap();
            let received = bytes::Bytes::copy_from_slice(body);
            let batch = Batch::checked(Signal::TRACES, received, &ValidateLimits::default(), charge).unwrap();
            inlet.export(batch).await.unwrap();
            requests += 1;
        }
        let elapsed = TokioClock.now() - begin;
        if elapsed >= Duration::from_secs(1) {
            return requests as f64 / elapsed.as_secs_f64();
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut out = std::io::stdout();
    for spans in [1, 100] {
        let mut pipeline = PipelineSpec::new("traces", Signal::TRACES);
        pipeline.exporters = vec!["nop".into()];
        let mut exporter = ExporterSpec::new("nop", BoxAttempt::new(NopExporter));
        exporter.queue.enabled = false;
        let mut spec = GatewaySpec::default();
        (spec.exporters, spec.pipelines) = (vec![exporter], vec![pipeline]);
        let context = TransportContext::tcp(64 << 20);
        let gateway = Gateway::start(context.clone(), spec).await.unwrap();
        let inlet = gateway.inlet("traces").unwrap();
        let body = bytes::Bytes::from(otlp_benches::spans(spans));
        let mut ratios = Vec::new();
        for pair in 0..8 {
            let mut subscription = Subscription::default();
            subscription.edges = EdgeFilter::All;
            let mut rates = [0.0; 2];
            // Each goes first in every other pair.
            for turn in 0..2 {
                let is_observed = (pair + turn) % 2 == 1;
                let subscribed =
                    is_observed.then(|| gateway.observers().subscribe(subscription.clone(), Slow).unwrap());
                rates[usize::from(is_observed)] = throughput(&inlet, &body, &context).await;
                drop(subscribed);
            }
            let ratio = rates[1] / rates[0];
            writeln!(out, "{spans} spans: {:.0} → {:.0} requests a second: {ratio:.3}", rates[0], rates[1])
                .unwrap();
            ratios.push(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        writeln!(out, "{spans} spans: median {:.3}", (ratios[3] + ratios[4]) / 2.0).unwrap();
    }
}
