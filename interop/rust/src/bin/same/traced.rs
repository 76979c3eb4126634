//! The program on `tracing`, recorded by tracing-opentelemetry and opentelemetry-appender-tracing, and by the client's doors.

use crate::error::{Invalid, NotANumber};
use crate::official::{self, loggers, tracers};
use crate::{Outcome, TRACEPARENT, client};
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use otlp_service::OtlpClient;
use otlp_service::client::{EventForm, SpanEnd, SpanExt, TracingOptions};
use std::error::Error;
use std::time::Duration;
use tracing::subscriber::with_default;
use tracing::{Span, debug_span, error, field, info, info_span, trace, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::prelude::*;

/// Records the program with the official crates.
pub fn run_official() -> Outcome {
    let (tracers, loggers) = (tracers()?, loggers()?);
    let spans = tracing_opentelemetry::layer().with_tracer(tracers.tracer("shop"));
    let logs = OpenTelemetryTracingBridge::new(&loggers);
    let set_parent = |span: &Span| Ok(OpenTelemetrySpanExt::set_parent(span, official::sender(TRACEPARENT))?);
    with_default(tracing_subscriber::registry().with(spans).with(logs), || program(set_parent))?;
    tracers.shutdown()?;
    Ok(loggers.shutdown()?)
}

/// Records the program with the client's layer.
pub fn run_layer() -> Outcome {
    let client = client::client()?;
    let layer = client.tracing_layer().with_options(options(&client));
    with_default(tracing_subscriber::registry().with(layer), || program(set_parent))?;
    Ok(client.shutdown(Duration::from_secs(10))?)
}

/// Records the program with the client's subscriber.
pub fn run_subscriber() -> Outcome {
    let client = client::client()?;
    with_default(client.tracing_subscriber().with_options(options(&client)), || program(set_parent))?;
    Ok(client.shutdown(Duration::from_secs(10))?)
}

/// Returns the options with which the doors record what tracing-opentelemetry and the appender record without settings.
fn options(client: &OtlpClient) -> TracingOptions {
    let mut options = TracingOptions::default();
    options.events = EventForm::Both;
    options.activity = true;
    options.ends = SpanEnd::LastExit;
    options.scope = client.scope("shop", "", |_| {});
    options
}

fn set_parent(span: &Span) -> Outcome {
    Ok(SpanExt::set_parent(span, &client::sender(TRACEPARENT)?)?)
}

fn program(set_parent: impl FnOnce(&Span) -> Outcome) -> Outcome {
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
        wide = -7_i128,
        bytes = &b"tea"[..],
        debug = ?Some(1),
        display = %"shown",
        twice = "first",
        late = field::Empty,
    );
    set_parent(&server)?;
    let entered = server.enter();
    server.record("late", "recorded");
    server.record("twice", "second");
    info!(user = "ada", count = 3_u64, large = u64::MAX, "cart is read");
    info!(name: "answer", answer = 42);
    trace!(flag = true, double = 2.5, bytes = &b"tea"[..], wide = u128::MAX, debug = ?Some(1), "all types");
    {
        let _failing = info_span!("failing").entered();
        let error: &(dyn Error + 'static) = &Invalid(NotANumber);
        warn!(error, "warned");
    }
    {
        let _failing = info_span!("exception").entered();
        let error: &(dyn Error + 'static) = &Invalid(NotANumber);
        error!(name: "error alone", error);
    }
    debug_span!("child").in_scope(|| error!("failed"));
    debug_span!("ok", otel.status_code = "ok").in_scope(|| error!("failed, but ok"));
    debug_span!("described", otel.status_description = "broken").in_scope(|| ());
    let error: &(dyn Error + 'static) = &Invalid(NotANumber);
    info_span!("error as field", error).in_scope(|| ());
    let error: &(dyn Error + 'static) = &NotANumber;
    info_span!("error without source", error).in_scope(|| warn!(error, "without source"));
    info_span!("error as text").in_scope(|| warn!(name: "error as text", error = "no quantity"));
    let follower = info_span!("follower");
    follower.follows_from(&server);
    follower.in_scope(|| ());
    drop(follower);
    info_span!(parent: None, "root").in_scope(|| info!(target: "own target", "own target"));
    drop(entered);
    drop(server);
    info!("outside of spans");
    Ok(())
}
