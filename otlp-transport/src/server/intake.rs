//! The way from a body on the wire to an exported batch, shared by gRPC and HTTP.

mod json;
mod repair;

use super::body::MediaType;
use super::connection::Terms;
use super::peer::{Gate, OwnHop, Peer};
use super::refusals::Refusals;
use super::{Phase, ServerStats};
use crate::compression::{Codec, DecompressError};
use crate::log_limiter::LogLimiter;
use crate::offload;
use crate::{
    BoxExport, Clock, Export, ExportError, HealthSource, InvalidIds, InvalidUtf8, OriginConfig, Routes,
    ServerConfig, ServerLimits, TransportContext,
};
use bytes::Bytes;
use http::HeaderMap;
use otlp_protocol::{
    Accepted, Batch, BatchTrace, Body, BudgetExhausted, Charge, DecodeError, DecodeErrorKind, ErrorKind,
    FieldViolation, Repairs, Retry, Signal, SpanContext, TRACEPARENT_HEADER, ValidateLimits,
};
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

/// The way of requests into the pipeline, with its limits.
pub(super) struct Intake {
    pub(super) context: TransportContext,
    pub(super) limits: ServerLimits,
    pub(super) routes: Routes,
    pub(super) health: Option<Arc<dyn HealthSource>>,
    pub(super) stats: Arc<ServerStats>,
    pub(super) origin: OriginConfig,
    pub(super) gate: Gate,
    pub(super) refusals: Arc<Refusals>,
    pub(super) hop: OwnHop,
    checks: ValidateLimits,
    repairs: Repairs,
    /// Log limit for ids of the wrong length.
    invalid_ids: LogLimiter,
    /// Log limits for repaired strings, and for unknown JSON keys.
    repaired: LogLimiter,
    unknown_keys: LogLimiter,
    /// Permits for large bodies to be inflated and checked. Others wait in order.
    running: Arc<Semaphore>,
}

/// A complete body as received, possibly compressed.
pub(super) struct Wire {
    pub(super) bytes: Bytes,
    pub(super) charge: Charge,
    /// True if `bytes` is a slice of the connection's read buffer, and small against it.
    pub(super) is_small_slice: bool,
    pub(super) codec: Option<&'static dyn Codec>,
    pub(super) media_type: MediaType,
    /// The sender's deadline.
    pub(super) deadline: Option<Instant>,
}

/// Outcome of checking a body on the request's thread.
enum CheckedHere {
    Done(Option<Batch>),
    /// The body is too large for this thread; returned unchanged.
    Large(Wire),
}

impl Wire {
    /// Returns the bytes, copied if they are small against the read buffer that they would keep allocated.
    fn unpinned(&self) -> Bytes {
        match self.is_small_slice {
            true => Bytes::copy_from_slice(&self.bytes),
            false => self.bytes.clone(),
        }
    }
}

impl Intake {
    pub(super) fn new(
        context: TransportContext,
        config: &ServerConfig,
        routes: Routes,
        stats: Arc<ServerStats>,
        refusals: Arc<Refusals>,
    ) -> Self {
        let ServerConfig { limits, origin, invalid_utf8, invalid_ids, .. } = config.clone();
        let repairs = Repairs {
            utf8: invalid_utf8 == InvalidUtf8::Replace,
            ids: invalid_ids == InvalidIds::RejectItem,
        };
        let checks = ValidateLimits { max_depth: limits.max_depth, max_elements: limits.max_elements };
        let gate = Gate::new(config.auth.clone(), Arc::clone(&refusals), context.budget.clone());
        Self {
            context,
            limits,
            routes,
            health: config.health.clone(),
            stats,
            origin,
            gate,
            refusals,
            hop: OwnHop::new(config.hop),
            checks,
            repairs,
            invalid_ids: LogLimiter::every(INVALID_IDS_LOG_INTERVAL),
            repaired: LogLimiter::every(REPAIRED_LOG_INTERVAL),
            unknown_keys: LogLimiter::every(UNKNOWN_KEYS_LOG_INTERVAL),
            running: Arc::new(Semaphore::new(max_running())),
        }
    }

    /// Returns the sender's span, if such spans are asked for and the request names its span.
    pub(super) fn trace(&self, headers: &HeaderMap) -> Option<Arc<BatchTrace>> {
        if !self.context.reads_traceparent.load(Ordering::Relaxed) {
            return None;
        }
        let span = SpanContext::from_traceparent(headers.get(TRACEPARENT_HEADER)?.as_bytes())?;
        Some(Arc::new(BatchTrace::new(span, true)))
    }

