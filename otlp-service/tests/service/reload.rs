//! Reloads: what is kept, what is made anew, and what becomes of data that is on its way.

use crate::harness::*;
use crate::holders::{connector, dedup, exporter, forward, pipeline, start};
use otlp_protocol::Batch;
use otlp_service::{
    Alteration, BatchConfig, BoxError, ChangedKind, Exporter, ExporterSpec, Fingerprint, Gateway,
    GatewaySpec, LedgerLine, PipelineSpec, PipelineStage, StageSpec,
};
use otlp_transport::{Attempt, BoxExport, Export, ExportResult};
use parking_lot::Mutex;
use std::sync::Arc;

pub(crate) fn of(settings: &str) -> Fingerprint {
    Fingerprint::of(settings)
}

/// An exporter to a sink.
pub(crate) fn out(id: &str, sink: &Sink, settings: &str) -> ExporterSpec {
    exporter(id, sink, Some(queue(100, 1))).with_settings(of(settings))
}

pub(crate) fn batch_stage(config: BatchConfig, settings: &str) -> PipelineStage {
    PipelineStage::new("batch", StageSpec::Batch(config)).with_settings(of(settings))
}

fn hold_stage(settings: &str) -> PipelineStage {
    PipelineStage::new("hold", StageSpec::Holder(dedup())).with_settings(of(settings))
}

/// A batch processor that sends nothing by itself for a long time.
fn slow_batch() -> BatchConfig {
    let mut config = BatchConfig::default();
    config.timeout = seconds(1000);
    config
}

fn staged(stages: Vec<PipelineStage>) -> PipelineSpec {
    PipelineSpec { stages, ..pipeline("logs", &[], &["out"]) }
}

pub(crate) fn spec(exporters: Vec<ExporterSpec>, pipelines: Vec<PipelineSpec>) -> GatewaySpec {
    GatewaySpec { exporters, pipelines, ..GatewaySpec::default() }
}

fn inlet(gateway: &Gateway, pipeline: &str) -> BoxExport {
    gateway.inlet(pipeline).unwrap()
}

pub(crate) fn line(gateway: &Gateway, pipeline: &str, destination: &str) -> LedgerLine {
    let ledger = gateway.ledger();
    assert_eq!(ledger.check(), Ok(()));
    ledger.line(pipeline, destination).unwrap().clone()
}

