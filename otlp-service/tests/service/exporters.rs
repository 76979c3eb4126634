//! Exporters and extensions that are started and stopped with their gateway.

use crate::harness::*;
use crate::holders::{exporter, pipeline};
use otlp_protocol::{Accepted, Batch};
use otlp_service::{
    BoxError, Exporter, ExporterSpec, Extension, ExtensionSpec, Gateway, GatewaySpec, Inlets, Needs,
    Receiver, ReceiverSpec, Running, StartError,
};
use otlp_transport::{Attempt, BoxExport, Export, ExportResult, TransportContext};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what is asked of it.
struct Recorder {
    id: &'static str,
    log: Log,
    fails: bool,
    hangs: bool,
}

impl Recorder {
    fn note(&self, what: impl std::fmt::Display) {
        self.log.lock().push(format!("{} {what}", self.id));
    }
}

impl Attempt for Recorder {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.note(batch.items());
        Ok(Accepted::FULL)
    }
}

impl Exporter for Recorder {
    fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        needs.peer = true;
        needs
    }

    async fn start(&self) -> Result<(), BoxError> {
        self.note("start");
        if self.fails { Err("disk full".into()) } else { Ok(()) }
    }

    async fn flush(&self) {
        self.note("flush");
        if self.hangs {
            std::future::pending::<()>().await;
        }
    }

    async fn stop(&self) {
        self.note("stop");
    }
}

/// Writes down when it is started and stopped.
struct Beside(Recorder);

impl Extension for Beside {
    async fn start(&self) -> Result<(), BoxError> {
        Exporter::start(&self.0).await
    }

    async fn stop(&self) {
        Exporter::stop(&self.0).await;
    }
}

fn beside(id: &'static str, log: &Log, fails: bool) -> ExtensionSpec {
    ExtensionSpec::new(id, Beside(Recorder { id, log: log.clone(), fails, hangs: false }))
}

/// Sends one batch when it starts.
struct Once(Log);

/// Its way in, which shows its metrics for as long as it lives.
struct Started(Log, #[expect(dead_code, reason = "held for its metrics")] BoxExport);

impl Receiver for Once {
    type Running = Started;

    async fn start(self, inlets: Inlets, _: &TransportContext) -> Result<Started, StartError> {
        self.0.lock().push("receiver start".into());
        assert!(inlets.needs().peer && inlets.receiver() == "once");
        let to = inlets.signals().next().and_then(|signal| inlets.to(signal, "memory")).unwrap();
        to.export(logs(7)).await.unwrap();
        Ok(Started(self.0, to))
    }
}

impl Running for Started {
    async fn drain(self, _: Instant) {
        self.0.lock().push("receiver drain".into());
    }
}

fn recorder(id: &'static str, log: &Log, fails: bool, hangs: bool) -> ExporterSpec {
    let mut spec = ExporterSpec::managed(id, Recorder { id, log: log.clone(), fails, hangs });
    spec.queue = queue(10, 1);
    spec
}

#[tokio::test(start_paused = true)]
async fn exporters_start_first_and_stop_last() {
    for hangs in [false, true] {
        let log = Log::default();
        let gateway = Gateway::start(
            TransportContext::tcp(1 << 20),
            GatewaySpec {
                receivers: vec![ReceiverSpec::new("once", Once(log.clone()))],
                exporters: vec![recorder("out", &log, false, hangs)],
                pipelines: vec![pipeline("logs", &["once"], &["out"])],
                ..GatewaySpec::default()
            },
        )
        .await
        .unwrap();
        let accepted =
            gateway.metrics().get("otelcol_receiver_accepted_log_records", &[("transport", "memory")]);
        assert_eq!(accepted, Some(7.0));
        let report = gateway.drain(now() + seconds(5)).await;
        assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
        let expect = ["out start", "receiver start", "receiver drain", "out 7", "out flush", "out stop"]
            .map(String::from);
        assert_eq!(*log.lock(), expect);
    }
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_cannot_start_stops_the_others() {
    let log = Log::default();
    let spec = GatewaySpec {
        exporters: vec![
            recorder("first", &log, false, false),
            recorder("second", &log, true, false),
            exporter("third", &Sink::default(), None),
        ],
        ..GatewaySpec::default()
    };
    let error = Gateway::start(TransportContext::tcp(1 << 20), spec).await.err().unwrap();
    assert_eq!(error.to_string(), "second: disk full");
    assert_eq!(*log.lock(), ["first start", "second start", "first flush", "first stop"].map(String::from));
}

#[tokio::test(start_paused = true)]
async fn extensions_start_before_all_others_and_stop_after_them() {
    let log = Log::default();
    let spec = |fails| GatewaySpec {
        extensions: vec![beside("first", &log, false), beside("second", &log, fails)],
        receivers: vec![ReceiverSpec::new("once", Once(log.clone()))],
        exporters: vec![recorder("out", &log, false, true)],
        pipelines: vec![pipeline("logs", &["once"], &["out"])],
        ..GatewaySpec::default()
    };
    let gateway = Gateway::start(TransportContext::tcp(1 << 20), spec(false)).await.unwrap();
    gateway.drain(now() + seconds(5)).await;
    let expect = [
        "first start",
        "second start",
        "out start",
        "receiver start",
        "receiver drain",
        "out 7",
        "out flush",
        "out stop",
        "second stop",
        "first stop",
    ];
    assert_eq!(*std::mem::take(&mut *log.lock()), expect.map(String::from));

    let error = Gateway::start(TransportContext::tcp(1 << 20), spec(true)).await.err().unwrap();
    assert_eq!(error.to_string(), "second: disk full");
    assert_eq!(*log.lock(), ["first start", "second start", "first stop"].map(String::from));
    let twice = GatewaySpec {
        extensions: vec![beside("first", &log, false), beside("first", &log, false)],
        ..GatewaySpec::default()
    };
    assert_eq!(twice.check().unwrap_err().to_string(), "extension first is defined twice");
}
