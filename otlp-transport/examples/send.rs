//! Sends one empty trace request to an OTLP endpoint, over gRPC or HTTP, and tells what came of it.
//!
//! ```sh
//! cargo run -p otlp-transport --example send -- grpc http://localhost:4317
//! cargo run -p otlp-transport --example send -- http http://localhost:4318
//! ```

use otlp_protocol::{Batch, Charge, Count, Payload, Signal};
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

    // Strategies are interchangeable: from here on nothing knows which one it is.
    let client = strategy.client(&TransportContext::tcp(64 << 20), config)?;
    let batch = Batch::unchecked(Signal::TRACES, Payload::new(), Count::default(), true, Charge::none());
    match client.export(batch).await {
        Ok(accepted) if accepted.is_partial() => {
            println!("{} rejected: {}", accepted.rejected, accepted.message)
        }
        Ok(_) => println!("accepted over {}", strategy.name()),
        Err(error) => println!("not accepted ({:?}, {:?}): {error}", error.kind(), error.retry()),
    }
    Ok(())
}
