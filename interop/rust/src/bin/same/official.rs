//! The telemetry of `client`, made with the official SDK.

use crate::error::NotANumber;
use crate::{NOT_SAMPLED, Outcome, SET_TIME, TRACEPARENT, TRACESTATE, measured_official};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::time::{Duration, SystemTime};

/// Makes the telemetry and sends it. The caller is within a runtime with worker threads.
pub fn run() -> Outcome {
    let (tracers, loggers) = (tracers()?, loggers()?);
    let meters = measured_official::meters()?;
    spans(&tracers);
    logs(&tracers, &loggers);
    measured_official::record(&meters)?;
    tracers.shutdown()?;
    loggers.shutdown()?;
    Ok(meters.shutdown()?)
}

pub fn tracers() -> Result<SdkTracerProvider, Box<dyn Error>> {
    let builder = SpanExporter::builder();
    let exporter = if is_grpc() { builder.with_tonic().build()? } else { builder.with_http().build()? };
    Ok(SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build())
}

pub fn loggers() -> Result<SdkLoggerProvider, Box<dyn Error>> {
    let builder = LogExporter::builder();
    let exporter = if is_grpc() { builder.with_tonic().build()? } else { builder.with_http().build()? };
    Ok(SdkLoggerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build())
}

/// True if OTLP/gRPC is asked for. The SDK reads endpoint and protocol of HTTP itself.
pub fn is_grpc() -> bool {
    env::var("OTEL_EXPORTER_OTLP_PROTOCOL").is_ok_and(|protocol| protocol == "grpc")
}

pub fn resource() -> Resource {
    Resource::builder().with_attribute(KeyValue::new("deployment.environment.name", "staging")).build()
}

pub fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("shop.orders")
        .with_version("1.2.3")
        .with_schema_url("https://opentelemetry.io/schemas/1.38.0")
        .with_attributes([KeyValue::new("team", "orders")])
        .build()
}

/// The context of a request from another process.
pub fn sender(traceparent: &str) -> Context {
    let headers = HashMap::from([
        ("traceparent".to_owned(), traceparent.to_owned()),
        ("tracestate".to_owned(), TRACESTATE.to_owned()),
    ]);
    TraceContextPropagator::new().extract(&headers)
}

fn set_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(SET_TIME)
}

fn spans(tracers: &SdkTracerProvider) {
    let tracer = tracers.tracer_with_scope(scope());
    let sender = sender(TRACEPARENT);
    let mut linked = tracer.start_with_context("linked", &Context::new());
    linked.end();
    let texts = Array::String(["green", "black"].map(StringValue::from).to_vec());
    let builder = tracer.span_builder("POST /orders").with_kind(SpanKind::Server).with_attributes([
        KeyValue::new("text", "tea"),
        KeyValue::new("int", 7),
        KeyValue::new("double", 2.5),
        KeyValue::new("bool", true),
        KeyValue::new("texts", Value::Array(texts)),
        KeyValue::new("ints", Value::Array(Array::I64(vec![1, 2]))),
        KeyValue::new("twice", "first"),
        KeyValue::new("twice", "second"),
    ]);
    let mut server = builder.start_with_context(&tracer, &sender);
    server.add_link(linked.span_context().clone(), vec![KeyValue::new("reason", "prices")]);
    server.add_link(sender.span().span_context().clone(), Vec::new());
    server.add_event("cache miss", vec![KeyValue::new("key", "product 7")]);
    server.record_error(&NotANumber);
    server.set_status(Status::error("no quantity"));
    let parent = Context::new().with_span(server);
    let mut ok = tracer.start_with_context("ok", &parent);
    ok.set_status(Status::Ok);
    ok.end();
    let builder = tracer.span_builder("set times").with_start_time(set_time());
    builder.start_with_context(&tracer, &parent).end_with_timestamp(set_time());
    let mut many = tracer.start_with_context("many attributes", &parent);
    many.set_attributes((0..130).map(|number| KeyValue::new(format!("key {number}"), number)));
    for _ in 0..130 {
        many.add_event("again", Vec::new());
    }
    many.end();
    let mut ended = tracer.start_with_context("old name", &parent);
    ended.set_status(Status::Ok);
    ended.set_status(Status::error("after Ok"));
    ended.update_name("new name");
    ended.end();
    parent.span().end();
    tracer.start_with_context("not sampled", &self::sender(NOT_SAMPLED)).end();
}

fn logs(tracers: &SdkTracerProvider, loggers: &SdkLoggerProvider) {
    let logger = loggers.logger_with_scope(scope());
    let tracer = tracers.tracer_with_scope(scope());
    tracer.in_span("span of a log", |_| {
        let mut record = logger.create_log_record();
        record.set_severity_number(Severity::Warn);
        record.set_severity_text("WARN");
        record.set_body("shelf is empty".into());
        record.add_attribute("shelf", "tea");
        record.add_attribute("count", 0);
        record.add_attribute("twice", "first");
        record.add_attribute("twice", "second");
        logger.emit(record);
    });
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_severity_text("INFO");
    record.set_event_name("shop.closed");
    record.set_body(AnyValue::ListAny(Box::new(vec!["a".into(), "b".into()])));
    record.set_timestamp(set_time());
    logger.emit(record);
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Debug);
    record.set_severity_text("DEBUG");
    record.set_body("no time".into());
    logger.emit(record);
    let not_sampled = tracer.start_with_context("not sampled", &sender(NOT_SAMPLED));
    let _current = Context::new().with_span(not_sampled).attach();
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Error);
    record.set_severity_text("ERROR");
    record.set_body("not sampled".into());
    logger.emit(record);
}
