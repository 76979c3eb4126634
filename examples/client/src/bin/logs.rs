//! Log records by hand: a severity and a body, attributes, an event with a name, a record of a span.

use otlp_protocol::{AttributeValue, SeverityNumber};
use otlp_service::{OtlpClient, OtlpConfig};
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let client = OtlpClient::new(OtlpConfig::from_env().with_service_name("shop"))?;
    client.send_log(SeverityNumber::Info).body("shop opens").attribute("shelves", 12).emit();

    // Records within a span have the span's ids.
    let span = client.send_trace("restock").start();
    let current = span.enter();
    client
        .send_log(SeverityNumber::Warn)
        .severity_text("warning")
        .body("shelf is empty")
        .attribute("shelf", "tea")
        .attribute("last.sold", AttributeValue::array(["green", "black"]))
        .emit();
    drop(current);

    // An event is a log record with a name; its body may be any value.
    client
        .send_log(SeverityNumber::Info2)
        .event_name("shop.closed")
        .context(span.context())
        .body(true)
        .emit();
    span.end();

    client.force_flush(Duration::from_secs(5))?;
    println!("{:?}", client.stats().logs);
    Ok(())
}
