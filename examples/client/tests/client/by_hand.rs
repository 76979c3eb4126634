//! One program's telemetry, made with the client. `by_hand_official` makes the same with the official SDK.

use otlp_protocol::encode::ScopeWriter;
use otlp_protocol::{AttributeValue, SeverityNumber, SpanKind, StatusCode};
use otlp_service::OtlpClient;
use otlp_service::client::{MetricScope, OtlpConfig, Protocol, ScopeId, TraceContext};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The context of a request from another process.
pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
pub const TRACESTATE: &str = "rojo=00f067aa0ba902b7";

/// A time that the program sets, in seconds since 1970.
pub const SET_TIME: u64 = 1_700_000_000;

/// An error of the program.
#[derive(Debug)]
pub struct NotANumber;

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number")
    }
}

impl std::error::Error for NotANumber {}

/// Makes a client that sends to a sink.
pub fn client(endpoint: &str) -> OtlpClient {
    let config = OtlpConfig::default()
        .with_endpoint(endpoint)
        .with_protocol(Protocol::Grpc)
        .with_service_name("shop")
        .with_resource_attribute("deployment.environment.name", "staging");
    OtlpClient::new(config).unwrap()
}

/// Makes the telemetry and sends it.
pub fn run(endpoint: &str) {
    let client = client(endpoint);
    let scope = client.scope("shop.orders", "https://opentelemetry.io/schemas/1.38.0", write_scope);
    spans(&client, scope);
    logs(&client, scope);
    metrics(&client);
    client.shutdown(Duration::from_secs(10)).unwrap();
}

fn write_scope(scope: &mut ScopeWriter<'_>) {
    scope.version("1.2.3").attribute("team", "orders");
}

fn spans(client: &OtlpClient, scope: ScopeId) {
    let sender = TraceContext::from_traceparent(TRACEPARENT.as_bytes()).unwrap();
    let sender = sender.with_tracestate([TRACESTATE.as_bytes()]);
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
}

fn logs(client: &OtlpClient, scope: ScopeId) {
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
}

fn metrics(client: &OtlpClient) {
    let mut message = Vec::new();
    write_scope(ScopeWriter::new(&mut message).name("shop.orders"));
    let scope = &MetricScope {
        message: message.into(),
        schema_url: Arc::from("https://opentelemetry.io/schemas/1.38.0"),
    };
    let counter =
        client.counter::<u64>("requests").unit("{request}").description("requests in all").scope(scope);
    let counter = counter.build();
    counter.add(2, [("method", "GET")]);
    counter.add(3, (("method", "POST"), ("status", 201)));
    counter.add(4, (("status", 201), ("method", "POST")));
    let open = client.up_down_counter::<i64>("open").scope(scope).build();
    open.add(5, ());
    open.add(-2, ());
    client.gauge::<f64>("temperature").unit("Cel").scope(scope).build().record(19.5, [("room", "store")]);
    let duration = client.histogram::<f64>("duration").unit("s").scope(scope).build();
    for seconds in [0.0, 5.0, 5.1, 20_000.0] {
        duration.record(seconds, [("route", "/orders")]);
    }
    duration.record(f64::NAN, [("route", "/orders")]);
    let own = client.histogram::<f64>("own.boundaries").boundaries([1.0, 2.0]).scope(scope).build();
    own.record(1.5, ());
    let observed = client.observable_counter::<u64>("observed").scope(scope).build();
    observed.observe(|observer| observer.observe(17, [("queue", "orders")]));
    let large = client.counter::<u64>("large").scope(scope).build();
    large.add(1 << 63, ());
}
