//! A gateway in code: OTLP over gRPC and HTTP in, one line a batch out.
//!
//! `cargo run -p otlp-service --example gateway`, then send it something:
//! `curl -H 'content-type: application/x-protobuf' --data-binary @body http://127.0.0.1:4318/v1/logs`

use otlp_protocol::Signal;
use otlp_service::{
    BatchConfig, DebugExporter, ExporterSpec, Gateway, GatewaySpec, PipelineSpec, ReceiverSpec, ServerSpec,
    StartError, Verbosity,
};
use otlp_transport::{
    BoxExport, GrpcTransportStrategy, HttpTransportStrategy, ServerConfig, TransportContext,
    TransportStrategy,
};
use std::sync::Arc;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    let server = |strategy: Arc<dyn TransportStrategy>, endpoint| ServerSpec {
        strategy,
        config: ServerConfig::new(endpoint),
        http_paths: Vec::new(),
    };
    let receiver = ReceiverSpec {
        id: "otlp".into(),
        servers: vec![
            server(Arc::new(GrpcTransportStrategy), "127.0.0.1:4317"),
            server(Arc::new(HttpTransportStrategy), "127.0.0.1:4318"),
        ],
    };
    let debug = DebugExporter::new(Verbosity::Normal, std::io::stdout());
    let pipeline = |signal: Signal| PipelineSpec {
        id: signal.name.into(),
        signal,
        receivers: vec!["otlp".into()],
        processors: Vec::new(),
        batch: Some(("batch".into(), BatchConfig::default())),
        exporters: vec!["debug".into()],
    };
    let spec = GatewaySpec {
        receivers: vec![receiver],
        exporters: vec![ExporterSpec::new("debug", BoxExport::new(debug))],
        pipelines: Signal::ALL.into_iter().map(pipeline).collect(),
        ..GatewaySpec::default()
    };
    let context = TransportContext::tcp(64 << 20);
    let clock = context.clock.clone();
    let gateway = Gateway::start(context, spec).await?;
    clock.sleep(Duration::from_secs(60)).await;
    gateway.drain(clock.now() + Duration::from_secs(5)).await;
    Ok(())
}
