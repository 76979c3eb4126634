//! Fewer and larger writes. h2 flushes after each DATA frame; small writes are collected here and written by one system
//! call when the connection's task has run. Large writes are not copied: they are written at once, after the collected
//! bytes.

use crate::BoxIo;
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream with two handles: one for h2, one for [`poll_drain`](Self::poll_drain). The lock is never contended, since
/// one task uses both.
#[derive(Clone)]
pub(crate) struct Coalescing(Arc<Mutex<Inner>>);

struct Inner {
    io: BoxIo,
    waiting: Vec<u8>,
    /// Bytes of `waiting` already written.
    written: usize,
}

// === impl Coalescing ===

impl Coalescing {
    pub(crate) fn new(io: BoxIo) -> Self {
        Self(Arc::new(Mutex::new(Inner { io, waiting: Vec::new(), written: 0 })))
    }

    /// Writes the collected bytes. To be called after each poll of the connection.
    pub(crate) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock();
        if inner.waiting.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(inner.poll_write_out(context))?;
        Pin::new(&mut inner.io).poll_flush(context)
    }
}

impl AsyncRead for Coalescing {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.lock().io).poll_read(context, into)
    }
}

impl AsyncWrite for Coalescing {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.0.lock();
        let len = slices.iter().map(|slice| slice.len()).sum::<usize>();
        if len <= MAX_COPIED && inner.waiting.len() + len > MAX_WAITING {
            ready!(inner.poll_write_out(context))?;
        }
        if len <= MAX_COPIED {
            slices.iter().for_each(|slice| inner.waiting.extend_from_slice(slice));
            return Poll::Ready(Ok(len));
        }
        inner.poll_write_behind(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: [`poll_drain`](Self::poll_drain) writes the collected bytes.
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.0.lock().io).poll_shutdown(context)
    }
}

// === impl Inner ===

impl Inner {
    /// Writes all collected bytes.
    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.waiting.get(self.written..) {
            match ready!(Pin::new(&mut self.io).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        self.waiting.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Writes the collected bytes and `slices` together. Returns the bytes written of `slices`, at least one.
    fn poll_write_behind(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        while let Some(rest @ [_, ..]) = self.waiting.get(self.written..) {
            let mut together = [IoSlice::new(&[]); MAX_SLICES];
            together[0] = IoSlice::new(rest);
            for (to, from) in together[1..].iter_mut().zip(slices) {
                *to = IoSlice::new(from);
            }
            let count = MAX_SLICES.min(1 + slices.len());
            let waiting = rest.len();
            let written = ready!(Pin::new(&mut self.io).poll_write_vectored(context, &together[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written.min(waiting);
            if written > waiting {
                self.waiting.clear();
                self.written = 0;
                return Poll::Ready(Ok(written - waiting));
            }
        }
        self.waiting.clear();
        self.written = 0;
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }
}

/// A frame of 16 KiB, HTTP/2's default limit, with its header. Copying a frame costs less than a system call.
const MAX_COPIED: usize = (16 << 10) + 9;
/// Collected bytes beyond which new writes wait for the socket.
const MAX_WAITING: usize = 64 << 10;
/// Slices that h2 passes at once.
const MAX_SLICES: usize = 64;

#[cfg(test)]
mod tests;
