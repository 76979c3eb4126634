//! Lines of a connection to the admin socket.

use otlp_transport::BoxIo;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A connection, of which one line is read and many are written.
pub(super) struct Connection {
    stream: BoxIo,
}

// === impl Connection ===

impl Connection {
    pub(super) fn new(stream: BoxIo) -> Self {
        Self { stream }
    }

    /// Reads the request. What stands behind its line is ignored.
    ///
    /// # Errors
    /// A text for the sender.
    pub(super) async fn request(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        let mut piece = [0; 1024];
        loop {
            let read = self.stream.read(&mut piece).await.map_err(|error| error.to_string())?;
            line.extend_from_slice(piece.get(..read).unwrap_or_default());
            if let Some(end) = line.iter().position(|&byte| byte == b'\n') {
                line.truncate(end);
                return String::from_utf8(line).map_err(|_| "the request is not UTF-8".to_owned());
            }
            if read == 0 {
                return Err("the request has no end of a line".to_owned());
            }
            if line.len() > MAX_REQUEST_BYTES {
                return Err(format!("the request is longer than {MAX_REQUEST_BYTES} bytes"));
            }
        }
    }

    /// Writes a line.
    pub(super) async fn send(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(line.as_bytes()).await?;
        self.stream.flush().await
    }

    /// Waits until the peer has closed the connection.
    pub(super) async fn closed(&mut self) {
        let mut ignored = [0; 256];
        while self.stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
    }
}

const MAX_REQUEST_BYTES: usize = 64 << 10;
