//! Takes a body off a connection: bounded in size and in time, charged as it comes.
//!
//! A body that comes in one piece is not copied; of several pieces, each is copied once. What is allocated follows what
//! has come, not what the peer says will come.

use super::deadline::{Expired, Patience};
use crate::ExportError;
use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use otlp_protocol::{BudgetExhausted, BufferPool, Charge, ErrorKind, PooledObject, Retry};
use std::pin::Pin;
use std::task::{Poll, ready};

/// The pieces of a body so far, in one.
pub(super) struct Gather<'a> {
    buffers: &'a BufferPool,
    charge: Charge,
    first: Bytes,
    buffer: Option<PooledObject<Vec<u8>>>,
    /// Room of `buffer` that is charged.
    charged: usize,
}

impl<'a> Gather<'a> {
    pub(super) fn new(buffers: &'a BufferPool, charge: Charge) -> Self {
        Self { buffers, charge, first: Bytes::new(), buffer: None, charged: 0 }
    }

    /// Adds a piece. `expected` is how long the whole is said to get, if anything is: reserved at once up to 1 MiB, and
    /// from there on by doubling what has come.
    pub(super) fn push(&mut self, piece: Bytes, expected: Option<usize>) -> Result<(), BudgetExhausted> {
        if self.as_slice().is_empty() {
            self.charge.try_grow(piece.len() as u64)?;
            self.charged = piece.len();
            self.first = piece;
            return Ok(());
        }
        let len = self.as_slice().len() + piece.len();
        if self.buffer.is_none() || len > self.charged {
            let wanted = expected.map_or(2 * len, |expected| expected.min(MAX_TRUSTED_BYTES.max(2 * len)));
            let room = len.max(wanted);
            self.charge.try_grow(room.saturating_sub(self.charged) as u64)?;
            self.charged = self.charged.max(room);
        }
        let buffer = self.buffer.get_or_insert_with(|| {
            let mut buffer = self.buffers.take(self.charged);
            buffer.extend_from_slice(&std::mem::take(&mut self.first));
            buffer
        });
        let room = self.charged - buffer.len();
        buffer.reserve_exact(room);
        buffer.extend_from_slice(&piece);
        Ok(())
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&self.first, |buffer| buffer)
    }

    /// All of it, and what it holds of the budget.
    pub(super) fn finish(self) -> (Bytes, Charge) {
        (self.buffer.map_or(self.first, BufferPool::freeze), self.charge)
    }
}

/// The next piece of a body, not empty; `None` at its end. Trailers are skipped.
pub(super) async fn next_piece(
    body: &mut Incoming,
    patience: &mut Patience<'_>,
) -> Result<Option<Bytes>, ExportError> {
    std::future::poll_fn(|cx| {
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(broken(error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) if !piece.is_empty() => {
                        patience.renew();
                        return Poll::Ready(Ok(Some(piece)));
                    }
                    _ => {}
                },
                Poll::Pending => return Poll::Ready(Err(expired(ready!(patience.poll_expired(cx))))),
            }
        }
    })
    .await
}

/// A peer that has gone does not see the answer; one that sends nonsense for chunks does.
fn broken(error: hyper::Error) -> ExportError {
    let message = format!("the body broke off: {error}");
    let (kind, retry) = match error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        true => (ErrorKind::Cancelled, Retry::Backoff),
        false => (ErrorKind::InvalidData, Retry::Never),
    };
    ExportError::new(kind, retry, message).with_source(error)
}

fn expired(expired: Expired) -> ExportError {
    let message = match expired {
        Expired::Silence => "the body stopped coming for longer than body_timeout",
        Expired::Deadline => "the deadline passed before the body was complete",
    };
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, message)
}

/// Of what a peer says will come, this much is believed without having seen any.
const MAX_TRUSTED_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
