//! Conversion of batches to the structs of `opentelemetry-proto` and back. Needs the feature `model`, which brings prost and
//! the crate `opentelemetry-proto`.
//!
//! For code that uses owned structs. Decoding drops fields that are newer than the version of `opentelemetry-proto` in this
//! crate. [`view`](crate::view) and [`encode`](crate::encode) read and write without structs.
//!
//! ```
//! use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
//! use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
//! use otlp_protocol::{Charge, model};
//!
//! let scope_logs = ScopeLogs { log_records: vec![LogRecord::default(); 2], ..Default::default() };
//! let resource_logs = ResourceLogs { scope_logs: vec![scope_logs], ..Default::default() };
//! let request = ExportLogsServiceRequest { resource_logs: vec![resource_logs] };
//!
//! let batch = model::to_batch(&request, Charge::none());
//! assert_eq!(batch.items(), 2);
//! assert_eq!(model::from_batch::<ExportLogsServiceRequest>(&batch)?, request);
//! # Ok::<(), model::ModelError>(())
//! ```

use crate::{Batch, Body, Charge, Signal};
use opentelemetry_proto::tonic as proto;
use proto::collector::logs::v1::ExportLogsServiceRequest;
use proto::collector::metrics::v1::ExportMetricsServiceRequest;
use proto::collector::profiles::v1development::ExportProfilesServiceRequest;
use proto::collector::trace::v1::ExportTraceServiceRequest;

/// A request struct of `opentelemetry-proto`.
pub trait Model: prost::Message + Default {
    /// Signal of the request.
    const SIGNAL: Signal;
}

/// Error of a conversion to a struct.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The body does not decode.
    #[error("cannot decode a request of {signal}: {source}")]
    Decode {
        /// The signal of the struct.
        signal: Signal,
        /// Error of prost.
        source: prost::DecodeError,
    },
    /// The batch is of another signal than the struct.
    #[error("cannot decode a batch of {batch} as a request of {model}")]
    Signal {
        /// The signal of the batch.
        batch: Signal,
        /// The signal of the struct.
        model: Signal,
    },
}

/// Decodes an encoded request.
///
/// # Errors
/// If the body is not valid.
pub fn decode<M: Model>(body: &[u8]) -> Result<M, ModelError> {
    M::decode(body).map_err(|source| ModelError::Decode { signal: M::SIGNAL, source })
}

/// Decodes a batch's body.
///
/// # Errors
/// If the batch is of another signal, or was made of an invalid body.
pub fn from_batch<M: Model>(batch: &Batch) -> Result<M, ModelError> {
    if batch.signal() != M::SIGNAL {
        return Err(ModelError::Signal { batch: batch.signal(), model: M::SIGNAL });
    }
    let body = batch.body().plain().clone();
    M::decode(body).map_err(|source| ModelError::Decode { signal: M::SIGNAL, source })
}

/// Encodes a request.
pub fn encode<M: Model>(request: &M) -> Vec<u8> {
    request.encode_to_vec()
}

/// Encodes a request as a batch. `charge` is its share of a byte budget; [`Charge::none`] if there is no budget.
pub fn to_batch<M: Model>(request: &M, charge: Charge) -> Batch {
    Batch::new(Body::made(M::SIGNAL, request.encode_to_vec()), charge)
}

// === impl Model ===

impl Model for ExportLogsServiceRequest {
    const SIGNAL: Signal = Signal::LOGS;
}

impl Model for ExportMetricsServiceRequest {
    const SIGNAL: Signal = Signal::METRICS;
}

impl Model for ExportProfilesServiceRequest {
    const SIGNAL: Signal = Signal::PROFILES;
}

impl Model for ExportTraceServiceRequest {
    const SIGNAL: Signal = Signal::TRACES;
}
