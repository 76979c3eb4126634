//! A server for OTLP over gRPC and HTTP on one port, with TLS and a bearer token, that prints who sends how much.
//!
//! `server ADDRESS CERTIFICATE.pem KEY.pem`, with the token in `OTLP_TOKEN`; it ends when its input ends.

use otlp_protocol::view::RequestView;
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{
    BearerAuth, BearerConfig, BoxExport, ExportResult, MultiplexTransportStrategy, Routes, ServerConfig,
    ServerStrategy, ServerTlsConfig, TransportContext,
};
use std::env;
use std::fs::read_to_string;
use std::sync::Arc;
use std::time::Duration;

const USAGE: &str = "usage: server ADDRESS CERTIFICATE.pem KEY.pem";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [address, certificate, key] =
        env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| USAGE)?;
    let context = TransportContext::tcp(64 << 20);
    let mut config = ServerConfig::new(address);
    config.tls = Some(ServerTlsConfig::from_pem(read_to_string(certificate)?, read_to_string(key)?));
    config.auth = Some(Arc::new(BearerAuth::new(&context, &BearerConfig::new([env::var("OTLP_TOKEN")?]))?));

    let server =
        MultiplexTransportStrategy.bind(&context, config, Routes::all(BoxExport::from_fn(show))).await?;
    println!("listening on {}", server.local_addr());
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    server.drain(context.clock.now() + Duration::from_secs(5)).await;
    Ok(())
}

async fn show(batch: Batch) -> ExportResult {
    let bytes = batch.body().plain().to_contiguous();
    for group in RequestView::new(batch.signal(), &bytes).resources() {
        let attributes = group.resource().attributes();
        let service = attributes.get("service.name").and_then(|name| name.as_str()).unwrap_or("unknown");
        println!("{service}: {} {}", batch.items(), batch.signal().items_noun);
    }
    Ok(Accepted::FULL)
}
