//! A tunnel through a proxy: CONNECT (RFC 9110 §9.3.6).

use super::ProxyUrl;
use crate::BoxIo;
use std::io::{self, Cursor, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A proxy's answer to CONNECT.
#[derive(Debug, PartialEq, Eq)]
struct ProxyAnswer {
    status: u16,
    /// The reason phrase, only its visible ASCII characters.
    reason: String,
    /// Length of the answer up to the end of the headers, in bytes.
    len: usize,
}

/// Asks the proxy at the other end of `io` for a connection to `target` (`host:port`). No timeout of its own.
pub(crate) async fn open_tunnel(mut io: BoxIo, proxy: &ProxyUrl, target: &str) -> io::Result<BoxIo> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"proxy-authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    io.write_all(&request).await?;
    io.flush().await?;
    let mut read = Vec::with_capacity(1024);
    let answer = loop {
        if let Some(answer) = parse(&read).map_err(|problem| failed(proxy, problem))? {
            break answer;
        }
        if read.len() >= MAX_ANSWER_BYTES {
            return Err(failed(proxy, "the headers of the proxy's answer are over 16 KiB"));
        }
        if io.read_buf(&mut read).await? == 0 {
            return Err(failed(proxy, "the proxy closed the connection without an answer"));
        }
    };
    match answer.status {
        200..=299 => {}
        407 => {
            let problem = "the proxy requires credentials (HTTP 407): put user:password into proxy_url";
            return Err(failed(proxy, problem));
        }
        status => {
            let reason = format!("HTTP {status} {}", answer.reason);
            let problem = format!("the proxy does not connect to {target} ({})", reason.trim_end());
            return Err(failed(proxy, &problem));
        }
    }
    let ahead = read.split_off(answer.len);
    if ahead.is_empty() {
        return Ok(io);
    }
    // The server has sent bytes already, as HTTP/2 servers may.
    let (reader, writer) = tokio::io::split(io);
    Ok(Box::new(tokio::io::join(Cursor::new(ahead).chain(reader), writer)))
}

/// Parses the head of an answer; `None` if the head is incomplete.
///
/// # Errors
/// If the bytes are not HTTP/1.0 or HTTP/1.1.
fn parse(read: &[u8]) -> Result<Option<ProxyAnswer>, &'static str> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let len = match response.parse(read) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err("the proxy's answer is not HTTP/1.1"),
    };
    let Some(status) = response.code else { return Err("the proxy's answer has no status") };
    let visible = response.reason.unwrap_or_default().chars().filter(|c| (' '..='~').contains(c));
    Ok(Some(ProxyAnswer { status, reason: visible.take(MAX_REASON_CHARS).collect(), len }))
}

fn failed(proxy: &ProxyUrl, problem: &str) -> io::Error {
    io::Error::new(ErrorKind::ConnectionRefused, format!("proxy {proxy}: {problem}"))
}

const MAX_ANSWER_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 100;
const MAX_REASON_CHARS: usize = 100;

#[cfg(test)]
mod tests;
