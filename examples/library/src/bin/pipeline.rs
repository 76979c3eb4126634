//! A pipeline in a program: a processor of its own, batches, queues, retries, and two exporters, one of which fails. At the end the
//! ledger says what became of every item.

use otlp_protocol::edit::{self, Decision};
use otlp_protocol::encode::LogRecords;
use otlp_protocol::view::LogRecord;
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, Retry, SeverityNumber, Signal};
use otlp_service::{Access, BatchConfig, ExporterSpec, Gateway, GatewaySpec, Out, PipelineSpec, Processor};
use otlp_transport::{BoxAttempt, Export, ExportError, TransportContext};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let printing = BoxAttempt::from_fn(|batch| {
        println!("{} {}", batch.items(), batch.signal().items_noun);
        async { Ok(Accepted::FULL) }
    });
    let down = |_: &Batch| async { Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "down")) };
    let mut failing = ExporterSpec::new("failing", BoxAttempt::from_fn(down));
    failing.retry.initial_interval = Duration::from_millis(20);
    failing.retry.max_elapsed_time = Some(Duration::from_millis(100));
    let pipeline = PipelineSpec::new("logs", Signal::LOGS)
        .with_stage("errors", Errors)
        .with_stage("batch", BatchConfig::default())
        .with_exporter("printing")
        .with_exporter("failing");
    let exporters = vec![ExporterSpec::new("printing", printing), failing];
    let spec = GatewaySpec { exporters, pipelines: vec![pipeline], ..GatewaySpec::default() };
    let context = TransportContext::tcp(64 << 20);
    let deadline = context.clock.now() + Duration::from_secs(5);
    let gateway = Gateway::start(context, spec).await?;
    for severity in [SeverityNumber::Info, SeverityNumber::Error, SeverityNumber::Fatal] {
        let body = Body::write::<LogRecords>(|request| {
            request.resource_group(|group| {
                group.scope_group(|scope| {
                    scope.log_record(|record| {
                        record.severity_number(severity).attribute("secret.key", "hunter2");
                    });
                });
            });
        });
        let inlet = gateway.inlet("logs").ok_or("no such pipeline")?;
        inlet.export(Batch::new(body, Charge::none())).await?;
    }
    let report = gateway.drain(deadline).await;
    println!("{}", report.ledger);
    Ok(report.ledger.check()?)
}

/// Keeps errors, without their secrets.
struct Errors;

impl Processor for Errors {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let mut editor = edit::items(|item, attributes| {
            attributes.delete("secret.key");
            let is_error = LogRecord::new(item.entry).severity_number() >= SeverityNumber::Error;
            if is_error { Decision::Keep } else { Decision::Drop }
        });
        out.edit(batch, &mut editor, 64 << 20)
    }
}
