//! Against our own servers, over sockets.

use crate::harness::{Capture, context, serve};
use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
use otlp_transport::{
    BalanceConfig, BalancedClient, ClientConfig, ClientStrategy as _, DnsConfig, DnsResolver, Export as _,
    FixedResolver, GrpcTransportStrategy, HttpTransportStrategy, Net as _, ResolvedEndpoint, TcpNet,
    TransportStrategy,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn batch() -> Batch {
    let body = b"\x0a\x04\x12\x02\x12\x00".to_vec();
    Batch::unchecked(Signal::LOGS, body, Count { items: 1, entries: 1 }, true, Charge::none())
}

fn client(strategy: &Arc<dyn TransportStrategy>, endpoints: &[String]) -> BalancedClient {
    let resolver = FixedResolver::new(endpoints.iter().map(ResolvedEndpoint::new).collect());
    let (template, config) = (ClientConfig::new(""), BalanceConfig::default());
    BalancedClient::new(&context(), strategy.clone(), template, config, Box::new(resolver)).unwrap()
}

#[tokio::test]
async fn nothing_is_lost_when_a_server_goes() {
    let strategies: [Arc<dyn TransportStrategy>; 2] =
        [Arc::new(GrpcTransportStrategy), Arc::new(HttpTransportStrategy)];
    for strategy in strategies {
        let captures = [Capture::accepting(), Capture::accepting()];
        let first = serve(&*strategy, &captures[0]).await;
        let second = serve(&*strategy, &captures[1]).await;
        let endpoints = [&first, &second].map(|server| format!("http://{}", server.local_addr()));
        let client = client(&strategy, &endpoints);
        for _ in 0..50 {
            assert_eq!(client.export(batch()).await.unwrap(), Accepted::FULL);
        }
        assert_eq!(captures.each_ref().map(Capture::taken), [25, 25], "{}", strategy.name());
        first.drain(context().clock.now() + Duration::from_secs(5)).await;
        for _ in 0..50 {
            client.export(batch()).await.unwrap();
        }
        let taken: usize = captures.iter().map(Capture::taken).sum();
        assert_eq!(taken, 100, "{}", strategy.name());
        assert!(client.stats().failovers.load(Ordering::Relaxed) >= 5);
        assert_eq!(client.stats().endpoints()[0].ejections.load(Ordering::Relaxed), 1);
    }
}

/// Requests go to the address that was found but name the host.
#[tokio::test]
async fn requests_name_the_host_and_not_the_address() {
    let listener = TcpNet.bind("127.0.0.1:0").await.unwrap();
    let mut config = ClientConfig::new("http://backend.example:4318");
    config.connect_to = Some(listener.local_addr().unwrap().to_string());
    let client = HttpTransportStrategy.client(&context(), config).unwrap();
    let sent = tokio::spawn(async move { client.export(batch()).await });
    let (mut io, _) = listener.accept().await.unwrap();
    let mut head = vec![0; 4096];
    let len = io.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..len]).to_lowercase();
    assert!(head.contains("\r\nhost: backend.example:4318\r\n"), "{head}");
    io.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(sent.await.unwrap().unwrap(), Accepted::FULL);
}

#[tokio::test]
async fn names_are_looked_up_and_kept() {
    let capture = Capture::accepting();
    let server = serve(&GrpcTransportStrategy, &capture).await;
    let mut dns = DnsConfig::new("127.0.0.1");
    dns.port = server.local_addr().tcp().unwrap().port();
    let context = context();
    let mut template = ClientConfig::new("");
    template.tls.insecure = true;
    let resolver = Box::new(DnsResolver::new(&context, dns));
    let client = BalancedClient::new(
        &context,
        Arc::new(GrpcTransportStrategy),
        template,
        BalanceConfig::default(),
        resolver,
    )
    .unwrap()
    .into_client();
    client.export(batch()).await.unwrap();
    assert_eq!(capture.taken(), 1);
    assert_eq!(client.stats().connects.load(Ordering::Relaxed), 1, "counted together");
    assert!(client.stats().balance.is_some());
}