    /// Returns the terms of the server's connections; `phases` are the server's.
    pub(super) fn terms(&self, phases: watch::Receiver<Phase>) -> Terms {
        Terms {
            limits: self.limits.clone(),
            clock: Arc::clone(&self.context.clock),
            stats: Arc::clone(&self.stats),
            refusals: Arc::clone(&self.refusals),
            phases,
        }
    }

    /// Makes an empty charge on the budget.
    pub(super) fn charge(&self) -> Result<Charge, ExportError> {
        Ok(self.context.budget.try_charge(0)?)
    }

    /// Returns the most that unfinished bodies of one connection may take of the budget.
    pub(super) fn connection_share(&self) -> u64 {
        let default = || (self.context.budget.limit() / 2).max(self.limits.max_request_bytes as u64);
        self.limits.max_unfinished_bytes.unwrap_or_else(default)
    }

    /// Returns the bytes left of the whole budget beside `held` bytes.
    fn room_beside(&self, held: u64) -> usize {
        usize::try_from(self.context.budget.limit().saturating_sub(held)).unwrap_or(usize::MAX)
    }

    /// Makes the refusal of a request that needs more than `tried` bytes, which is the whole budget.
    fn never_fits(&self, tried: u64) -> ExportError {
        let limit = self.context.budget.limit();
        BudgetExhausted { limit, needed: tried.max(limit).saturating_add(1) }.into()
    }

    /// Refuses a body that the whole budget cannot hold, before it arrives.
    pub(super) fn check_fits(&self, expected: Option<usize>) -> Result<(), ExportError> {
        let limit = self.context.budget.limit();
        match expected.map(|expected| expected as u64) {
            Some(needed) if needed > limit => Err(BudgetExhausted { limit, needed }.into()),
            _ => Ok(()),
        }
    }

    /// Makes the refusal of a request over the size limit.
    pub(super) fn too_large(&self, what: impl fmt::Display) -> ExportError {
        let limit = self.limits.max_request_bytes;
        let message = format!("{what} is over the request limit of {limit} bytes");
        ExportError::new(ErrorKind::TooLarge, Retry::Never, message)
    }

    /// Inflates and checks a body. `None` if the body is empty. Large bodies, by their real inflated size rather than by
    /// the announced size, are checked on a blocking thread, where they delay no other request.
    pub(super) async fn admit(
        self: &Arc<Self>,
        signal: Signal,
        wire: Wire,
    ) -> Result<Option<Batch>, ExportError> {
        let wire = match self.admit_here(signal, wire)? {
            CheckedHere::Done(batch) => return Ok(batch),
            CheckedHere::Large(wire) => wire,
        };
        let wire = Wire { bytes: wire.unpinned(), is_small_slice: false, ..wire };
        let give_up = self.context.clock.now().checked_add(self.limits.body_timeout);
        let give_up = [give_up, wire.deadline].into_iter().flatten().min();
        let turn = before(give_up, &*self.context.clock, Arc::clone(&self.running).acquire_owned()).await;
        let Some(Ok(permit)) = turn else {
            return Err(ExportError::refused(
                ErrorKind::Unavailable,
                "too many large requests are waiting to be checked: retry later",
            ));
        };
        let intake = Arc::clone(self);
        let checked = tokio::task::spawn_blocking(move || {
            let checked = intake.check_all(signal, wire);
            drop(permit);
            checked
        });
        checked.await.map_err(|error| {
            ExportError::new(ErrorKind::Internal, Retry::Never, "the check failed").with_source(error)
        })?
    }

    /// Inflates and checks a body on this thread, unless that would take long.
    fn admit_here(&self, signal: Signal, mut wire: Wire) -> Result<CheckedHere, ExportError> {
        let mut quick = match wire.media_type {
            MediaType::Protobuf => offload::CHECKED_BYTES,
            MediaType::Json => offload::CHECKED_JSON_BYTES,
        };
        let mut quick_wire = quick;
        if let Some(codec) = wire.codec {
            quick = quick.min(codec.quick_bytes());
            quick_wire = offload::INFLATED_BYTES;
        }
        let announced = wire.codec.map_or(0, |codec| codec.announced_len(&wire.bytes));
        if wire.bytes.len() > quick_wire || announced > quick as u64 {
            return Ok(CheckedHere::Large(wire));
        }
        let held = wire.charge.bytes();
        match self.inflate(&mut wire, quick.min(self.limits.max_request_bytes)) {
            Err(DecompressError::TooLarge { .. }) if quick < self.limits.max_request_bytes => {
                wire.charge.shrink_to(held);
                Ok(CheckedHere::Large(wire))
            }
            plain => self.check(signal, plain, wire).map(CheckedHere::Done),
        }
    }

