//! Bodies of requests: their format, and their reading, bounded in size and in time and charged as bytes arrive.
//!
//! A piece of a body is a slice of the connection's read buffer and keeps the whole buffer allocated. So a piece that is
//! small against the buffer is copied; a large piece is kept, and the buffer is charged. Several pieces are copied into
//! one buffer, each piece once. Allocation and charge follow the bytes that have arrived, not the length that the peer
//! announces. A timer is only armed by a body that has to wait, so most requests need no timer.

use super::engine::{BrokenBody, RequestBody, Version};
use super::peer::Peer;
use crate::{Clock, ExportError, ServerLimits, Sleep};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use otlp_protocol::{BudgetExhausted, BufferPool, Charge, ErrorKind, PooledObject, Retry};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Format of a body: OTLP §Binary Protobuf Encoding, §JSON Protobuf Encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    Protobuf,
    Json,
}

/// Collects the pieces of a body.
pub(super) struct Gather<'a> {
    buffers: &'a BufferPool,
    peer: &'a Peer,
    /// Size of the connection's read buffer, in bytes.
    read_buffer_bytes: usize,
    charge: Charge,
    /// Charge of an unfinished body on its connection's share. `None` until the body turns out to have several pieces.
    share: Option<Charge>,
    /// A slice of the connection's read buffer.
    slice: Bytes,
    /// A copy of the pieces.
    copy: Option<PooledObject<Vec<u8>>>,
}

/// A piece of a body, not empty.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// True if the body ends with this piece. False does not mean that more pieces follow.
    pub(super) is_last: bool,
}

/// A whole body.
pub(super) struct Gathered {
    pub(super) bytes: Bytes,
    /// Charge for the memory that `bytes` keeps allocated; of a small slice, for its length.
    pub(super) charge: Charge,
    /// True if `bytes` is a slice of the connection's read buffer, and small against it.
    pub(super) is_small_slice: bool,
}

/// Limits the wait for each piece of a body, and for the whole body.
pub(super) struct BodyTimer<'a> {
    clock: &'a dyn Clock,
    limits: &'a ServerLimits,
    /// The sender's deadline.
    deadline: Option<Instant>,
    /// Time of the first wait for a piece.
    begun: Option<Instant>,
    /// Bytes that have arrived.
    come: u64,
    /// Time since when no piece has arrived, if there is a wait.
    waiting_since: Option<Instant>,
    armed: Option<(Instant, Sleep)>,
}

/// The limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expired {
    /// No bytes arrived for longer than `body_timeout`.
    Silence,
    /// Bytes arrived more slowly than `min_body_rate`.
    Rate,
    /// `max_body_time` passed.
    Total,
    /// The sender's deadline passed.
    Deadline,
}

// === impl MediaType ===

