//! A client for OTLP/HTTP and nothing else: `cargo run --no-default-features --bin http_client -- http://localhost:4318`.

use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Batch, Body, Charge};
use otlp_transport::{Attempt, ClientConfig, HttpClient, TransportContext};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = std::env::args().nth(1).unwrap_or_default(); // empty: http://localhost:4318
    let client = HttpClient::new(&TransportContext::tcp(64 << 20), &ClientConfig::new(endpoint))?;
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", "cart");
            });
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.body("checked out");
                });
            });
        });
    });
    let answer = client.attempt(&Batch::new(body, Charge::none())).await?;
    println!("sent, {} rejected", answer.rejected);
    Ok(())
}
