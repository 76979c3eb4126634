//! OTLP as bytes: what a message is, whether it is sound, how much it holds, and how to cut and join it.
//!
//! **What this crate must not know:** sockets, tokio, threads, files, or what time it is. Bytes come in, bytes go
//! out; an [`Instant`](std::time::Instant) is only ever handed through.
//!
//! The pipeline moves encoded OTLP protobuf. Nothing is decoded into structs: [`validate`] checks a body once at the
//! door, [`count`], [`split`](split()) and [`Merge`] work on the encoding itself, so unknown fields survive.
//! [`view`] reads fields where they stand, [`encode`] writes them there.
//!
//! ```
//! use otlp_protocol::{Payload, Signal, SplitLimits, ValidateLimits, count, split, validate};
//!
//! // A request of one resource with one scope with two log records.
//! let body = b"\x0a\x06\x12\x04\x12\x00\x12\x00";
//! let checked = validate(Signal::LOGS, body, &ValidateLimits::default())?;
//! assert_eq!(checked.count.items, 2);
//! assert_eq!(count(Signal::LOGS, body)?, checked.count);
//!
//! let limits = SplitLimits { max_items: Some(1), max_bytes: None };
//! let parts = split(Signal::LOGS, &Payload::from(body.to_vec()), limits)?;
//! assert_eq!(parts.len(), 2);
//! assert_eq!(parts[0].0.to_contiguous(), &b"\x0a\x04\x12\x02\x12\x00"[..]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attribute;
mod batch;
mod budget;
mod count;
mod edit;
pub mod encode;
mod error;
mod field;
mod grpc;
mod hops;
pub mod json;
mod merge;
#[cfg(feature = "model")]
pub mod model;
mod partition;
mod payload;
mod pool;
mod repair;
mod response;
pub mod schema;
mod signal;
mod splice;
mod split;
mod status;
mod validate;
pub mod view;
pub mod wire;
mod work;

pub use batch::{Batch, Body, Count, Origin};
pub use budget::{BudgetExhausted, ByteBudget, Charge};
pub use count::count;
pub use edit::{
    AttributeEdits, Change, EditError, Edited, Editor, Fate, Item, Levels, MAX_ATTRIBUTES, MAX_STRINGS, Put,
    Value, edit, sha256_hex,
};
pub use error::{DecodeError, DecodeErrorKind};
pub use grpc::{FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader};
pub use hops::{HOPS_HEADER, HopId, Hops, MAX_HOPS};
pub use merge::Merge;
pub use partition::{MAX_PARTS, MAX_REPEATED_BYTES, partition};
pub use payload::{Payload, ZeroCopyBuffer};
pub use pool::{BufferPool, ObjectPool, PooledObject};
pub use repair::{Rejected, Repaired, Repairs, repair};
pub use response::Accepted;
pub use signal::{Items, Signal, SignalDescriptor};
pub use split::{Parts, SplitLimits, SplitPart, parts, split};
pub use status::{
    Code, ErrorKind, FieldViolation, Retry, RpcStatus, classify_grpc, classify_grpc_refusal, classify_http,
    classify_http_refusal, grpc_code, http_status, http_to_grpc, parse_retry_after,
};
pub use validate::{Checked, ValidateLimits, validate};

#[cfg(doctest)]
#[doc = include_str!("../../docs/protocol.md")]
struct DocsPage;