impl MediaType {
    /// Reads `content-type`, in any case, with or without parameters.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ExportError> {
        let named = named(headers);
        [Self::Protobuf, Self::Json]
            .into_iter()
            .find(|media_type| named.eq_ignore_ascii_case(media_type.name().as_bytes()))
            .ok_or_else(|| {
                let found = String::from_utf8_lossy(named);
                let [protobuf, json] = [Self::Protobuf, Self::Json].map(Self::name);
                let message = format!("content-type {found:?} is not served: send {protobuf} or {json}");
                ExportError::new(ErrorKind::UnsupportedMediaType, Retry::Never, message)
            })
    }

    /// Returns the format of the answer: the request's, or protobuf if that is unknown. OTLP §Failures-1.
    pub(super) fn of_answer(headers: &HeaderMap) -> Self {
        Self::of(headers).unwrap_or(Self::Protobuf)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

// === impl Gather ===

impl<'a> Gather<'a> {
    /// `version`: the connection's HTTP version.
    pub(super) fn new(buffers: &'a BufferPool, peer: &'a Peer, charge: Charge, version: Version) -> Self {
        let read_buffer_bytes = version.read_buffer_bytes();
        Self { buffers, peer, read_buffer_bytes, charge, share: None, slice: Bytes::new(), copy: None }
    }

    /// Adds a piece. `expected`: announced length of the body; no more than that is charged.
    pub(super) fn push(&mut self, piece: Piece, expected: Option<usize>) -> Result<(), BudgetExhausted> {
        let Piece { bytes, is_last } = piece;
        let is_first = self.len() == 0;
        if is_first && is_last {
            self.charge.try_grow(self.pinned_by(bytes.len()))?;
            self.slice = bytes;
            return Ok(());
        }
        let len = self.len() + bytes.len();
        let is_kept = is_first && !self.is_small(bytes.len());
        self.hold(len, if is_kept { self.pinned_by(len) } else { with_ahead(len, expected) })?;
        if is_kept {
            self.slice = bytes;
            return Ok(());
        }
        let buffers = self.buffers;
        let copy = self.copy.get_or_insert_with(|| buffers.take(0));
        // The capacity doubles, so that all moves of a growing copy cost no more than one copy of the whole.
        if copy.capacity() < len {
            let room = expected.map_or(2 * len, |expected| expected.min(2 * len)).max(len);
            let missing = room - copy.len();
            copy.reserve_exact(missing);
        }
        copy.extend_from_slice(&std::mem::take(&mut self.slice));
        copy.extend_from_slice(&bytes);
        Ok(())
    }

    /// Returns the number of bytes that have arrived.
    pub(super) fn len(&self) -> usize {
        self.copy.as_ref().map_or(self.slice.len(), |copy| copy.len())
    }

    /// Returns the whole body with its charge.
    pub(super) fn finish(mut self) -> Gathered {
        let is_slice = self.copy.is_none();
        let bytes = self.copy.take().map_or_else(|| std::mem::take(&mut self.slice), BufferPool::freeze);
        self.charge.shrink_to(if is_slice { self.pinned_by(bytes.len()) } else { bytes.len() as u64 });
        let is_small_slice = is_slice && self.is_small(bytes.len());
        Gathered { bytes, charge: self.charge, is_small_slice }
    }

    /// Returns the charge for a body of `len` bytes that is a slice of the read buffer.
    fn pinned_by(&self, len: usize) -> u64 {
        if self.is_small(len) { len as u64 } else { len.max(self.read_buffer_bytes) as u64 }
    }

    /// True if a slice of `len` bytes is copied out of the read buffer: if it is under half of the buffer.
    fn is_small(&self, len: usize) -> bool {
        len < self.read_buffer_bytes / 2
    }

    /// Charges `wanted` bytes for an unfinished body of `len`, unless `len` bytes are charged already.
    fn hold(&mut self, len: usize, wanted: u64) -> Result<(), BudgetExhausted> {
        let held = self.charge.bytes();
        if held >= len as u64 && self.share.is_some() {
            return Ok(());
        }
        let share = match &mut self.share {
            Some(share) => share,
            none => none.insert(self.peer.share().try_charge(held)?),
        };
        let more = wanted.saturating_sub(held);
        share.try_grow(more)?;
        self.charge.try_grow(more)
    }
}

// === impl BodyTimer ===

impl<'a> BodyTimer<'a> {
    pub(super) fn new(clock: &'a dyn Clock, limits: &'a ServerLimits, deadline: Option<Instant>) -> Self {
        Self { clock, limits, deadline, begun: None, come: 0, waiting_since: None, armed: None }
    }

    /// Records the arrival of `bytes` bytes.
    pub(super) fn renew(&mut self, bytes: usize) {
        self.come += bytes as u64;
        self.waiting_since = None;
    }

    /// To be polled while no piece is available. Reads the clock once per wait. A timer that fires early, because pieces
    /// arrived since, is armed again, so pieces cost no timers.
    pub(super) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        let clock = self.clock;
        let silent_from = *self.waiting_since.get_or_insert_with(|| clock.now());
        let Some((end, expired)) = self.end(silent_from) else { return Poll::Pending };
        loop {
            let (at, sleep) = self.armed.get_or_insert_with(|| (end, clock.sleep_until(end)));
            ready!(sleep.as_mut().poll(cx));
            let fired = *at;
            self.armed = None;
            if end <= fired {
                return Poll::Ready(expired);
            }
        }
    }

    /// Returns the end of the wait, and the limit that ends it.
    fn end(&mut self, silent_from: Instant) -> Option<(Instant, Expired)> {
        let begun = *self.begun.get_or_insert(silent_from);
        let ServerLimits { body_timeout, min_body_rate, max_body_time, .. } = *self.limits;
        let after = |from: Instant, time: Duration| from.checked_add(time);
        // A burst earns the time that it would have taken at the lowest rate.
        let earned = self.come.saturating_mul(1000).checked_div(min_body_rate).map(Duration::from_millis);
        let slow = earned.and_then(|earned| after(begun, body_timeout.saturating_add(earned)));
        [
            (after(silent_from, body_timeout), Expired::Silence),
            (slow, Expired::Rate),
            (max_body_time.and_then(|time| after(begun, time)), Expired::Total),
            (self.deadline, Expired::Deadline),
        ]
        .into_iter()
        .filter_map(|(at, expired)| Some((at?, expired)))
        .min()
    }
}

