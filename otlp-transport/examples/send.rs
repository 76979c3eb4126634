//! Sends one span to an OTLP endpoint, over gRPC or HTTP, and prints the answer.
//!
//! ```sh
//! cargo run -p otlp-transport --example send -- grpc http://localhost:4317
//! cargo run -p otlp-transport --example send -- http http://localhost:4318
//! ```

use otlp_protocol::encode::Spans;
use otlp_protocol::{Batch, Body, Charge};
use otlp_transport::{
    ClientConfig, Compression, Export, GrpcTransportStrategy, HttpTransportStrategy, TransportContext,
    TransportStrategy,
};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example talks")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let strategy: &dyn TransportStrategy = match arguments.next().as_deref() {
        Some("http") => &HttpTransportStrategy,
        _ => &GrpcTransportStrategy,
    };
    let mut config = ClientConfig::new(arguments.next().unwrap_or_default());
    config.compression = Compression::Gzip;

    // Strategies are interchangeable: the code below is the same for both.
    let client = strategy.client(&TransportContext::tcp(64 << 20), config)?;
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", "example");
            });
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.trace_id(&[1; 16]).span_id(&[2; 8]).name("GET /cart");
                });
            });
        });
    });
    let batch = Batch::new(body, Charge::none());
    match client.export(batch).await {
        Ok(accepted) if accepted.is_partial() => {
            println!("{} rejected: {}", accepted.rejected, accepted.message)
        }
        Ok(_) => println!("accepted over {}", strategy.name()),
        Err(error) => println!("not accepted ({:?}, {:?}): {error}", error.kind(), error.retry()),
    }
    Ok(())
}
