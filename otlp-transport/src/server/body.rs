//! Bodies: what they are written in, and how they are taken off a connection: bounded in size and in time, charged as they
//! come.
//!
//! A piece of a body is a slice of the connection's read buffer and keeps all of that buffer from being freed. So what is
//! small against the buffer is copied; what is large is kept, and the buffer is charged. Of several pieces, each is copied
//! once. What is allocated and charged follows what has come, not what the peer says will come. A timer is armed only by what
//! has to wait, so most requests never see one.

use super::engine::{BrokenBody, RequestBody, Version};
use super::peer::Peer;
use crate::{Clock, ExportError, ServerLimits, Sleep};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use otlp_protocol::{BudgetExhausted, BufferPool, Charge, ErrorKind, PooledObject, Retry};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// What a body is written in: OTLP §Binary Protobuf Encoding, §JSON Protobuf Encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    Protobuf,
    Json,
}

/// The pieces of a body so far, in one.
pub(super) struct Gather<'a> {
    buffers: &'a BufferPool,
    peer: &'a Peer,
    /// The size of the connection's read buffer.
    read_buffer_bytes: usize,
    charge: Charge,
    /// What an unfinished body takes of its connection's share. None until a body turns out to come in several pieces.
    share: Option<Charge>,
    /// A slice of the connection's read buffer.
    slice: Bytes,
    /// A copy of the pieces.
    copy: Option<PooledObject<Vec<u8>>>,
}

/// A piece of a body, not empty.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Whether the body ends with it. False does not mean that more will come.
    pub(super) is_last: bool,
}

/// A whole body.
pub(super) struct Gathered {
    pub(super) bytes: Bytes,
    /// What `bytes` keeps from being freed; of a small slice, its length.
    pub(super) charge: Charge,
    /// Whether `bytes` is a slice of the connection's read buffer, and small against it.
    pub(super) is_small_slice: bool,
}

/// Bounds the wait for each next piece of a body, and for all of it.
pub(super) struct Patience<'a> {
    clock: &'a dyn Clock,
    limits: &'a ServerLimits,
    /// The sender's own deadline.
    deadline: Option<Instant>,
    /// When a piece had to be waited for first.
    begun: Option<Instant>,
    /// Bytes that have come.
    come: u64,
    /// When the last piece came, as far as it is known yet.
    waiting_since: Option<Instant>,
    armed: Option<(Instant, Sleep)>,
}

/// What patience ran out over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expired {
    /// Nothing came for longer than `body_timeout`.
    Silence,
    /// Less came than `min_body_rate`.
    Rate,
    /// `max_body_time` passed.
    Total,
    /// The sender's deadline passed.
    Deadline,
}

// === impl MediaType ===

impl MediaType {
    /// What `content-type` says, in any case, perhaps with parameters.
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

    /// What an answer to such a request is written in: the same, if that is known. OTLP §Failures-1.
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
    /// `version` is that of the connection.
    pub(super) fn new(buffers: &'a BufferPool, peer: &'a Peer, charge: Charge, version: Version) -> Self {
        let read_buffer_bytes = version.read_buffer_bytes();
        Self { buffers, peer, read_buffer_bytes, charge, share: None, slice: Bytes::new(), copy: None }
    }

    /// Adds a piece. `expected` is how long the whole is said to get, if anything is: no more than that is charged.
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
        // Doubled, so that all moves of a growing copy cost no more than one copy of the whole.
        if copy.capacity() < len {
            let room = expected.map_or(2 * len, |expected| expected.min(2 * len)).max(len);
            let missing = room - copy.len();
            copy.reserve_exact(missing);
        }
        copy.extend_from_slice(&std::mem::take(&mut self.slice));
        copy.extend_from_slice(&bytes);
        Ok(())
    }

    /// Bytes that have come.
    pub(super) fn len(&self) -> usize {
        self.copy.as_ref().map_or(self.slice.len(), |copy| copy.len())
    }

    /// All of it, and what it holds of the budget.
    pub(super) fn finish(mut self) -> Gathered {
        let is_slice = self.copy.is_none();
        let bytes = self.copy.take().map_or_else(|| std::mem::take(&mut self.slice), BufferPool::freeze);
        self.charge.shrink_to(if is_slice { self.pinned_by(bytes.len()) } else { bytes.len() as u64 });
        let is_small_slice = is_slice && self.is_small(bytes.len());
        Gathered { bytes, charge: self.charge, is_small_slice }
    }

    /// What a body of `len` bytes that is a slice of the read buffer is charged.
    fn pinned_by(&self, len: usize) -> u64 {
        if self.is_small(len) { len as u64 } else { len.max(self.read_buffer_bytes) as u64 }
    }

    /// Whether a slice of `len` bytes is copied out of the read buffer rather than kept: under half of it.
    fn is_small(&self, len: usize) -> bool {
        len < self.read_buffer_bytes / 2
    }

    /// Charges `wanted` bytes for an unfinished body of `len`, unless as much as has come is charged already.
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

