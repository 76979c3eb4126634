//! Servers that answer by script, over h2 or over bare TCP.

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, SendResponse};
use http::{HeaderMap, HeaderName, Request, Response};
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as a server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Which connection it came on, from 0.
    pub(super) connection: usize,
    /// Which request it was on the server, from 0.
    pub(super) number: usize,
    pub(super) uri: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What an HTTP/2 server does about a request.
pub(super) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
        trailers: Vec<(&'static str, String)>,
    },
    Reset(Reason),
    Never,
}

/// A server; it ends with the test's runtime, or when told.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    task: tokio::task::JoinHandle<()>,
}

pub(super) type Script = Arc<dyn Fn(Seen) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

// === impl Reply ===

impl Reply {
    /// A gRPC answer of one message.
    pub(super) fn message(message: &[u8]) -> Self {
        Self::framed(0, message)
    }

    /// A gRPC answer whose message has that flag.
    pub(super) fn framed(flag: u8, message: &[u8]) -> Self {
        let mut body = vec![flag];
        body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend_from_slice(message);
        Self::Answer { status: 200, headers: grpc(), body, trailers: vec![("grpc-status", "0".into())] }
    }

    /// A gRPC failure in trailers after headers.
    pub(super) fn trailers(trailers: Vec<(&'static str, String)>) -> Self {
        Self::Answer { status: 200, headers: grpc(), body: Vec::new(), trailers }
    }

    /// A gRPC failure in the only headers.
    pub(super) fn trailers_only(trailers: Vec<(&'static str, String)>) -> Self {
        let headers = grpc().into_iter().chain(trailers).collect();
        Self::Answer { status: 200, headers, body: Vec::new(), trailers: Vec::new() }
    }
}

fn grpc() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/grpc".into())]
}

// === impl Fake ===

impl Fake {
    /// HTTP/2 with prior knowledge, answering at once.
    pub(super) async fn http2(script: impl Fn(Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::http2_with(None, move |seen| {
            let reply = script(seen);
            async move { reply }
        })
        .await
    }

    /// The same on an address of the test's choice.
    pub(super) async fn http2_at(
        address: SocketAddr,
        script: impl Fn(Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let script: Script = Arc::new(move |seen| {
            let reply = script(seen);
            Box::pin(async move { reply })
        });
        Self::accept(&address.to_string(), move |seen, number, io| {
            tokio::spawn(serve_http2(io, None, number, seen, script.clone()));
        })
        .await
    }

    /// HTTP/2 with a limit of streams, answering in its own time.
    pub(super) async fn http2_with<F: Future<Output = Reply> + Send + 'static>(
        max_streams: Option<u32>,
        script: impl Fn(Seen) -> F + Send + Sync + 'static,
    ) -> Self {
        let script: Script = Arc::new(move |seen| Box::pin(script(seen)));
        Self::accept("127.0.0.1:0", move |seen, number, io| {
            tokio::spawn(serve_http2(io, max_streams, number, seen, script.clone()));
        })
        .await
    }

    /// HTTP/1.1: the script makes the raw answer, an empty one closes the connection without an answer.
    pub(super) async fn http1(script: impl Fn(Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let script = Arc::new(script);
        Self::accept("127.0.0.1:0", move |seen, number, io| {
            tokio::spawn(serve_http1(io, number, seen, script.clone()));
        })
        .await
    }

    /// Hands each connection to `serve`.
    pub(super) async fn accept(
        address: &str,
        serve: impl Fn(Arc<Mutex<Vec<Seen>>>, usize, TcpStream) + Send + 'static,
    ) -> Self {
        let listener = listen(address).await;
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<Mutex<usize>>::default());
        let (shared, count) = (seen.clone(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((io, _)) = listener.accept().await {
                let number = *count.lock();
                *count.lock() += 1;
                serve(shared.clone(), number, io);
            }
        });
        Self { address, seen, connections, task }
    }

    /// The requests so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// Connections accepted so far.
    pub(super) fn connections(&self) -> usize {
        *self.connections.lock()
    }

    /// Closes the port.
    pub(super) async fn stop_accepting(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the servers of tests are real")]
async fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).await.unwrap()
}

/// Serves one HTTP/2 connection.
pub(super) async fn serve_http2<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    io: T,
    max_streams: Option<u32>,
    connection: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Script,
) {
    let mut builder = Builder::new();
    if let Some(max_streams) = max_streams {
        builder.max_concurrent_streams(max_streams);
    }
    let Ok(mut h2) = builder.handshake::<_, Bytes>(io).await else { return };
    while let Some(Ok((request, respond))) = h2.accept().await {
        let (seen, script) = (seen.clone(), script.clone());
        tokio::spawn(async move {
            if let Some(seen) = read_http2(connection, request, &seen).await {
                let _ = reply_http2(script(seen).await, respond).await;
            }
        });
    }
}

async fn read_http2(
    connection: usize,
    request: Request<h2::RecvStream>,
    seen: &Mutex<Vec<Seen>>,
) -> Option<Seen> {
    let (head, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = incoming.data().await {
        let chunk = chunk.ok()?;
        incoming.flow_control().release_capacity(chunk.len()).ok()?;
        body.extend_from_slice(&chunk);
    }
    let mut seen = seen.lock();
    let (number, uri) = (seen.len(), head.uri.to_string());
    seen.push(Seen { connection, number, uri, headers: head.headers, body });
    seen.last().cloned()
}

/// Fails if the client has gone.
async fn reply_http2(reply: Reply, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let (status, headers, body, trailers) = match reply {
        Reply::Answer { status, headers, body, trailers } => (status, headers, body, trailers),
        Reply::Reset(reason) => {
            respond.send_reset(reason);
            return Ok(());
        }
        Reply::Never => std::future::pending().await,
    };
    let mut head = Response::new(());
    *head.status_mut() = status.try_into().unwrap();
    *head.headers_mut() = header_map(headers);
    let ends = body.is_empty() && trailers.is_empty();
    let mut stream = respond.send_response(head, ends)?;
    if !body.is_empty() {
        stream.send_data(body.into(), trailers.is_empty())?;
    }
    if !trailers.is_empty() {
        stream.send_trailers(header_map(trailers))?;
    }
    Ok(())
}

fn header_map(headers: Vec<(&'static str, String)>) -> HeaderMap {
    headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

/// Serves one HTTP/1.1 connection.
pub(super) async fn serve_http1<T: AsyncRead + AsyncWrite + Unpin>(
    mut io: T,
    connection: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<dyn Fn(Seen) -> Vec<u8> + Send + Sync>,
) {
    let mut buffer = Vec::new();
    loop {
        let Some((uri, headers, head_len)) = read_head(&mut io, &mut buffer).await else { return };
        let len = headers.get("content-length").map_or(0, |len| len.to_str().unwrap().parse().unwrap());
        while buffer.len() < head_len + len {
            if io.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = buffer[head_len..head_len + len].to_vec();
        buffer.drain(..head_len + len);
        let request = {
            let mut seen = seen.lock();
            let number = seen.len();
            seen.push(Seen { connection, number, uri, headers, body });
            seen[number].clone()
        };
        let answer = script(request);
        if answer.is_empty() || io.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn read_head<T: AsyncRead + Unpin>(
    io: &mut T,
    buffer: &mut Vec<u8>,
) -> Option<(String, HeaderMap, usize)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let uri = lines.next()?.strip_prefix("POST ")?.strip_suffix(" HTTP/1.1")?.to_owned();
            let header = |line: &str| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
            };
            return Some((uri, lines.map(header).collect(), end + 4));
        }
        if io.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
