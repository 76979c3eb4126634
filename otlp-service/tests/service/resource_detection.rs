//! The processor `resource_detection` in a gateway: attributes are known before the first batch, also after a reload.

use crate::harness::*;
use crate::holders::{exporter, pipeline};
use otlp_protocol::{Batch, Body, Charge, Signal, json};
use otlp_service::{
    DetectorKind, Fingerprint, Gateway, GatewaySpec, PipelineStage, ResourceDetectionConfig,
    ResourceDetectionProcessor,
};
use otlp_transport::{Export, TransportContext};

fn spec(sink: &Sink, detectors: &[DetectorKind]) -> GatewaySpec {
    let mut config = ResourceDetectionConfig::default();
    config.detectors = detectors.to_vec();
    let stage = PipelineStage::new("resource_detection", ResourceDetectionProcessor::new(config));
    let settings = Fingerprint::of(&detectors.len());
    let mut logs = pipeline("logs", &[], &["out"]);
    logs.stages.push(stage.with_settings(settings));
    let mut other = pipeline("logs/other", &[], &["out"]);
    other.stages = logs.stages.clone();
    GatewaySpec {
        exporters: vec![exporter("out", sink, None)],
        pipelines: vec![logs, other],
        ..GatewaySpec::default()
    }
}

fn batch() -> Batch {
    let text = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}"#;
    let body: Body = json::from_str(Signal::LOGS, text).unwrap();
    Batch::unchecked(body.signal(), body.to_bytes(), body.count(), body.is_mergeable(), Charge::none())
}

#[tokio::test]
async fn attributes_are_known_before_the_first_batch() {
    let sink = Sink::default();
    let context = TransportContext::tcp(64 << 20);
    let mut gateway = Gateway::start(context, spec(&sink, &[DetectorKind::Process])).await.unwrap();
    for pipeline in ["logs", "logs/other"] {
        gateway.inlet(pipeline).unwrap().export(batch()).await.unwrap();
    }
    gateway.reload(spec(&sink, &[DetectorKind::Process, DetectorKind::Env])).await.unwrap();
    gateway.inlet("logs").unwrap().export(batch()).await.unwrap();
    let has_pid = |body: &bytes::Bytes| body.windows(11).any(|part| part == b"process.pid");
    assert_eq!(sink.bodies().iter().filter(|body| has_pid(body)).count(), 3);
    // The detectors of a component run once for all of its pipelines.
    let page = gateway.metrics().to_string();
    let labels = "{processor=\"resource_detection\",detector=\"process\",outcome=\"success\"}";
    let line = format!("otelcol_resourcedetection_detector_results{labels} 2\n");
    assert!(page.contains(&line), "{page}");
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
}
