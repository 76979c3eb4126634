use super::*;
use crate::{
    AttributesProcessor, BatchConfig, BatchProcessor, Ledger, MatchConfig, NopExporter, ProcessorChain,
    ProcessorStats,
};
use otlp_protocol::Signal;
use otlp_transport::{
    BoxAttempt, BoxExport, HttpTransportStrategy, ServerConfig, TokioClock, TransportContext,
};
use std::sync::Arc;

fn spec() -> GatewaySpec {
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.name = "secret".into();
    let server = ServerSpec::new(Arc::new(HttpTransportStrategy), config);
    let pipeline = PipelineSpec {
        id: "logs/all".into(),
        signal: Signal::LOGS,
        receivers: vec!["otlp/in".into()],
        stages: vec![PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default()))],
        exporters: vec!["nop/out".into()],
    };
    GatewaySpec {
        receivers: vec![ReceiverSpec::otlp("otlp/in", vec![server])],
        exporters: vec![ExporterSpec::new("nop/out", BoxAttempt::new(NopExporter))],
        pipelines: vec![pipeline],
        ..GatewaySpec::default()
    }
}

#[tokio::test]
async fn specs_and_gateways_show_ids_and_endpoints() {
    let spec = spec();
    let text = format!("{spec:?}");
    for shown in ["otlp/in", "nop/out", "logs/all", "send_batch_size", "queue_size: 1000"] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
    assert!(!text.contains("secret"), "{text}");
    let gateway = Gateway::start(TransportContext::tcp(1 << 20), spec).await.unwrap();
    assert!(format!("{gateway:?}").contains("otlp/in/http"), "{gateway:?}");
}

#[tokio::test]
async fn running_parts_show_their_settings() {
    let ledger = Ledger::new();
    let nop = Destination::direct(ledger.account("logs", "nop/out"), NopExporter);
    let fanout = FanOut::new(vec![nop], Arc::new(TokioClock));
    assert!(format!("{fanout:?}").contains("EndToEnd"), "{fanout:?}");
    let processor = Arc::new(AttributesProcessor::new(&[], MatchConfig::default()).unwrap());
    let chain = ProcessorChain::new(
        [("attributes/tag".to_owned(), processor as _, ProcessorStats::default())],
        BoxExport::new(fanout.clone()),
        fanout.hop().clone(),
        Arc::new(TokioClock),
    );
    assert!(format!("{chain:?}").contains("attributes/tag"), "{chain:?}");
    let batcher = BatchProcessor::start(BatchConfig::default(), chain, Arc::new(TokioClock));
    assert!(format!("{batcher:?}").contains("open_batches: 0"), "{batcher:?}");
}