async fn drained(gateway: Gateway) {
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn an_exporter_with_the_same_settings_keeps_its_queue() {
    let (one, other) = (Sink::always(Step::Slow(seconds(10))), Sink::default());
    let mut gateway = start(spec(vec![out("out", &one, "a")], vec![staged(vec![])])).await;
    for items in [1, 2, 3] {
        inlet(&gateway, "logs").export(logs(items)).await.unwrap();
    }
    settle().await;
    let kept = spec(vec![out("out", &other, "a")], vec![staged(vec![batch_stage(slow_batch(), "b")])]);
    let changes = gateway.reload(kept).await.unwrap();
    assert_eq!(changes.to_string(), "processor batch: added\npipeline logs: new connections");
    assert_eq!(gateway.metrics().get("otelcol_exporter_queue_size", &[]), Some(2.0));
    assert_eq!((line(&gateway, "logs", "out").accepted, other.attempts()), (6, 0));
    // With other settings the exporter is made anew, and the old one delivers what it has.
    let before = one.attempts();
    one.recover();
    let changes = gateway.reload(spec(vec![out("out", &other, "x")], vec![staged(vec![])])).await.unwrap();
    assert_eq!(
        (changes.changes[1].kind, changes.changes[1].what),
        (ChangedKind::Exporter, Alteration::Settings)
    );
    inlet(&gateway, "logs").export(logs(4)).await.unwrap();
    pass(seconds(60)).await;
    assert_eq!((before, one.items(), other.sizes()), (1, 6, vec![4]));
    let shown = gateway.metrics();
    assert_eq!(shown.get("otelcol_exporter_sent_log_records", &[]), Some(10.0));
    assert_eq!(line(&gateway, "logs", "out").sent, 10);
}

#[tokio::test(start_paused = true)]
async fn a_stage_is_kept_while_all_behind_it_is() {
    let (one, other) = (Sink::default(), Sink::default());
    let with = |sink: &Sink, settings: &str| {
        spec(vec![out("out", sink, settings)], vec![staged(vec![batch_stage(slow_batch(), "b")])])
    };
    let mut gateway = start(with(&one, "a")).await;
    let logs_in = inlet(&gateway, "logs");
    logs_in.export(logs(3)).await.unwrap();
    assert!(gateway.reload(with(&other, "a")).await.unwrap().is_empty());
    pass(seconds(5)).await;
    assert_eq!(line(&gateway, "logs", "out").queued, 3);
    // With what is behind it, the batch processor is replaced: what it holds goes the old way.
    gateway.reload(with(&other, "x")).await.unwrap();
    logs_in.export(logs(4)).await.unwrap();
    pass(seconds(5)).await;
    assert_eq!((one.sizes(), other.sizes()), (vec![3], vec![]));
    let shown = line(&gateway, "logs", "out");
    assert_eq!((shown.accepted, shown.sent, shown.queued), (7, 3, 4));
    drained(gateway).await;
    assert_eq!(other.sizes(), [4]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_without_known_settings_is_made_anew() {
    let sink = Sink::default();
    let with = || {
        let stage = PipelineStage::new("batch", StageSpec::Batch(slow_batch()));
        spec(vec![out("out", &sink, "a")], vec![staged(vec![stage])])
    };
    let mut gateway = start(with()).await;
    inlet(&gateway, "logs").export(logs(3)).await.unwrap();
    assert_eq!(gateway.reload(with()).await.unwrap().to_string(), "processor batch: new settings");
    pass(seconds(1)).await;
    assert_eq!(sink.sizes(), [3]);
}

#[tokio::test(start_paused = true)]
async fn a_holder_keeps_what_it_holds_when_what_is_behind_it_changes() {
    let (one, other) = (Sink::default(), Sink::default());
    let with = |sink: &Sink, settings: &str, hold: &str| {
        spec(vec![out("out", sink, settings)], vec![staged(vec![hold_stage(hold)])])
    };
    let mut gateway = start(with(&one, "a", "h")).await;
    let logs_in = inlet(&gateway, "logs");
    logs_in.export(logs(3)).await.unwrap();
    gateway.reload(with(&other, "b", "h")).await.unwrap();
    // It has seen this body before.
    logs_in.export(logs(3)).await.unwrap();
    pass(seconds(2)).await;
    assert_eq!((one.items(), other.sizes()), (0, vec![3]));
    assert_eq!(line(&gateway, "logs", "hold").filtered, 3);
    // With other settings it is another holder, and the old one emits what it holds.
    logs_in.export(logs(4)).await.unwrap();
    gateway.reload(with(&other, "b", "i")).await.unwrap();
    logs_in.export(logs(4)).await.unwrap();
    pass(seconds(2)).await;
    assert_eq!(other.sizes(), [3, 4, 4]);
    drained(gateway).await;
}

#[tokio::test(start_paused = true)]
async fn a_connector_is_led_to_the_new_pipeline() {
    let (one, other) = (Sink::default(), Sink::default());
    let with = |sink: &Sink, settings: &str, connector_settings: &str| GatewaySpec {
        connectors: vec![connector("join", forward()).with_settings(of(connector_settings))],
        exporters: vec![out("out", sink, settings)],
        pipelines: vec![pipeline("logs", &[], &["join"]), pipeline("logs/2", &["join"], &["out"])],
        ..GatewaySpec::default()
    };
    let mut gateway = start(with(&one, "a", "c")).await;
    let logs_in = inlet(&gateway, "logs");
    logs_in.export(logs(1)).await.unwrap();
    gateway.reload(with(&other, "b", "c")).await.unwrap();
    logs_in.export(logs(2)).await.unwrap();
    gateway.reload(with(&other, "b", "d")).await.unwrap();
    logs_in.export(logs(4)).await.unwrap();
    pass(seconds(1)).await;
    assert_eq!((one.sizes(), other.sizes()), (vec![1], vec![2, 4]));
    assert_eq!((line(&gateway, "logs", "join").sent, line(&gateway, "logs/2", "out").sent), (7, 7));
    drained(gateway).await;
}

/// A sender that waits for the answer to an open batch gets it, though the batch would stay open for long.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_replaced_batch_is_answered() {
    let sink = Sink::default();
    let with = |settings: &str| {
        let end_to_end = exporter("out", &sink, None).with_settings(of("a"));
        spec(vec![end_to_end], vec![staged(vec![batch_stage(slow_batch(), settings)])])
    };
    let mut gateway = start(with("b")).await;
    let waiting = send(&Arc::new(inlet(&gateway, "logs")), logs(3));
    settle().await;
    gateway.reload(with("c")).await.unwrap();
    pass(seconds(1)).await;
    assert!(waiting.is_finished() && waiting.await.unwrap().is_ok());
    assert_eq!(sink.sizes(), [3]);
}

/// What the first reload replaces drains into what the second one replaces.
#[tokio::test(start_paused = true)]
async fn a_second_reload_waits_for_what_the_first_still_drains() {
    let (one, other) = (Sink::always(Step::Slow(seconds(4))), Sink::default());
    let with = |sink: &Sink, exporter_settings: &str, batch: &str| {
        let mut out = out("out", sink, exporter_settings);
        out.queue = queue(1, 1);
        out.queue.on_full = otlp_service::OnFull::Block;
        spec(vec![out], vec![staged(vec![batch_stage(batch_config(), batch)])])
    };
    let mut gateway = start(with(&one, "a", "1")).await;
    let logs_in = inlet(&gateway, "logs");
    for _ in 0..4 {
        drop(send(&Arc::new(logs_in.clone()), logs(100)));
    }
    settle().await;
    gateway.reload(with(&one, "a", "2")).await.unwrap();
    settle().await;
    gateway.reload(with(&other, "b", "2")).await.unwrap();
    settle().await;
    gateway.reload(with(&other, "b", "3")).await.unwrap();
    let report = gateway.drain(now() + seconds(60)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    assert_eq!((one.items() + other.items(), report.ledger.line("logs", "out").unwrap().sent), (400, 400));
}

/// The deadline of a drain is also that of what reloads replaced.
#[tokio::test(start_paused = true)]
async fn a_drain_cuts_off_what_reloads_replaced() {
    let (stuck, sink) = (Sink::always(Step::Hang), Sink::default());
    let mut gateway = start(spec(vec![out("out", &stuck, "a")], vec![staged(vec![])])).await;
    inlet(&gateway, "logs").export(logs(3)).await.unwrap();
    gateway.reload(spec(vec![out("out", &sink, "b")], vec![staged(vec![])])).await.unwrap();
    inlet(&gateway, "logs").export(logs(4)).await.unwrap();
    let begin = now();
    let report = gateway.drain(begin + seconds(2)).await;
    assert!(now() - begin < seconds(4));
    assert_eq!((report.dropped_items, report.ledger.check(), sink.items()), (3, Ok(()), 4));
}

/// Writes down what is asked of it.
struct Recorder(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Attempt for Recorder {
    async fn attempt(&self, _: &Batch) -> ExportResult {
        Ok(otlp_protocol::Accepted::FULL)
    }
}

impl Exporter for Recorder {
    async fn start(&self) -> Result<(), BoxError> {
        self.0.lock().push(self.1);
        match self.1 {
            "fails" => Err("the disk is full".into()),
            "hangs" => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn stop(&self) {
        self.0.lock().push("stop");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_fails_or_is_dropped_stops_what_is_new() {
    let sink = Sink::default();
    let log: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let with = |names: &[&'static str]| {
        let mut exporters = vec![out("out", &sink, "a")];
        exporters.extend(names.iter().map(|name| ExporterSpec::managed(*name, Recorder(log.clone(), name))));
        spec(exporters, vec![staged(vec![batch_stage(slow_batch(), "b")])])
    };
    let mut gateway = start(with(&[])).await;
    inlet(&gateway, "logs").export(logs(3)).await.unwrap();
    let error = gateway.reload(with(&["starts", "fails"])).await.err().unwrap();
    assert_eq!(error.to_string(), "fails: the disk is full");
    assert_eq!(std::mem::take(&mut *log.lock()), ["starts", "fails", "stop"]);
    tokio::select! {
        biased;
        _ = gateway.reload(with(&["starts", "hangs"])) => panic!("it hangs"),
        () = pass(seconds(1)) => {}
    }
    settle().await;
    assert_eq!(std::mem::take(&mut *log.lock()), ["starts", "hangs", "stop"]);
    assert_eq!(line(&gateway, "logs", "out").queued, 3);
    assert!(gateway.reload(with(&[])).await.unwrap().is_empty());
    drained(gateway).await;
    assert_eq!(sink.sizes(), [3]);
}

#[tokio::test(start_paused = true)]
async fn removed_lines_are_summed_up_and_nothing_grows() {
    let sink = Sink::default();
    let with = |number: u64| {
        let (exporter, id) = (format!("out/{}", number % 7), format!("logs/{}", number % 5));
        let mut logs_in = pipeline("logs", &[], &[&exporter]);
        logs_in.stages = vec![batch_stage(batch_config(), &number.to_string()), hold_stage("h")];
        let other = pipeline(&id, &[], &[&exporter]);
        let mut spec = spec(vec![out(&exporter, &sink, &number.to_string())], vec![logs_in, other]);
        spec.drain_timeout = seconds(2);
        spec
    };
    let mut gateway = start(with(0)).await;
    let size = |gateway: &Gateway| {
        let families = gateway.metrics().families;
        let series: usize = families.iter().map(|family| family.samples.len()).sum();
        (series, gateway.ledger().lines.len(), tokio::runtime::Handle::current().metrics().num_alive_tasks())
    };
    let mut sizes = Vec::new();
    for number in 1..=200 {
        inlet(&gateway, "logs").export(logs(number)).await.unwrap();
        gateway.reload(with(number)).await.unwrap();
        inlet(&gateway, &format!("logs/{}", number % 5)).export(logs(1)).await.unwrap();
        if number % 35 == 0 {
            pass(seconds(10)).await;
            settle().await;
            sizes.push(size(&gateway));
        }
    }
    assert_eq!(sizes, vec![sizes[0]; sizes.len()]);
    let report = gateway.drain(now() + seconds(10)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    let sent = |line: &LedgerLine| if line.destination.starts_with("hold") { 0 } else { line.sent };
    let all: u64 = report.ledger.lines.iter().map(sent).sum();
    let removed = report.ledger.line("(removed)", "(removed)").unwrap();
    // The holder has a line of its own, which stays.
    assert_eq!((sink.items(), all), (200 * 201 / 2 + 200, 200 * 201 / 2 + 200));
    assert!(removed.sent > 0 && removed.is_balanced());
}