    /// Inflates and checks a body of any size.
    fn check_all(&self, signal: Signal, mut wire: Wire) -> Result<Option<Batch>, ExportError> {
        let plain = self.inflate(&mut wire, self.limits.max_request_bytes);
        self.check(signal, plain, wire)
    }

    /// Counts and logs a request for `export` that the server refuses.
    pub(super) fn refuse_export(&self, error: &ExportError, export: &BoxExport, peer: &Peer) {
        if error.kind() == ErrorKind::Exhausted {
            export.refuse_unread();
        }
        self.refusals.request(error, peer);
    }

    /// Exports a batch, unless all items were rejected, and waits for the answer until the batch's deadline.
    pub(super) async fn export(
        &self,
        export: &BoxExport,
        mut batch: Batch,
        peer: &Peer,
    ) -> Result<Accepted, ExportError> {
        let rejection = batch.rejected.take().map(|rejected| repair::rejection(export, &batch, *rejected));
        if let Some(rejection) = &rejection
            && batch.is_empty()
        {
            return Ok(rejection.clone());
        }
        let deadline = batch.deadline;
        let outcome = before(deadline, &*self.context.clock, export.export(batch)).await;
        let outcome = outcome.unwrap_or_else(|| {
            Err(ExportError::new(
                ErrorKind::Timeout,
                Retry::Backoff,
                "the deadline passed before the pipeline accepted the batch",
            ))
        });
        let outcome = outcome.inspect_err(|error| self.refusals.failed(error, peer));
        outcome.map(|accepted| match rejection {
            None => accepted,
            Some(rejection) => repair::join(rejection, accepted),
        })
    }

    /// Checks a decompressed body. `wire` is charged for both.
    fn check(
        &self,
        signal: Signal,
        plain: Result<Bytes, DecompressError>,
        wire: Wire,
    ) -> Result<Option<Batch>, ExportError> {
        let plain = plain.map_err(|error| match error {
            DecompressError::TooLarge { .. } => self.too_large("the inflated body"),
            error => error.into(),
        })?;
        let Wire { bytes, mut charge, codec, media_type, .. } = wire;
        drop(bytes);
        if codec.is_some() {
            charge.shrink_to(plain.len() as u64);
        }
        let plain = match media_type {
            MediaType::Protobuf => plain,
            MediaType::Json => self.rewrite(signal, plain, &mut charge)?,
        };
        let (body, rejected) = match Body::check(signal, plain.clone(), &self.checks) {
            Err(error) if self.repairs.puts_right(error.kind) => self.repair(signal, &plain, &mut charge)?,
            checked => (checked.map_err(refusal)?, None),
        };
        if body.count().entries == 0 && rejected.is_none() {
            return Ok(None);
        }
        let mut batch = Batch::new(body, charge);
        batch.rejected = rejected.map(Box::new);
        Ok(Some(batch))
    }

    /// Decompresses a body to at most `max_bytes`. The charge of `wire` grows by the decompressed bytes.
    fn inflate(&self, wire: &mut Wire, max_bytes: usize) -> Result<Bytes, DecompressError> {
        match wire.codec {
            Some(codec) => codec.decompress(&wire.bytes, max_bytes, &mut wire.charge, &self.context.buffers),
            // JSON is rewritten at once.
            None if wire.media_type == MediaType::Protobuf => Ok(wire.unpinned()),
            None => Ok(wire.bytes.clone()),
        }
    }

    fn replaces_utf8(&self) -> bool {
        self.repairs.utf8
    }
}

/// Awaits `future` until `deadline`. `None` if the deadline comes first; `future` is dropped then.
async fn before<F: Future>(deadline: Option<Instant>, clock: &dyn Clock, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut too_late = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        too_late.get_or_insert_with(|| clock.sleep_until(deadline)).as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Makes the refusal of a body that is not OTLP, with field, position and fault.
fn refusal(error: DecodeError) -> ExportError {
    let kind = match error.kind {
        DecodeErrorKind::TooManyElements { .. } | DecodeErrorKind::TooLong { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::InvalidData,
    };
    let violation = FieldViolation { field: error.path.clone(), description: error.kind.to_string() };
    ExportError::new(kind, Retry::Never, error.to_string()).with_violation(violation)
}

/// Four threads a core: one large body delays few others, and far fewer threads run than the 512 that tokio would start.
fn max_running() -> usize {
    4 * std::thread::available_parallelism().map_or(1, NonZero::get)
}

const INVALID_IDS_LOG_INTERVAL: Duration = Duration::from_secs(60);
const REPAIRED_LOG_INTERVAL: Duration = Duration::from_secs(60);
/// Some SDKs send unknown keys in every request; the counter tells how many.
const UNKNOWN_KEYS_LOG_INTERVAL: Duration = Duration::from_secs(60 * 60);