// === impl Patience ===

impl<'a> Patience<'a> {
    pub(super) fn new(clock: &'a dyn Clock, limits: &'a ServerLimits, deadline: Option<Instant>) -> Self {
        Self { clock, limits, deadline, begun: None, come: 0, waiting_since: None, armed: None }
    }

    /// So many bytes came.
    pub(super) fn renew(&mut self, bytes: usize) {
        self.come += bytes as u64;
        self.waiting_since = None;
    }

    /// To be polled when there is nothing yet. Reads the clock once per wait; a timer that fires early because of
    /// progress since is armed again, so pieces cost no timers.
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

    /// When waiting ends if nothing comes, and over what.
    fn end(&mut self, silent_from: Instant) -> Option<(Instant, Expired)> {
        let begun = *self.begun.get_or_insert(silent_from);
        let ServerLimits { body_timeout, min_body_rate, max_body_time, .. } = *self.limits;
        let after = |from: Instant, time: Duration| from.checked_add(time);
        // A burst is good for the time that it would have taken at the lowest rate.
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

/// Whether it is gRPC, as far as protobuf is in it: `application/grpc`, perhaps with the name of protobuf, perhaps with
/// parameters.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    only_value(headers) == GRPC
        || [GRPC, b"application/grpc+proto"]
            .iter()
            .any(|accepted| named(headers).eq_ignore_ascii_case(accepted))
}

/// Whether it is gRPC of any kind, served or not.
pub(super) fn is_any_grpc(headers: &HeaderMap) -> bool {
    only_value(headers) == GRPC
        || named(headers).get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
}

/// The media type that `content-type` names, without its parameters; empty if there is none.
fn named(headers: &HeaderMap) -> &[u8] {
    only_value(headers).split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii()
}

/// The value of `content-type`, which must not be repeated with another value; empty if there is none.
fn only_value(headers: &HeaderMap) -> &[u8] {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let Some(first) = values.next() else { return b"" };
    if values.all(|other| other == first) { first.as_bytes() } else { b"" }
}

/// What is charged for a copy of `len` bytes that may become longer: as much again, but at most 64 KiB.
fn with_ahead(len: usize, expected: Option<usize>) -> u64 {
    let most = len + len.min(MAX_AHEAD_BYTES);
    expected.map_or(most, |expected| expected.min(most)).max(len) as u64
}

/// The next piece of a body; `None` at its end.
pub(super) async fn next_piece<B: RequestBody>(
    body: &mut B,
    patience: &mut Patience<'_>,
) -> Result<Option<Piece>, ExportError> {
    std::future::poll_fn(|cx| match body.poll_piece(cx) {
        Poll::Ready(None) => Poll::Ready(Ok(None)),
        Poll::Ready(Some(Err(error))) => Poll::Ready(Err(broken(error))),
        Poll::Ready(Some(Ok(bytes))) => {
            patience.renew(bytes.len());
            Poll::Ready(Ok(Some(Piece { bytes, is_last: body.is_at_end() })))
        }
        Poll::Pending => Poll::Ready(Err(expired(ready!(patience.poll_expired(cx))))),
    })
    .await
}

/// A peer that has gone does not see the answer; one that sends nonsense for chunks does.
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
        Expired::Silence => "the body stopped coming for longer than body_timeout",
        Expired::Rate => "the body came more slowly than min_body_rate",
        Expired::Total => "the body was not complete within the time limit for a whole body",
        Expired::Deadline => "the deadline passed before the body was complete",
    };
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, message)
}

const GRPC: &[u8] = b"application/grpc";
/// What is charged for a body before it has come.
const MAX_AHEAD_BYTES: usize = 64 << 10;

#[cfg(test)]
mod media_type_tests;
#[cfg(test)]
mod patience_tests;
#[cfg(test)]
mod tests;
