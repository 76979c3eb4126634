//! Senders that speak by hand, over gRPC and over HTTP/1.1, and say what they were told.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request, Version};
use otlp_protocol::{FrameHeader, RpcStatus, Signal};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What an answer means to a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// Never to be sent again: the body is not OTLP.
    Invalid,
    TooLarge,
    Unsupported,
    /// To be sent again, after a delay that is given.
    Busy,
    Other,
}

/// An answer: its verdict, with the HTTP or gRPC status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) status: u32,
}

/// A connection of one of the two kinds.
pub(crate) enum Peer {
    Grpc(SendRequest<Bytes>),
    Http { stream: TcpStream, read: BytesMut },
}

/// How a body is sent: plainly, or compressed with that.
pub(crate) type Encoding<'a> = Option<&'a str>;

// === impl Peer ===

impl Peer {
    /// Connects; `None` if that is refused.
    pub(crate) async fn connect(is_grpc: bool, address: SocketAddr) -> Option<Self> {
        within("connecting", async move {
            let stream = TcpStream::connect(address).await.ok()?;
            if !is_grpc {
                return Some(Self::Http { stream, read: BytesMut::new() });
            }
            let (sender, connection) = h2::client::handshake(stream).await.ok()?;
            tokio::spawn(connection);
            Some(Self::Grpc(sender))
        })
        .await
    }

    /// Sends a body; `None` if the connection ends before there is an answer.
    pub(crate) async fn send(
        &mut self,
        signal: Signal,
        encoding: Encoding<'_>,
        body: &Bytes,
    ) -> Option<Answer> {
        within(signal.name, async {
            match self {
                Self::Grpc(sender) => call(sender, signal, encoding, body).await.ok(),
                Self::Http { stream, read } => {
                    let encoding = encoding.map(|encoding| format!("content-encoding: {encoding}\r\n"));
                    let head = post(signal, &encoding.unwrap_or_default(), body.len());
                    // A refusal may come, and the connection close, before all is sent.
                    let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
                    http_answer(stream, read).await
                }
            }
        })
        .await
    }
}

/// The head of a request over HTTP/1.1.
pub(crate) fn post(signal: Signal, headers: &str, len: usize) -> String {
    let path = signal.http_path;
    format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n{headers}\
         content-length: {len}\r\n\r\n"
    )
}

/// The head of a call.
pub(crate) fn call_head(signal: Signal) -> http::request::Builder {
    let request = Request::post(format!("http://a{}", signal.grpc_path)).version(Version::HTTP_2);
    request.header("content-type", "application/grpc").header("te", "trailers")
}

/// A gRPC message with its header.
pub(crate) fn framed(is_compressed: bool, message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_slice(&FrameHeader::new(is_compressed, message.len() as u32).encode());
    framed.put_slice(message);
    framed.freeze()
}

async fn call(
    sender: &mut SendRequest<Bytes>,
    signal: Signal,
    encoding: Encoding<'_>,
    body: &Bytes,
) -> Result<Answer, h2::Error> {
    let mut head = call_head(signal);
    if let Some(encoding) = encoding {
        head = head.header("grpc-encoding", encoding);
    }
    let mut ready = sender.clone().ready().await?;
    let (response, mut stream) = ready.send_request(head.body(()).expect("a request"), false)?;
    // A refusal may reset the stream before all is sent.
    let _ = stream.send_data(framed(encoding.is_some(), body), true);
    let (head, mut body) = response.await?.into_parts();
    while let Some(piece) = body.data().await {
        let len = piece?.len();
        let _ = body.flow_control().release_capacity(len);
    }
    let mut headers = head.headers;
    headers.extend(body.trailers().await?.into_iter().flatten());
    Ok(grpc_verdict(&headers))
}

fn grpc_verdict(headers: &HeaderMap) -> Answer {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let status = text("grpc-status").and_then(|code| code.parse().ok()).expect("a grpc-status");
    let details = text("grpc-status-details-bin").map(|details| {
        RpcStatus::decode(&STANDARD_NO_PAD.decode(details).expect("base64")).expect("google.rpc.Status")
    });
    let has_delay = details.is_some_and(|details| details.retry_delay.is_some());
    let verdict = match status {
        0 => Verdict::Accepted,
        3 => Verdict::Invalid,
        8 | 14 if has_delay => Verdict::Busy,
        8 => Verdict::TooLarge,
        12 => Verdict::Unsupported,
        _ => Verdict::Other,
    };
    Answer { verdict, status }
}

/// The next answer over HTTP/1.1; `None` if the connection ends before it is complete.
pub(crate) async fn http_answer(stream: &mut TcpStream, read: &mut BytesMut) -> Option<Answer> {
    let mut needed = None;
    loop {
        if needed.is_none()
            && let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&read.split_to(end + 4)).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
            needed = Some((head, length));
        }
        if let Some((head, length)) = &needed
            && read.len() >= *length
        {
            drop(read.split_to(*length));
            return Some(http_verdict(head));
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

fn http_verdict(head: &str) -> Answer {
    let status = head.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
    let verdict = match status {
        200 => Verdict::Accepted,
        400 => Verdict::Invalid,
        413 => Verdict::TooLarge,
        415 => Verdict::Unsupported,
        429 | 503 if head.contains("\r\nretry-after: ") => Verdict::Busy,
        _ => Verdict::Other,
    };
    Answer { verdict, status }
}

/// Nothing may hang.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} takes for ever"))
}

/// Far more than any answer takes, also on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(300);
