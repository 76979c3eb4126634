//! One program on `tracing`, recorded by tracing-opentelemetry and opentelemetry-appender-tracing, and by the client's doors.

use crate::by_hand::{self, NotANumber, TRACEPARENT, TRACESTATE};
use crate::by_hand_official::{loggers, sender, tracers};
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use otlp_service::client::{EventForm, SpanExt, TraceContext, TracingOptions};
use std::error::Error;
use std::time::Duration;
use tracing::subscriber::with_default;
use tracing::{Span, debug_span, error, field, info, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::prelude::*;

/// Records the program with the official crates.
pub fn run_official(endpoint: &str) {
    let (tracers, loggers) = (tracers(endpoint), loggers(endpoint));
    let spans = tracing_opentelemetry::layer().with_tracer(tracers.tracer("shop"));
    let logs = OpenTelemetryTracingBridge::new(&loggers);
    let set_parent = |span: &Span| OpenTelemetrySpanExt::set_parent(span, sender()).unwrap();
    with_default(tracing_subscriber::registry().with(spans).with(logs), || program(set_parent));
    tracers.shutdown().unwrap();
    loggers.shutdown().unwrap();
}

/// Records the program with the client's layer.
pub fn run_layer(endpoint: &str) {
    let client = by_hand::client(endpoint);
    let layer = client.tracing_layer().with_options(options());
    with_default(tracing_subscriber::registry().with(layer), || program(set_parent));
    client.shutdown(Duration::from_secs(10)).unwrap();
}

/// Records the program with the client's subscriber.
pub fn run_subscriber(endpoint: &str) {
    let client = by_hand::client(endpoint);
    with_default(client.tracing_subscriber().with_options(options()), || program(set_parent));
    client.shutdown(Duration::from_secs(10)).unwrap();
}

fn options() -> TracingOptions {
    let mut options = TracingOptions::default();
    options.events = EventForm::Both;
    options
}

fn set_parent(span: &Span) {
    let sender = TraceContext::from_traceparent(TRACEPARENT.as_bytes()).unwrap();
    SpanExt::set_parent(span, &sender.with_tracestate([TRACESTATE.as_bytes()])).unwrap();
}

fn program(set_parent: impl FnOnce(&Span)) {
    let server = info_span!(
        "handle",
        otel.name = "POST /orders",
        otel.kind = "server",
        text = "tea",
        int = -7,
        unsigned = 7_u64,
        large = u64::MAX,
        double = 2.5,
        flag = true,
        debug = ?Some(1),
        display = %"shown",
        twice = "first",
        late = field::Empty,
    );
    set_parent(&server);
    let entered = server.enter();
    server.record("late", "recorded");
    server.record("twice", "second");
    info!(user = "ada", count = 3_u64, large = u64::MAX, "cart is read");
    info!(name: "answer", answer = 42);
    {
        let _failing = info_span!("failing").entered();
        let error: &(dyn Error + 'static) = &Outer(NotANumber);
        warn!(error, "warned");
    }
    {
        let _failing = info_span!("exception").entered();
        let error: &(dyn Error + 'static) = &Outer(NotANumber);
        error!(name: "error alone", error);
    }
    debug_span!("child").in_scope(|| error!("failed"));
    debug_span!("ok", otel.status_code = "ok").in_scope(|| error!("failed, but ok"));
    debug_span!("described", otel.status_description = "broken").in_scope(|| ());
    let error: &(dyn Error + 'static) = &Outer(NotANumber);
    info_span!("error as field", error).in_scope(|| ());
    let follower = info_span!("follower");
    follower.follows_from(&server);
    follower.in_scope(|| ());
    drop(follower);
    info_span!(parent: None, "root").in_scope(|| info!(target: "own target", "own target"));
    drop(entered);
    drop(server);
    info!("outside of spans");
}

/// An error with a source.
#[derive(Debug)]
struct Outer(NotANumber);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("invalid quantity")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
