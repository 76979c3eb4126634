//! One request with the method GET over HTTP/1.1, on a connection of its own: for local APIs, such as that of a container engine.

use super::encoding::Outgoing;
use super::http1::handshake;
use crate::Net;
use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::{BodyExt as _, Full, Limited};
use otlp_protocol::Payload;
use std::io;

/// Gets a path from the server at `address`: `host:port`, or `unix:///path`. Returns the status and the body. The caller bounds the
/// time. Dropping the future closes the connection.
///
/// # Errors
/// If the server cannot be reached or does not answer in HTTP/1.1, or if the body has more than `max_bytes`.
pub async fn http_get(
    net: &dyn Net,
    address: &str,
    path: &str,
    max_bytes: usize,
) -> io::Result<(u16, Bytes)> {
    let io = net.connect(address).await?;
    let (mut sender, connection) = handshake(io).await.map_err(io::Error::other)?;
    // A socket in the file system has no name.
    let host = if address.starts_with("unix:") { "localhost" } else { address };
    // A type of body of its own would compile the code of connections once more.
    let body = Full::new(Outgoing::plain(Payload::new()));
    let request = Request::get(path).header(HOST, host).body(body).map_err(io::Error::other)?;
    let answer = async {
        let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let body = Limited::new(body, max_bytes).collect().await.map_err(io::Error::other)?;
        Ok((head.status.as_u16(), body.to_bytes()))
    };
    let drive = async {
        // The answer tells of the end.
        drop(connection.await);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        answer = answer => answer,
        () = drive => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}