/// True for gRPC with protobuf: `application/grpc` or `application/grpc+proto`, with or without parameters.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    only_value(headers) == GRPC
        || [GRPC, b"application/grpc+proto"]
            .iter()
            .any(|accepted| named(headers).eq_ignore_ascii_case(accepted))
}

/// True for gRPC with any message format.
pub(super) fn is_any_grpc(headers: &HeaderMap) -> bool {
    only_value(headers) == GRPC
        || named(headers).get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
}

/// Returns the media type of `content-type`, without parameters; empty if there is none.
fn named(headers: &HeaderMap) -> &[u8] {
    only_value(headers).split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii()
}

/// Returns the value of `content-type`; empty if it is missing, or repeated with another value.
fn only_value(headers: &HeaderMap) -> &[u8] {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let Some(first) = values.next() else { return b"" };
    if values.all(|other| other == first) { first.as_bytes() } else { b"" }
}

/// Returns the charge for a copy of `len` bytes that may grow: as much again ahead, at most 64 KiB.
fn with_ahead(len: usize, expected: Option<usize>) -> u64 {
    let most = len + len.min(MAX_AHEAD_BYTES);
    expected.map_or(most, |expected| expected.min(most)).max(len) as u64
}

/// Returns the next piece of a body; `None` at its end.
pub(super) async fn next_piece<B: RequestBody>(
    body: &mut B,
    timer: &mut BodyTimer<'_>,
) -> Result<Option<Piece>, ExportError> {
    std::future::poll_fn(|cx| match body.poll_piece(cx) {
        Poll::Ready(None) => Poll::Ready(Ok(None)),
        Poll::Ready(Some(Err(error))) => Poll::Ready(Err(broken(error))),
        Poll::Ready(Some(Ok(bytes))) => {
            timer.renew(bytes.len());
            Poll::Ready(Ok(Some(Piece { bytes, is_last: body.is_at_end() })))
        }
        Poll::Pending => Poll::Ready(Err(expired(ready!(timer.poll_expired(cx))))),
    })
    .await
}

/// Makes the error of a broken body. A peer that is gone does not see the answer; a peer that sends invalid chunks does.
fn broken(BrokenBody { is_gone, cause }: BrokenBody) -> ExportError {
    let message = format!("the body broke off: {cause}");
    let (kind, retry) = match is_gone {
        true => (ErrorKind::Cancelled, Retry::Backoff),
        false => (ErrorKind::InvalidData, Retry::Never),
    };
    ExportError::new(kind, retry, message).with_source(cause)
}

fn expired(expired: Expired) -> ExportError {
    let message = match expired {
        Expired::Silence => "no bytes of the body arrived for longer than body_timeout",
        Expired::Rate => "the body arrived more slowly than min_body_rate",
        Expired::Total => "the body was not complete within max_body_time (HTTP: read_timeout)",
        Expired::Deadline => "the deadline passed before the body was complete",
    };
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, message)
}

const GRPC: &[u8] = b"application/grpc";
/// Most bytes charged ahead of their arrival.
const MAX_AHEAD_BYTES: usize = 64 << 10;

#[cfg(test)]
mod media_type_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod timer_tests;
