//! What the tests share: servers on ports of the system's choice, what they hand on, and peers that speak by hand.

// The test binary `memory` has this file by its path, too.
#[path = "harness/engines.rs"]
pub(crate) mod engines;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use otlp_protocol::{Accepted, Batch, FRAME_HEADER_LEN, RpcStatus, Signal};
use otlp_transport::testing::MemoryConnection;
use otlp_transport::{
    BoxExport, BoxIo, Export, ExportFuture, ExportResult, Net as _, Routes, Server, ServerConfig,
    ServerLimits, ServerStrategy, TcpNet, TransportContext,
};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Keeps what it is handed, and answers as it was told.
#[derive(Clone)]
pub(crate) struct Capture {
    taken: Arc<Mutex<Vec<(Signal, Bytes, u64)>>>,
    answer: Arc<dyn Fn(Batch) -> ExportFuture<'static> + Send + Sync>,
}

impl Capture {
    pub(crate) fn accepting() -> Self {
        Self::answering(|_| Ok(Accepted::FULL))
    }

    pub(crate) fn answering(answer: impl Fn(&Batch) -> ExportResult + Send + Sync + 'static) -> Self {
        Self::with(move |batch| {
            let answer = answer(&batch);
            Box::pin(std::future::ready(answer))
        })
    }

    pub(crate) fn with(answer: impl Fn(Batch) -> ExportFuture<'static> + Send + Sync + 'static) -> Self {
        Self { taken: Arc::default(), answer: Arc::new(answer) }
    }

    /// What came since the last call: signal, body and number of items.
    pub(crate) fn take(&self) -> Vec<(Signal, Bytes, u64)> {
        std::mem::take(&mut self.taken.lock())
    }

    /// How many batches are there to be taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.lock().len()
    }

    pub(crate) fn routes(&self) -> Routes {
        Signal::ALL
            .into_iter()
            .fold(Routes::new(), |routes, signal| routes.with(signal, BoxExport::new(self.clone())))
    }
}

impl Export for Capture {
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send {
        self.taken.lock().push((batch.signal(), batch.body().plain().to_contiguous(), batch.items()));
        (self.answer)(batch)
    }
}

/// A server of that kind on a port of the system's choice.
pub(crate) async fn serve(strategy: &dyn ServerStrategy, export: &Capture) -> Server {
    serve_with(strategy, export, &context(), |_| {}).await
}

/// The same, with the limits changed.
pub(crate) async fn serve_with(
    strategy: &dyn ServerStrategy,
    export: &Capture,
    context: &TransportContext,
    change: impl FnOnce(&mut ServerLimits),
) -> Server {
    let mut config = ServerConfig::new("127.0.0.1:0");
    change(&mut config.limits);
    serve_config(strategy, export, context, config).await
}

/// The same, with all settings given.
pub(crate) async fn serve_config(
    strategy: &dyn ServerStrategy,
    export: &Capture,
    context: &TransportContext,
    config: ServerConfig,
) -> Server {
    strategy.bind(context, config, export.routes()).await.unwrap()
}

/// A place for a test's Unix socket.
pub(crate) struct SocketPath(std::path::PathBuf);

