//! A gateway in code: OTLP over gRPC and HTTP in, a line an item out.
//!
//! `cargo run -p otlp-service --example gateway`, then send it something:
//! `curl -H 'content-type: application/x-protobuf' --data-binary @body http://127.0.0.1:4318/v1/logs`

use otlp_protocol::Signal;
use otlp_service::{
    BatchConfig, DebugConfig, DebugExporter, DebugFormat, ExporterSpec, Gateway, GatewaySpec, PipelineSpec,
    PipelineStage, ReceiverSpec, ServerSpec, StageSpec, StartError,
};
use otlp_transport::{
    BoxAttempt, GrpcTransportStrategy, HttpTransportStrategy, ServerConfig, ServerStrategy, TransportContext,
};
use std::sync::Arc;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    let server =
        |strategy: Arc<dyn ServerStrategy>, endpoint| ServerSpec::new(strategy, ServerConfig::new(endpoint));
    let servers = vec![
        server(Arc::new(GrpcTransportStrategy), "127.0.0.1:4317"),
        server(Arc::new(HttpTransportStrategy), "127.0.0.1:4318"),
    ];
    let context = TransportContext::tcp(64 << 20);
    let clock = context.clock.clone();
    let mut config = DebugConfig::default();
    config.format = DebugFormat::Lines;
    let debug = DebugExporter::new(config, clock.clone(), std::io::stdout());
    let pipeline = |signal: Signal| PipelineSpec {
        id: signal.name.into(),
        signal,
        receivers: vec!["otlp".into()],
        stages: vec![PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default()))],
        exporters: vec!["debug".into()],
    };
    let spec = GatewaySpec {
        receivers: vec![ReceiverSpec::otlp("otlp", servers)],
        exporters: vec![ExporterSpec::new("debug", BoxAttempt::new(debug))],
        pipelines: Signal::ALL.into_iter().map(pipeline).collect(),
        ..GatewaySpec::default()
    };
    let gateway = Gateway::start(context, spec).await?;
    clock.sleep(Duration::from_secs(60)).await;
    gateway.drain(clock.now() + Duration::from_secs(5)).await;
    Ok(())
}
