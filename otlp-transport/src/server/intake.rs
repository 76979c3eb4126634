//! From a body on the wire to a batch handed on: what gRPC and HTTP have in common.

mod ids;
mod json;
mod repair;

use super::ServerStats;
use super::deadline::before;
use super::gate::Gate;
use super::media_type::MediaType;
use super::seldom::Seldom;
use crate::compression::{Codec, DecompressError};
use crate::{
    BoxExport, Export, ExportError, InvalidIds, InvalidUtf8, OriginConfig, Routes, ServerConfig,
    ServerLimits, TransportContext,
};
use bytes::Bytes;
use otlp_protocol::{
    Accepted, Batch, Charge, DecodeError, DecodeErrorKind, ErrorKind, FieldViolation, Repairs, Retry, Signal,
    ValidateLimits, validate,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where requests go in, and under which limits.
pub(super) struct Intake {
    pub(super) context: TransportContext,
    pub(super) limits: ServerLimits,
    pub(super) routes: Routes,
    pub(super) stats: Arc<ServerStats>,
    pub(super) origin: OriginConfig,
    pub(super) gate: Gate,
    checks: ValidateLimits,
    repairs: Repairs,
    /// Ids of the wrong length since the log last spoke of them.
    invalid_ids: Seldom,
    /// Strings repaired, and keys of JSON that nobody knows, since the log last spoke of them.
    repaired: Seldom,
    unknown_keys: Seldom,
}

/// A body as it came: complete, perhaps compressed.
pub(super) struct Wire {
    pub(super) bytes: Bytes,
    pub(super) charge: Charge,
    pub(super) codec: Option<&'static dyn Codec>,
    pub(super) media_type: MediaType,
}

impl Intake {
    pub(super) fn new(
        context: TransportContext,
        config: &ServerConfig,
        routes: Routes,
        stats: Arc<ServerStats>,
    ) -> Self {
        let ServerConfig { limits, origin, invalid_utf8, invalid_ids, .. } = config.clone();
        let repairs = Repairs {
            utf8: invalid_utf8 == InvalidUtf8::Replace,
            ids: invalid_ids == InvalidIds::RejectItem,
        };
        let checks = ValidateLimits { max_depth: limits.max_depth, max_elements: limits.max_elements };
        Self {
            context,
            limits,
            routes,
            stats,
            origin,
            gate: Gate::new(config.auth.clone()),
            checks,
            repairs,
            invalid_ids: Seldom::every(INVALID_IDS_LOG_INTERVAL),
            repaired: Seldom::every(REPAIRED_LOG_INTERVAL),
            unknown_keys: Seldom::every(UNKNOWN_KEYS_LOG_INTERVAL),
        }
    }

    /// A charge on the budget that holds nothing yet.
    pub(super) fn charge(&self) -> Result<Charge, ExportError> {
        Ok(self.context.budget.try_charge(0)?)
    }

    /// The refusal of something larger than a request may be.
    pub(super) fn too_large(&self, what: impl fmt::Display) -> ExportError {
        let limit = self.limits.max_request_bytes;
        ExportError::new(
            ErrorKind::TooLarge,
            Retry::Never,
            format!("{what} is over max_request_bytes ({limit})"),
        )
    }

    /// Inflates and checks a body. `None` if it holds nothing to hand on. Large bodies are taken to a thread where
    /// they hold up nobody else.
    pub(super) async fn admit(
        self: &Arc<Self>,
        signal: Signal,
        wire: Wire,
    ) -> Result<Option<Batch>, ExportError> {
        let len = wire.bytes.len() as u64;
        let inflated_len = wire.codec.map_or(len, |codec| codec.announced_len(&wire.bytes).max(len));
        let large = match wire.media_type {
            MediaType::Protobuf => LARGE_BYTES,
            MediaType::Json => LARGE_JSON_BYTES,
        };
        // What inflates to more than the limit is refused soon.
        if inflated_len.min(self.limits.max_request_bytes as u64) < large {
            return self.check(signal, wire);
        }
        let intake = Arc::clone(self);
        tokio::task::spawn_blocking(move || intake.check(signal, wire)).await.map_err(|error| {
            ExportError::new(ErrorKind::Internal, Retry::Never, "the check failed").with_source(error)
        })?
    }

    /// Hands a batch on, if anything is left of it, and waits for its fate until its deadline.
    pub(super) async fn export(&self, export: &BoxExport, mut batch: Batch) -> Result<Accepted, ExportError> {
        let rejection = self.count_rejected(export, &mut batch);
        if batch.is_empty() && rejection.is_partial() {
            return Ok(rejection);
        }
        let deadline = batch.deadline;
        let outcome = before(deadline, &*self.context.clock, export.export(batch)).await;
        let outcome = outcome.unwrap_or_else(|| {
            Err(ExportError::new(
                ErrorKind::Timeout,
                Retry::Backoff,
                "the deadline passed before the batch was taken",
            ))
        });
        let outcome = outcome.inspect_err(|_| ServerStats::count(&self.stats.failed_requests));
        outcome.map(|accepted| ids::join(rejection, accepted))
    }

    fn check(&self, signal: Signal, wire: Wire) -> Result<Option<Batch>, ExportError> {
        let media_type = wire.media_type;
        let (plain, mut charge) = self.inflate(wire)?;
        let plain = match media_type {
            MediaType::Protobuf => plain,
            MediaType::Json => self.rewrite(signal, plain, &mut charge)?,
        };
        let (plain, checked, rejected) = match validate(signal, &plain, &self.checks) {
            Err(error) if self.repairs.puts_right(error.kind) => self.repair(signal, &plain, &mut charge)?,
            checked => (plain, checked.map_err(refusal)?, None),
        };
        if checked.count.entries == 0 && rejected.is_none() {
            return Ok(None);
        }
        let mut batch = Batch::new(signal, plain, checked.count, checked.mergeable, charge);
        batch.rejected = rejected.map(Box::new);
        Ok(Some(batch))
    }

    /// The body in the clear, and what it holds of the budget: its length.
    fn inflate(&self, wire: Wire) -> Result<(Bytes, Charge), ExportError> {
        let Wire { bytes, mut charge, codec, media_type } = wire;
        let plain = match codec {
            Some(codec) => {
                let limit = self.limits.max_request_bytes;
                let inflated = codec.decompress(&bytes, limit, &mut charge, &self.context.buffers);
                let inflated = inflated.map_err(|error| match error {
                    DecompressError::TooLarge { .. } => self.too_large("the inflated body"),
                    error => error.into(),
                })?;
                drop(bytes);
                charge.shrink_to(inflated.len() as u64);
                inflated
            }
            // A slice of the connection's read buffer would pin all of it for as long as the batch waits.
            None if bytes.len() < SMALL_BYTES && media_type == MediaType::Protobuf => {
                Bytes::copy_from_slice(&bytes)
            }
            None => bytes,
        };
        Ok((plain, charge))
    }

    fn replaces_utf8(&self) -> bool {
        self.repairs.utf8
    }
}

/// What is said of a body that is not OTLP: the field, the place, and what is wrong.
fn refusal(error: DecodeError) -> ExportError {
    let kind = match error.kind {
        DecodeErrorKind::TooManyElements { .. } | DecodeErrorKind::TooLong { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::InvalidData,
    };
    let violation = FieldViolation { field: error.path.clone(), description: error.kind.to_string() };
    ExportError::new(kind, Retry::Never, error.to_string()).with_violation(violation)
}

/// From about here on, inflating and checking take more than a millisecond.
const LARGE_BYTES: u64 = 2 << 20;
/// The same for JSON, which has to be rewritten.
const LARGE_JSON_BYTES: u64 = 256 << 10;
const SMALL_BYTES: usize = 4 << 10;
const INVALID_IDS_LOG_INTERVAL: Duration = Duration::from_secs(60);
const REPAIRED_LOG_INTERVAL: Duration = Duration::from_secs(60);
/// Some SDKs send such a key in every request; the counter tells how many there are.
const UNKNOWN_KEYS_LOG_INTERVAL: Duration = Duration::from_secs(60 * 60);
