//! The telemetry of `by_hand`, made with the official SDK.

use crate::by_hand::{NotANumber, SET_TIME, TRACEPARENT, TRACESTATE};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

/// Makes the telemetry and sends it. The caller is the main task of a runtime with worker threads.
pub fn run(endpoint: &str) {
    let tracers = tracers(endpoint);
    let loggers = loggers(endpoint);
    let exporter = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build().unwrap();
    let meters =
        SdkMeterProvider::builder().with_resource(resource()).with_periodic_exporter(exporter).build();
    spans(&tracers);
    logs(&tracers, &loggers);
    metrics(&meters);
    tracers.shutdown().unwrap();
    loggers.shutdown().unwrap();
    meters.shutdown().unwrap();
}

pub fn tracers(endpoint: &str) -> SdkTracerProvider {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().unwrap();
    SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build()
}

pub fn loggers(endpoint: &str) -> SdkLoggerProvider {
    let exporter = LogExporter::builder().with_tonic().with_endpoint(endpoint).build().unwrap();
    SdkLoggerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build()
}

fn resource() -> Resource {
    Resource::builder()
        .with_service_name("shop")
        .with_attribute(KeyValue::new("deployment.environment.name", "staging"))
        .build()
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("shop.orders")
        .with_version("1.2.3")
        .with_schema_url("https://opentelemetry.io/schemas/1.38.0")
        .with_attributes([KeyValue::new("team", "orders")])
        .build()
}

/// The context of a request from another process.
pub fn sender() -> Context {
    let headers = HashMap::from([
        ("traceparent".to_owned(), TRACEPARENT.to_owned()),
        ("tracestate".to_owned(), TRACESTATE.to_owned()),
    ]);
    TraceContextPropagator::new().extract(&headers)
}

fn set_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(SET_TIME)
}

fn spans(tracers: &SdkTracerProvider) {
    let tracer = tracers.tracer_with_scope(scope());
    let sender = sender();
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
}

fn metrics(meters: &SdkMeterProvider) {
    let meter = meters.meter_with_scope(scope());
    let counter = meter.u64_counter("requests").with_unit("{request}").with_description("requests in all");
    let counter = counter.build();
    counter.add(2, &[KeyValue::new("method", "GET")]);
    counter.add(3, &[KeyValue::new("method", "POST"), KeyValue::new("status", 201)]);
    counter.add(4, &[KeyValue::new("status", 201), KeyValue::new("method", "POST")]);
    let open = meter.i64_up_down_counter("open").build();
    open.add(5, &[]);
    open.add(-2, &[]);
    let temperature = meter.f64_gauge("temperature").with_unit("Cel").build();
    temperature.record(19.5, &[KeyValue::new("room", "store")]);
    let duration = meter.f64_histogram("duration").with_unit("s").build();
    for seconds in [0.0, 5.0, 5.1, 20_000.0] {
        duration.record(seconds, &[KeyValue::new("route", "/orders")]);
    }
    duration.record(f64::NAN, &[KeyValue::new("route", "/orders")]);
    let own = meter.f64_histogram("own.boundaries").with_boundaries(vec![1.0, 2.0]).build();
    own.record(1.5, &[]);
    meter
        .u64_observable_counter("observed")
        .with_callback(|observer| observer.observe(17, &[KeyValue::new("queue", "orders")]))
        .build();
    meter.u64_counter("large").build().add(1 << 63, &[]);
}
