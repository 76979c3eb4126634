//! OTLP/gRPC inside a [tonic](https://docs.rs/tonic) server, beside other services. Feature `tonic`.
//!
//! [`services`] makes one `tonic` service for each signal. They take what [`GrpcTransportStrategy`] takes and
//! answer as it does: bodies are validated, size and time limits of [`ServerLimits`] hold, bodies are charged to the byte
//! budget of the [`TransportContext`], strings and ids are repaired, and refusals have status details (`RetryInfo`,
//! `BadRequest`). `ServerConfig::auth` works too; interceptors run before it.
//!
//! Connections are the tonic server's: its TLS, keepalive and connection limits hold, and `ServerLimits` of connections do
//! not. Client certificates are not shown to `ServerConfig::auth`. A bound on unfinished bodies holds for each request
//! instead of each connection.
//!
//! [`GrpcTransportStrategy`]: crate::GrpcTransportStrategy
//! [`ServerLimits`]: crate::ServerLimits
//!
//! ```
//! use otlp_protocol::encode::{LogRecords, RequestWriter};
//! use otlp_protocol::{Accepted, Batch, Charge, Signal, ValidateLimits};
//! use otlp_transport::{
//!     BoxExport, ClientConfig, Export, GrpcClient, Routes, ServerConfig, TransportContext, tonic::services,
//! };
//! use tonic::service::interceptor::InterceptedService;
//! use tonic::{Request, Status};
//!
//! /// Refuses requests without the password.
//! fn check(request: Request<()>) -> Result<Request<()>, Status> {
//!     match request.metadata().get("x-password") {
//!         Some(password) if password == "swordfish" => Ok(request),
//!         _ => Err(Status::unauthenticated("x-password is missing or wrong")),
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let context = TransportContext::tcp(64 << 20);
//! let routes = Routes::all(BoxExport::from_fn(|batch: Batch| async move {
//!     println!("{} {}", batch.items(), batch.signal().items_noun);
//!     Ok(Accepted::FULL)
//! }));
//! let otlp = services(&context, &ServerConfig::new(""), routes)?;
//!
//! let incoming = tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse()?)?;
//! let address = incoming.local_addr()?;
//! let server = tonic::transport::Server::builder()
//!     .add_service(otlp.traces)
//!     .add_service(otlp.metrics)
//!     .add_service(InterceptedService::new(otlp.logs, check))
//!     // .add_service(your_own_service)
//!     .serve_with_incoming(incoming);
//! let server = tokio::spawn(server);
//!
//! let mut config = ClientConfig::new(format!("http://{address}"));
//! config.headers.push(("x-password".into(), "swordfish".into()));
//! let client = GrpcClient::new(&context, &config)?;
//! let mut body = Vec::new();
//! RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
//!     group.scope_group(|scope| {
//!         scope.log_record(|record| {
//!             record.body("hello");
//!         });
//!     });
//! });
//! let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
//! assert_eq!(client.export(batch).await?, Accepted::FULL);
//! # server.abort();
//! # Ok(())
//! # }
//! ```

use crate::server::mounted::{BrokenBody, Mounted, RequestBody};
use crate::{Address, ConfigError, Routes, ServerConfig, ServerStats, TransportContext};
use ::tonic::body::Body;
use ::tonic::codegen::Service;
use ::tonic::server::NamedService;
use ::tonic::transport::server::TcpConnectInfo;
use bytes::Bytes;
use otlp_protocol::Signal;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Makes the OTLP/gRPC services, to be added to a tonic server. Endpoint, TLS and the HTTP settings of `config` are not
/// used; `ServerConfig::name` is the name in log lines, by default `tonic`.
///
/// A signal without a route is answered UNIMPLEMENTED, as is a signal whose service is not added.
///
/// # Errors
/// If a setting of `config` cannot work.
pub fn services(
    context: &TransportContext,
    config: &ServerConfig,
    routes: Routes,
) -> Result<Services, ConfigError> {
    let mut config = config.clone();
    if config.name.is_empty() {
        config.name = DEFAULT_NAME.into();
    }
    let mounted = Arc::new(Mounted::new(context, &config, routes)?);
    Ok(Services {
        traces: OtlpService(mounted.clone()),
        metrics: OtlpService(mounted.clone()),
        logs: OtlpService(mounted.clone()),
        profiles: OtlpService(mounted),
    })
}

/// One service for each signal of OTLP. They share limits, authentication, counters and routes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Services {
    /// `opentelemetry.proto.collector.trace.v1.TraceService`.
    pub traces: OtlpService<0>,
    /// `opentelemetry.proto.collector.metrics.v1.MetricsService`.
    pub metrics: OtlpService<1>,
    /// `opentelemetry.proto.collector.logs.v1.LogsService`.
    pub logs: OtlpService<2>,
    /// `opentelemetry.proto.collector.profiles.v1development.ProfilesService`.
    pub profiles: OtlpService<3>,
}

/// The OTLP/gRPC service of the signal at that place in [`Signal::ALL`]. Cloning shares the service.
#[derive(Clone)]
pub struct OtlpService<const SIGNAL: usize>(Arc<Mounted>);

// === impl Services ===

impl Services {
    /// Counters of the requests to all services. Those of connections stay zero.
    pub fn stats(&self) -> &Arc<ServerStats> {
        self.traces.0.stats()
    }
}

// === impl OtlpService ===

impl<const SIGNAL: usize> NamedService for OtlpService<SIGNAL> {
    const NAME: &'static str = service_of(Signal::ALL[SIGNAL].descriptor().grpc_path);
}

impl<const SIGNAL: usize, B> Service<http::Request<B>> for OtlpService<SIGNAL>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let peer = peer(&head.extensions);
        let response = self.0.respond(head, IncomingBody(body), peer);
        Box::pin(async move { Ok(response.await.map(Body::new)) })
    }
}

impl<const SIGNAL: usize> fmt::Debug for OtlpService<SIGNAL> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpService").field("name", &Self::NAME).finish_non_exhaustive()
    }
}

/// The body of a request to the tonic server.
struct IncomingBody<B>(B);

impl<B> RequestBody for IncomingBody<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenBody>>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                None => return Poll::Ready(None),
                // The error does not tell a peer that is gone from one that breaks the protocol.
                Some(Err(error)) => {
                    return Poll::Ready(Some(Err(BrokenBody { is_gone: true, cause: error.into() })));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Poll::Ready(Some(Ok(bytes))),
                    _ => {}
                },
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.0.is_end_stream()
    }

    fn remaining(&self) -> Option<u64> {
        self.0.size_hint().exact()
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The address of the peer, as the tonic server tells it; for a peer without an IP address, as on a Unix socket, a placeholder.
fn peer(extensions: &http::Extensions) -> Address {
    let address = extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    address.map_or_else(|| Address::Unix(Path::new(UNKNOWN_PEER).into()), Address::Tcp)
}

/// The service in `/service/method`.
const fn service_of(grpc_path: &'static str) -> &'static str {
    let mut end = grpc_path.len() - 1;
    while grpc_path.as_bytes()[end] != b'/' {
        end -= 1;
    }
    grpc_path.split_at(end).0.split_at(1).1
}

const DEFAULT_NAME: &str = "tonic";
const UNKNOWN_PEER: &str = "unknown";
