//! The layer for tracing, beside `fmt`: spans, their events, an error, a context out of a header and into another.

use otlp_service::client::{OtlpClient, OtlpConfig, SpanExt};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::time::Duration;
use tracing::{error, info, info_span};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let client = OtlpClient::new(OtlpConfig::from_env().with_service_name("shop"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    tracing_subscriber::registry().with(client.tracing_layer()).with(lines).init();

    let received = HashMap::from([(
        "traceparent".to_owned(),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    )]);
    let sent = handle(&client, &received);
    println!("{}", sent["traceparent"]);

    client.force_flush(Duration::from_secs(5))?;
    println!("{:?}", client.stats().spans);
    Ok(())
}

/// Handles a request with headers, and returns the headers of the request to another service.
fn handle(client: &OtlpClient, headers: &HashMap<String, String>) -> HashMap<String, String> {
    // `otel.*` fields set what is not an attribute.
    let span = info_span!("handle", otel.name = "GET /cart", otel.kind = "server", items = 3_u64);
    if let Some(sender) = client.propagators().extract(headers) {
        // The span is not entered yet, so its parent can still be set.
        span.set_parent(&sender).unwrap_or_else(|error| eprintln!("{error}"));
    }
    let _entered = span.enter();
    info!(user = "ada", "cart is read");
    if let Err(error) = "many".parse::<u8>() {
        error!(error = &error as &dyn Error, "no quantity");
    }
    let mut sent = HashMap::new();
    if let Some(context) = span.context() {
        client.propagators().inject(&context, &mut sent);
    }
    sent
}
