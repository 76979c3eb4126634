//! Destinations that never accept anything.

use otlp_service::client::Protocol;
use otlp_transport::{
    BoxExport, MultiplexTransportStrategy, Routes, ServerConfig, ServerStrategy as _, TransportContext,
};
use std::any::Any;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

/// A destination.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) endpoint: String,
}

/// All destinations, on a runtime of their own.
pub(super) struct Targets {
    pub(super) all: Vec<Target>,
    /// Sockets and servers.
    _open: Vec<Box<dyn Any>>,
    _runtime: Runtime,
}

impl Targets {
    pub(super) fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (mut all, mut open) = (Vec::new(), Vec::<Box<dyn Any>>::new());
        let mut add = |name: &str, endpoint: String, kept: Box<dyn Any>| {
            all.push(Target { name: name.into(), endpoint });
            open.push(kept);
        };
        runtime.block_on(async {
            // Bound, so that no other program takes the port, but not listening.
            let refusing = TcpSocket::new_v4().unwrap();
            refusing.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            add("refusing", format!("http://{}", refusing.local_addr().unwrap()), Box::new(refusing));

            let (listener, endpoint) = listen(1);
            add("black hole", endpoint, Box::new(fill(listener).await));

            let (listener, endpoint) = listen(1024);
            add("resetting", endpoint, Box::new(tokio::spawn(reset(listener))));

            let (listener, endpoint) = listen(1024);
            add("silent", endpoint, Box::new(tokio::spawn(stay_silent(listener))));

            let (listener, endpoint) = listen(1024);
            add("trickling", endpoint, Box::new(tokio::spawn(trickle(listener))));

            let (server, address) = serve(ServerConfig::new("127.0.0.1:0")).await;
            add("unanswering", format!("http://{address}"), server);
            #[cfg(feature = "tls")]
            for (name, endpoint, kept) in with_wrong_tls().await {
                add(name, endpoint, kept);
            }
        });
        Self { all, _open: open, _runtime: runtime }
    }
}

fn listen(backlog: u32) -> (TcpListener, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(backlog).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// Connects until the listener's backlog is full: further packets are dropped.
async fn fill(listener: TcpListener) -> (TcpListener, Vec<TcpStream>) {
    let address = listener.local_addr().unwrap();
    let mut connections = Vec::new();
    while let Ok(connected) =
        timeout(Duration::from_millis(500), TcpSocket::new_v4().unwrap().connect(address)).await
    {
        connections.push(connected.unwrap());
        assert!(connections.len() < 100, "the backlog does not fill");
    }
    (listener, connections)
}

/// Resets connections on which something arrives: what is not read when a socket is closed makes Linux reset the connection.
async fn reset(listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(async move { connection.readable().await });
    }
}

/// Accepts connections and never reads or writes.
async fn stay_silent(listener: TcpListener) {
    let mut connections = Vec::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.push(connection);
    }
}

/// Begins an answer that never ends: over HTTP/1.1 a header comes byte by byte, over HTTP/2 come pings.
async fn trickle(listener: TcpListener) {
    while let Ok((mut connection, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut first = [0; 3];
            connection.read_exact(&mut first).await?;
            let is_http2 = first == *b"PRI";
            let (begin, more): (&[u8], &[u8]) = if is_http2 { (SETTINGS, PING) } else { (HEAD, b"a") };
            connection.write_all(begin).await?;
            loop {
                sleep(Duration::from_millis(20)).await;
                connection.write_all(more).await?;
            }
            #[expect(unreachable_code, reason = "the type of the block")]
            std::io::Result::Ok(())
        });
    }
}

/// A server that reads requests and never answers them.
async fn serve(config: ServerConfig) -> (Box<dyn Any>, String) {
    let context = TransportContext::tcp(1 << 20);
    let routes = Routes::all(BoxExport::from_fn(|_| std::future::pending()));
    let server = MultiplexTransportStrategy.bind(&context, config, routes).await.unwrap();
    let address = server.local_addr().to_string();
    (Box::new(server), address)
}

/// Servers that speak TLS where cleartext is expected, the reverse, and with a certificate that is not trusted.
#[cfg(feature = "tls")]
async fn with_wrong_tls() -> Vec<(&'static str, String, Box<dyn Any>)> {
    let cleartext = || ServerConfig::new("127.0.0.1:0");
    let tls = || {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let mut config = cleartext();
        let key = made.signing_key.serialize_pem();
        config.tls = Some(otlp_transport::ServerTlsConfig::from_pem(made.cert.pem(), key));
        config
    };
    let mut made = Vec::new();
    for (name, scheme, config) in [
        ("cleartext behind https", "https", cleartext()),
        ("TLS behind http", "http", tls()),
        ("untrusted", "https", tls()),
    ] {
        let (server, address) = serve(config).await;
        made.push((name, format!("{scheme}://{address}"), server));
    }
    made
}

/// Frames of HTTP/2.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nx-slow: ";

/// The name of a protocol for [`protocol`].
pub(super) fn protocol_name(protocol: Protocol) -> &'static str {
    if protocol == Protocol::Grpc { "grpc" } else { "http" }
}

/// The protocol of a name.
pub(super) fn protocol(name: &str) -> Protocol {
    if name == "grpc" { Protocol::Grpc } else { Protocol::HttpProtobuf }
}
