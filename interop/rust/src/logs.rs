use crate::target::Target;
use crate::tee::{Failures, Tee};
use crate::{Outcome, values};
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, SdkLoggerProvider};
use std::time::{Duration, UNIX_EPOCH};

const RECORDS: usize = 300;
const SEVERITIES: [Severity; 6] =
    [Severity::Trace, Severity::Debug4, Severity::Info, Severity::Warn2, Severity::Error3, Severity::Fatal4];

pub fn send(resource: &Resource, targets: &[Target], failures: &Failures) -> Outcome {
    let exporters = targets.iter().map(Target::logs).collect::<Result<_, _>>()?;
    let batches =
        BatchConfigBuilder::default().with_max_queue_size(4096).with_max_export_batch_size(64).build();
    let tee = Tee { exporters, failures: failures.clone() };
    let provider = SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_log_processor(BatchLogProcessor::builder(tee).with_batch_config(batches).build())
        .build();
    let logger = provider.logger_with_scope(
        InstrumentationScope::builder("interop.logger")
            .with_version("9")
            .with_schema_url("https://opentelemetry.io/schemas/1.35.0")
            .with_attributes([KeyValue::new("scope.attr", 1)])
            .build(),
    );
    for index in 0..RECORDS {
        let mut record = logger.create_log_record();
        record.set_timestamp(UNIX_EPOCH + Duration::new(1_700_000_000, index as u32));
        record.set_observed_timestamp(UNIX_EPOCH + Duration::new(1_700_000_001, index as u32));
        record.set_severity_number(SEVERITIES[index % SEVERITIES.len()]);
        record.set_severity_text("wärn");
        record.set_body(values::body(index));
        record.add_attribute("index", index as i64);
        if index % 10 == 0 {
            record.set_event_name("interop.event");
            record.add_attribute("nested", values::nested());
        }
        if index % 2 == 0 {
            let (trace, span) = (TraceId::from(1 << 120 | 0xff), SpanId::from(2 << 56 | 0xfe));
            record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
        }
        logger.emit(record);
    }
    Ok(provider.shutdown()?)
}
