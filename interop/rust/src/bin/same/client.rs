//! The telemetry, made with the client. `official` makes the same with the official SDK.

use crate::error::NotANumber;
use crate::{NOT_SAMPLED, Outcome, SET_TIME, TRACEPARENT, TRACESTATE, measured};
use otlp_protocol::encode::ScopeWriter;
use otlp_protocol::{AttributeValue, SeverityNumber, SpanKind, StatusCode};
use otlp_service::OtlpClient;
use otlp_service::client::{OtlpConfig, ScopeId, TraceContext};
use std::time::{Duration, SystemTime};

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.38.0";

/// Makes the telemetry and sends it.
pub fn run() -> Outcome {
    let client = client()?;
    let scope = client.scope("shop.orders", SCHEMA_URL, write_scope);
    spans(&client, scope)?;
    logs(&client, scope)?;
    measured::record(&client)?;
    Ok(client.shutdown(Duration::from_secs(10))?)
}

/// Makes a client as the variables say.
pub fn client() -> Result<OtlpClient, Box<dyn std::error::Error>> {
    let config = OtlpConfig::from_env().with_resource_attribute("deployment.environment.name", "staging");
    Ok(OtlpClient::new(config)?)
}

/// The context of a request from another process.
pub fn sender(traceparent: &str) -> Result<TraceContext, Box<dyn std::error::Error>> {
    let sender = TraceContext::from_traceparent(traceparent.as_bytes()).ok_or("traceparent is invalid")?;
    Ok(sender.with_tracestate([TRACESTATE.as_bytes()]))
}

pub fn write_scope(scope: &mut ScopeWriter<'_>) {
    scope.version("1.2.3").attribute("team", "orders");
}

fn spans(client: &OtlpClient, scope: ScopeId) -> Outcome {
    let sender = sender(TRACEPARENT)?;
    let linked = client.send_trace("linked").scope(scope).root().finish();
    let set_time = SystemTime::UNIX_EPOCH + Duration::from_secs(SET_TIME);
    let mut server = client
        .send_trace("POST /orders")
        .scope(scope)
        .parent(&sender)
        .kind(SpanKind::Server)
        .attribute("text", "tea")
        .attribute("int", 7)
        .attribute("double", 2.5)
        .attribute("bool", true)
        .attribute("texts", AttributeValue::array(["green", "black"]))
        .attribute("ints", AttributeValue::array([1, 2]))
        .attribute("twice", "first")
        .attribute("twice", "second")
        .start();
    server.link(&linked, |link| {
        link.attribute("reason", "prices");
    });
    server.link(&sender, |_| {});
    server.event("cache miss", |event| {
        event.attribute("key", "product 7");
    });
    server.record_error(&NotANumber).status(StatusCode::Error, "no quantity");
    server.child("ok").scope(scope).status(StatusCode::Ok, "").finish();
    server.child("set times").scope(scope).start_time(set_time).end_time(set_time).finish();
    let mut builder = server.child("many attributes").scope(scope);
    for number in 0..130 {
        builder = builder.attribute(format!("key {number}"), number);
    }
    let mut many = builder.start();
    for _ in 0..130 {
        many.event("again", |_| {});
    }
    many.end();
    let mut ended = server.child("old name").scope(scope).start();
    ended.status(StatusCode::Ok, "").status(StatusCode::Error, "after Ok").update_name("new name");
    ended.end();
    drop(server);
    client.send_trace("not sampled").scope(scope).parent(&self::sender(NOT_SAMPLED)?).finish();
    Ok(())
}

fn logs(client: &OtlpClient, scope: ScopeId) -> Outcome {
    let set_time = SystemTime::UNIX_EPOCH + Duration::from_secs(SET_TIME);
    let span = client.send_trace("span of a log").scope(scope).start();
    let current = span.enter();
    client
        .send_log(SeverityNumber::Warn)
        .scope(scope)
        .severity_text("WARN")
        .body("shelf is empty")
        .attribute("shelf", "tea")
        .attribute("count", 0)
        .attribute("twice", "first")
        .attribute("twice", "second")
        .emit();
    drop(current);
    client
        .send_log(SeverityNumber::Info)
        .scope(scope)
        .severity_text("INFO")
        .event_name("shop.closed")
        .body(AttributeValue::array(["a", "b"]))
        .time(set_time)
        .emit();
    client.send_log(SeverityNumber::Debug).scope(scope).severity_text("DEBUG").body("no time").emit();
    let not_sampled = client.send_trace("not sampled").scope(scope).parent(&sender(NOT_SAMPLED)?).start();
    let _current = not_sampled.enter();
    client.send_log(SeverityNumber::Error).scope(scope).severity_text("ERROR").body("not sampled").emit();
    Ok(())
}
