//! The connector `forward`: copies into pipelines of the same signal, and the ledger of those.

use crate::harness::*;
use crate::holders::{connector, exporter, pipeline, start};
use otlp_protocol::{Batch, Charge, Count, Signal};
use otlp_service::{Delivery, ForwardConnector, Gateway, GatewaySpec, LedgerLine, PipelineSpec, StartError};
use otlp_transport::{Export, TransportContext};

/// A pipeline of a signal, with the name `SIGNAL/name`.
fn of(signal: Signal, name: &str, receivers: &[&str], exporters: &[&str]) -> PipelineSpec {
    PipelineSpec { signal, ..pipeline(&format!("{signal}/{name}"), receivers, exporters) }
}

/// A gateway with two sinks `a` and `b` and the connector `forward`.
fn spec(sinks: &[Sink; 2], pipelines: Vec<PipelineSpec>) -> GatewaySpec {
    GatewaySpec {
        connectors: vec![connector("forward", ForwardConnector::spec())],
        exporters: vec![exporter("a", &sinks[0], None), exporter("b", &sinks[1], None)],
        pipelines,
        ..GatewaySpec::default()
    }
}

fn items(signal: Signal, items: u64) -> Batch {
    Batch::unchecked(signal, vec![0x0a, 0x00], Count { items, entries: items }, true, Charge::none())
}

fn line(gateway: &Gateway, pipeline: &str) -> LedgerLine {
    let ledger = gateway.ledger();
    assert_eq!(ledger.check(), Ok(()));
    ledger.line(pipeline, "forward").unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn several_pipelines_lead_into_several_of_their_signal() {
    for signal in Signal::ALL {
        let sinks = [Sink::default(), Sink::default()];
        let other = if signal == Signal::LOGS { Signal::TRACES } else { Signal::LOGS };
        let pipelines = vec![
            of(signal, "1", &[], &["forward"]),
            of(signal, "2", &[], &["forward"]),
            of(other, "in", &[], &["forward"]),
            of(signal, "a", &["forward"], &["a"]),
            of(signal, "b", &["forward"], &["b"]),
            of(other, "out", &["forward"], &["b"]),
        ];
        let gateway = start(spec(&sinks, pipelines)).await;
        let inlet = |name: &str| gateway.inlet(&format!("{signal}/{name}")).unwrap();
        inlet("1").export(items(signal, 3)).await.unwrap();
        inlet("2").export(items(signal, 4)).await.unwrap();
        // The other signal goes into the pipeline of that signal alone.
        gateway.inlet(&format!("{other}/in")).unwrap().export(items(other, 5)).await.unwrap();
        assert_eq!(sinks[0].signals(), [(signal.name, 3), (signal.name, 4)]);
        assert_eq!(sinks[1].signals(), [(signal.name, 3), (signal.name, 4), (other.name, 5)]);
        let forwarded = line(&gateway, &format!("{signal}/1"));
        assert_eq!((forwarded.accepted, forwarded.produced, forwarded.sent), (3, 3, 6));
        let report = gateway.drain(now() + seconds(5)).await;
        assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_those_of_the_pipelines_behind() {
    let sinks = [Sink::scripted([Step::Reject(2, "two are bad"), UNAVAILABLE]), Sink::default()];
    let pipelines = vec![
        of(Signal::LOGS, "in", &[], &["forward"]),
        of(Signal::LOGS, "a", &["forward"], &["a"]),
        of(Signal::LOGS, "b", &["forward"], &["b"]),
    ];
    let gateway = start(spec(&sinks, pipelines)).await;
    assert_eq!(gateway.delivery("logs/in"), Some(Delivery::EndToEnd));
    let inlet = gateway.inlet("logs/in").unwrap();
    assert_eq!(inlet.export(items(Signal::LOGS, 5)).await.unwrap().rejected, 2);
    let error = inlet.export(items(Signal::LOGS, 7)).await.unwrap_err();
    assert!(error.retry().is_retryable());
    let forwarded = line(&gateway, "logs/in");
    // The pipeline b has the second batch too, although its sender will try again.
    assert_eq!((forwarded.accepted, forwarded.produced, forwarded.refused), (5, 5 + 7, 7));
    assert_eq!((forwarded.sent, forwarded.rejected), (3 + 5 + 7, 2));
    assert_eq!((sinks[0].items(), sinks[1].items()), (5, 12));
}

/// Behind a queue the connector is in memory mode, and what the queue refuses is refused.
#[tokio::test(start_paused = true)]
async fn the_delivery_is_that_of_the_pipelines_behind() {
    let sinks = [Sink::always(Step::Hang), Sink::default()];
    let pipelines =
        vec![of(Signal::LOGS, "in", &[], &["forward"]), of(Signal::LOGS, "out", &["forward"], &["queued"])];
    let mut spec = spec(&sinks, pipelines);
    spec.exporters.push(exporter("queued", &sinks[0], Some(queue(10, 1))));
    let gateway = start(spec).await;
    assert_eq!(gateway.delivery("logs/in"), Some(Delivery::Memory));
    let inlet = gateway.inlet("logs/in").unwrap();
    inlet.export(items(Signal::LOGS, 1)).await.unwrap();
    pass(seconds(1)).await;
    inlet.export(items(Signal::LOGS, 1)).await.unwrap();
    assert_eq!(line(&gateway, "logs/in").sent, 2);
}

#[tokio::test]
async fn a_connector_that_finds_no_pipeline_of_its_signal_is_refused() {
    let sinks = [Sink::default(), Sink::default()];
    let pipelines =
        vec![of(Signal::LOGS, "in", &[], &["forward"]), of(Signal::TRACES, "out", &["forward"], &["a"])];
    let error: StartError =
        Gateway::start(TransportContext::tcp(1 << 20), spec(&sinks, pipelines)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "connector forward leads nowhere from logs/in: no pipeline that it can emit into has it among its receivers"
    );
    // Ways of different signals are no cycle together.
    let pipelines = vec![
        of(Signal::LOGS, "in", &["back"], &["forward"]),
        of(Signal::LOGS, "out", &["forward"], &["a"]),
        of(Signal::TRACES, "in", &["forward"], &["b"]),
        of(Signal::TRACES, "out", &[], &["back", "forward"]),
        of(Signal::TRACES, "end", &["back"], &["a"]),
        of(Signal::LOGS, "begin", &[], &["back"]),
    ];
    let mut spec = spec(&sinks, pipelines);
    spec.connectors.push(connector("back", ForwardConnector::spec()));
    assert_eq!(spec.check().map_err(|error| error.to_string()), Ok(()));
}
