//! Clients: gRPC with zstd over two endpoints, HTTP/JSON with gzip; and what a partial success says.
//!
//! `client GRPC_ENDPOINT GRPC_ENDPOINT HTTP_ENDPOINT`, each as `http://host:port`.

use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Batch, Body, Charge};
use otlp_transport::{
    Attempt, BalanceConfig, BalancedClient, ClientConfig, ClientStrategy, Compression, Encoding,
    ExportResult, FixedResolver, GrpcTransportStrategy, HttpTransportStrategy, ResolvedEndpoint,
    TransportContext,
};
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [first, second, http] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: client GRPC GRPC HTTP")?;
    let context = TransportContext::tcp(64 << 20);

    let mut config = ClientConfig::new(http);
    config.encoding = Encoding::Json;
    config.compression = Compression::Gzip;
    let http = HttpTransportStrategy.client(&context, config)?;
    show("http", http.attempt(&batch(&["sold"])).await);

    // The endpoints come from the resolver.
    let mut config = ClientConfig::new("");
    config.compression = Compression::Zstd;
    let endpoints = FixedResolver::new([first, second].map(ResolvedEndpoint::new).to_vec());
    let balance = BalanceConfig::default();
    let strategy = Arc::new(GrpcTransportStrategy);
    let grpc = BalancedClient::new(&context, strategy, config, balance, Box::new(endpoints))?;
    for _ in 0..4 {
        show("grpc", grpc.attempt(&batch(&["sold", "paid"])).await);
    }
    Ok(())
}

fn show(client: &str, result: ExportResult) {
    match result {
        Ok(answer) if answer.rejected == 0 => println!("{client}: accepted"),
        // Never sent again: the server has decided.
        Ok(answer) => println!("{client}: accepted but for {}: {}", answer.rejected, answer.message),
        Err(error) => println!("{client}: {error} ({:?})", error.retry()),
    }
}

fn batch(texts: &[&str]) -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for text in texts {
                    scope.log_record(|record| {
                        record.body(*text);
                    });
                }
            });
        });
    });
    Batch::new(body, Charge::none())
}
