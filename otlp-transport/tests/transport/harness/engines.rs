//! The same tests on every protocol engine: on hyper over sockets, and on the one without.

use super::{Answer, BoxBody, Capture, Http1Peer, Http1Reply, Http2Peer, serve_config};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use otlp_transport::testing::{MemoryConnection, MemoryPiece, MemoryServer, Spoken};
use otlp_transport::{
    Clock as _, GrpcTransportStrategy, HttpTransportStrategy, MultiplexTransportStrategy, Server,
    ServerConfig, ServerLimits, ServerStats, ServerStrategy, TokioClock, TransportContext,
};
use std::sync::Arc;
use std::time::Duration;

/// What speaks HTTP for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Hyper,
    Memory,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Grpc,
    Http,
    Both,
}

/// A server on one of the engines.
pub(crate) enum Served {
    Hyper(Server),
    Memory(MemoryServer),
}

/// A connection of HTTP/1.1 to such a server.
pub(crate) enum Posting {
    Socket(Http1Peer),
    Memory(MemoryConnection),
}

// === impl Engine ===

impl Engine {
    /// A server that speaks that.
    pub(crate) async fn serve(self, port: Port, export: &Capture) -> Served {
        self.serve_config(port, export, &super::context(), ServerConfig::new("127.0.0.1:0")).await
    }

    /// The same, with the limits changed.
    pub(crate) async fn serve_with(
        self,
        port: Port,
        export: &Capture,
        context: &TransportContext,
        change: impl FnOnce(&mut ServerLimits),
    ) -> Served {
        let mut config = ServerConfig::new("127.0.0.1:0");
        change(&mut config.limits);
        self.serve_config(port, export, context, config).await
    }

    /// The same, with all settings given.
    pub(crate) async fn serve_config(
        self,
        port: Port,
        export: &Capture,
        context: &TransportContext,
        config: ServerConfig,
    ) -> Served {
        match self {
            Self::Hyper => Served::Hyper(serve_config(port.strategy(), export, context, config).await),
            Self::Memory => {
                Served::Memory(MemoryServer::new(context, &config, export.routes(), port.spoken()).unwrap())
            }
        }
    }
}

// === impl Port ===

impl Port {
    fn strategy(self) -> &'static dyn ServerStrategy {
        match self {
            Self::Grpc => &GrpcTransportStrategy,
            Self::Http => &HttpTransportStrategy,
            Self::Both => &MultiplexTransportStrategy,
        }
    }

    fn spoken(self) -> Spoken {
        match self {
            Self::Grpc => Spoken::Grpc,
            Self::Http => Spoken::Http,
            Self::Both => Spoken::Both,
        }
    }
}

// === impl Served ===

impl Served {
    pub(crate) fn stats(&self) -> &Arc<ServerStats> {
        match self {
            Self::Hyper(server) => server.stats(),
            Self::Memory(server) => server.stats(),
        }
    }

    pub(crate) async fn http2(&self) -> Http2Peer {
        match self {
            Self::Hyper(server) => Http2Peer::connect(server.local_addr()).await,
            Self::Memory(server) => Http2Peer::Memory(server.connect(true).unwrap()),
        }
    }

    pub(crate) async fn http1(&self) -> Posting {
        match self {
            Self::Hyper(server) => Posting::Socket(Http1Peer::connect(server.local_addr()).await),
            Self::Memory(server) => Posting::Memory(server.connect(false).unwrap()),
        }
    }

    pub(crate) fn leave(&self) {
        match self {
            Self::Hyper(server) => server.leave(),
            Self::Memory(server) => server.leave(),
        }
    }

    pub(crate) async fn drain(self) {
        match self {
            Self::Hyper(server) => server.drain(TokioClock.now() + Duration::from_secs(60)).await,
            Self::Memory(server) => server.drain(),
        }
    }
}

// === impl Posting ===

impl Posting {
    /// Sends a POST of a body with its length, and reads the answer.
    pub(crate) async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Http1Reply {
        let connection = match self {
            Self::Socket(peer) => return peer.post(path, headers, body).await,
            Self::Memory(connection) => connection,
        };
        let body = Bytes::copy_from_slice(body);
        let (len, headers) = (body.len() as u64, header_map(headers));
        let pieces = futures_util::stream::iter([body]);
        let target = path.parse().unwrap();
        let mut reply = connection.request(Method::POST, target, headers, Some(len), pieces).await.unwrap();
        let mut head = format!("http/1.1 {}\r\n", reply.status.as_u16());
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()).to_lowercase());
        }
        let mut body = Vec::new();
        while let Some(piece) = reply.next().await {
            match piece {
                MemoryPiece::Bytes(bytes) => body.extend_from_slice(&bytes),
                MemoryPiece::Trailers(trailers) => panic!("trailers over HTTP/1.1: {trailers:?}"),
            }
        }
        Http1Reply { status: reply.status.as_u16(), head, body: body.into() }
    }
}

/// Sends a request over HTTP/2 without a socket.
pub(super) async fn request(connection: &MemoryConnection, request: Request<BoxBody>) -> Response<Answer> {
    let (head, body) = request.into_parts();
    let len = body.size_hint().exact();
    let pieces = body.into_data_stream().map(|piece| piece.unwrap());
    let reply = connection.request(head.method, head.uri, head.headers, len, pieces).await.unwrap();
    let (status, headers) = (reply.status, reply.headers.clone());
    let frames = futures_util::stream::unfold(reply, |mut reply| async move {
        let frame = match reply.next().await? {
            MemoryPiece::Bytes(bytes) => Frame::data(bytes),
            MemoryPiece::Trailers(trailers) => Frame::trailers(trailers),
        };
        Some((Ok(frame), reply))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

fn header_map(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    map
}
