//! Spans by hand: a request and its steps, a link to other work, an error, work on another thread.

use otlp_protocol::{SpanKind, StatusCode};
use otlp_service::client::{Key, TraceContext};
use otlp_service::{OtlpClient, OtlpConfig, key};
use std::error::Error;
use std::thread;
use std::time::Duration;

/// Encoded when the program is compiled; a `&str` works as well.
const ROUTE: Key = key!("http.route");

fn main() -> Result<(), Box<dyn Error>> {
    let client = OtlpClient::new(OtlpConfig::from_env().with_service_name("shop"))?;
    // An operation that is over is recorded in one call.
    let import = client.send_trace("import prices").attribute("prices", 3).finish();
    order(&client, &import, "two");
    client.force_flush(Duration::from_secs(5))?;
    println!("{:?}", client.stats().spans);
    Ok(())
}

fn order(client: &OtlpClient, import: &TraceContext, quantity: &str) {
    // A span ends when it is dropped.
    let mut span =
        client.send_trace("POST /orders").kind(SpanKind::Server).attribute(ROUTE, "/orders").start();
    span.link(import, |link| {
        link.attribute("reason", "prices");
    });
    // The current span is the parent of the spans that begin on this thread.
    let current = span.enter();
    client
        .send_trace("SELECT product")
        .kind(SpanKind::Client)
        .attribute("db.system.name", "postgresql")
        .event("cache miss", |event| {
            event.attribute("key", "product 7");
        })
        .finish();
    drop(current);
    // A span may end on another thread.
    let reserve = span.child("reserve").start();
    let done = thread::spawn(move || reserve.end()).join();
    if let Err(error) = quantity.parse::<u32>() {
        span.record_error(&error).status(StatusCode::Error, "the quantity is not a number");
    }
    span.attribute("reserved", done.is_ok());
}
