//! A pipeline in a program: a processor of its own, batches, queues, retries, and two exporters, one of which fails. At the end the
//! ledger says what became of every item.

use otlp_protocol::edit::{self, Decision};
use otlp_protocol::encode::LogRecords;
use otlp_protocol::view::LogRecord;
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, Retry, SeverityNumber, Signal};
use otlp_service::{
    Access, BatchConfig, ExporterSpec, Gateway, GatewaySpec, Out, PipelineSpec, Processor, StageSpec,
};
use otlp_transport::{Attempt, BoxAttempt, Export, ExportError, ExportResult, TransportContext};
use std::{sync::Arc, time::Duration};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut failing = ExporterSpec::new("failing", BoxAttempt::new(Failing));
    failing.retry.initial_interval = Duration::from_millis(20);
    failing.retry.max_elapsed_time = Some(Duration::from_millis(100));
    let spec = GatewaySpec {
        exporters: vec![ExporterSpec::new("printing", BoxAttempt::new(Printing)), failing],
        pipelines: vec![PipelineSpec {
            id: "logs".into(),
            signal: Signal::LOGS,
            receivers: vec![],
            stages: vec![
                ("errors".to_owned(), StageSpec::Processor(Arc::new(Errors))).into(),
                ("batch".to_owned(), StageSpec::Batch(BatchConfig::default())).into(),
            ],
            exporters: vec!["printing".into(), "failing".into()],
        }],
        ..GatewaySpec::default()
    };
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

struct Printing;

impl Attempt for Printing {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        println!("{} {}", batch.items(), batch.signal().items_noun);
        Ok(Accepted::FULL)
    }
}

struct Failing;

impl Attempt for Failing {
    async fn attempt(&self, _: &Batch) -> ExportResult {
        Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "down"))
    }
}