impl SocketPath {
    pub(crate) fn new(name: &str) -> Self {
        // Such paths are short: 108 bytes at most.
        let path = std::env::temp_dir().join(format!("otlp-{name}-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.0.display())
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn context() -> TransportContext {
    TransportContext::tcp(1 << 30)
}

pub(crate) async fn connect(address: impl Display) -> BoxIo {
    TcpNet.connect(&address.to_string()).await.unwrap()
}

/// A file of otlp-protocol's vectors.
pub(crate) fn fixture(file: &str) -> Bytes {
    let path = format!("{}/../otlp-protocol/tests/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")).into()
}

pub(crate) fn unhex(text: &str) -> Bytes {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// One client's HTTP/2 connection, with prior knowledge.
#[derive(Clone)]
pub(crate) enum Http2Peer {
    Socket(hyper::client::conn::http2::SendRequest<BoxBody>),
    Memory(MemoryConnection),
}

type BoxBody = http_body_util::combinators::BoxBody<Bytes, Infallible>;
/// The body of an answer.
pub(crate) type Answer = http_body_util::combinators::UnsyncBoxBody<Bytes, hyper::Error>;

/// An answer over HTTP/2; for gRPC, `headers` has the trailers too.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) has_trailers: bool,
}

impl Http2Peer {
    pub(crate) async fn connect(address: impl Display) -> Self {
        Self::over(connect(address).await).await
    }

    pub(crate) async fn over(io: BoxIo) -> Self {
        let io = TokioIo::new(io);
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self::Socket(sender)
    }

    /// Calls a gRPC method with these DATA frames.
    pub(crate) async fn call(&self, path: &str, headers: &[(&str, &str)], frames: Vec<Bytes>) -> Reply {
        let mut all = vec![("content-type", "application/grpc"), ("te", "trailers")];
        all.extend(headers);
        self.try_request("POST", path, &all, frames).await.unwrap()
    }

    pub(crate) async fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        frames: Vec<Bytes>,
    ) -> Result<Reply, hyper::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://localhost{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, BodyExt::boxed(StreamBody::new(data(frames)))).await
    }

    /// Calls a gRPC method with these DATA frames and leaves the rest due.
    pub(crate) async fn call_and_stall(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        frames: Vec<Bytes>,
    ) -> Reply {
        let mut request =
            Request::post(format!("http://localhost{path}")).header("content-type", "application/grpc");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = StreamBody::new(data(frames).chain(futures_util::stream::pending()));
        self.send(request, BodyExt::boxed(body)).await.unwrap()
    }

    /// Calls a gRPC method of many answers; they come as the body's frames do.
    pub(crate) async fn open(&self, path: &str, frames: Vec<Bytes>) -> Answer {
        let request =
            Request::post(format!("http://localhost{path}")).header("content-type", "application/grpc");
        let body = BodyExt::boxed(StreamBody::new(data(frames)));
        self.answer(request, body).await.unwrap().into_body()
    }

    async fn answer(
        &self,
        request: http::request::Builder,
        body: BoxBody,
    ) -> Result<http::Response<Answer>, hyper::Error> {
        let request = request.body(body).unwrap();
        match self {
            Self::Socket(sender) => {
                let response = sender.clone().send_request(request).await?;
                Ok(response.map(BodyExt::boxed_unsync))
            }
            Self::Memory(connection) => Ok(engines::request(connection, request).await),
        }
    }

    async fn send(&self, request: http::request::Builder, body: BoxBody) -> Result<Reply, hyper::Error> {
        let response = self.answer(request, body).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        let trailers = body.trailers().cloned();
        let mut headers = head.headers;
        let has_trailers = trailers.is_some();
        headers.extend(trailers.into_iter().flatten());
        Ok(Reply { status: head.status.as_u16(), headers, body: body.to_bytes(), has_trailers })
    }
}

type Frames = futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>;

fn data(frames: Vec<Bytes>) -> Frames {
    let frames: Vec<_> = frames.into_iter().map(|data| Ok(Frame::data(data))).collect();
    futures_util::stream::iter(frames)
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The gRPC status code.
    pub(crate) fn code(&self) -> u32 {
        self.header("grpc-status").parse().unwrap_or_else(|_| panic!("no grpc-status: {self:?}"))
    }

    /// `grpc-status-details-bin`, decoded.
    pub(crate) fn details(&self) -> RpcStatus {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(self.header("grpc-status-details-bin"))
            .unwrap();
        RpcStatus::decode(&bytes).unwrap()
    }
}

/// A gRPC message with its header, in one piece.
pub(crate) fn framed(is_compressed: bool, message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_HEADER_LEN + message.len());
    framed.extend_from_slice(&[u8::from(is_compressed)]);
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    framed.freeze()
}

/// One client's HTTP/1.1 connection, written and read by hand.
pub(crate) struct Http1Peer {
    io: BoxIo,
    read: BytesMut,
}

/// An answer over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Http1Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Bytes,
}

impl Http1Peer {
    pub(crate) async fn connect(address: impl Display) -> Self {
        Self::over(connect(address).await)
    }

    pub(crate) fn over(io: BoxIo) -> Self {
        Self { io, read: BytesMut::new() }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends a POST of a body with its length, and reads the answer.
    pub(crate) async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Http1Reply {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.write(head).await;
        // A refusal may come, and the connection close, before all is sent.
        let _ = self.io.write_all(body).await;
        self.answer().await.unwrap_or_else(|| panic!("no answer to {path}"))
    }

    /// The next answer; `None` if the connection closes first.
    pub(crate) async fn answer(&mut self) -> Option<Http1Reply> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8(self.read.split_to(end).to_vec()).unwrap().to_lowercase();
        let status: u16 = head[9..12].parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        while self.read.len() < length {
            self.fill().await?;
        }
        Some(Http1Reply { status, head, body: self.read.split_to(length).freeze() })
    }

    /// Reads until the peer closes; what came.
    pub(crate) async fn rest(mut self) -> Bytes {
        while self.fill().await.is_some() {}
        self.read.freeze()
    }

    async fn fill(&mut self) -> Option<()> {
        let count = self.io.read_buf(&mut self.read).await.unwrap_or(0);
        (count > 0).then_some(())
    }
}

impl Http1Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or("")
    }

    /// The body as `google.rpc.Status`.
    pub(crate) fn rpc_status(&self) -> RpcStatus {
        RpcStatus::decode(&self.body).unwrap()
    }
}
