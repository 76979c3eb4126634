//! OTLP as bytes: what a message is, whether it is sound, how much it holds, and how to cut and join it.
//!
//! **What this crate must not know:** sockets, tokio, threads, files, or what time it is. Bytes come in, bytes go
//! out; an [`Instant`](std::time::Instant) is only ever handed through.
//!
//! The pipeline moves encoded OTLP protobuf. Nothing is decoded into structs: [`validate`] checks what was sent once, and a
//! [`Body`] is what was found sound. [`edit`](edit()), [`split`](split()) and [`Merge`] work on the encoding itself, so unknown
//! fields survive.
//! [`view`] reads fields where they stand, [`encode`] writes them there.
//!
//! ```
//! use otlp_protocol::{Body, Signal, SplitLimits, ValidateLimits, split};
//!
//! // A request of one resource with one scope with two log records.
//! let bytes = b"\x0a\x06\x12\x04\x12\x00\x12\x00".to_vec();
//! let body = Body::check(Signal::LOGS, bytes, &ValidateLimits::default())?;
//! assert_eq!(body.count().items, 2);
//!
//! let parts = split(&body, SplitLimits { max_items: Some(1), max_bytes: None });
//! assert_eq!(parts.len(), 2);
//! assert_eq!(parts[0].plain().to_contiguous(), &b"\x0a\x04\x12\x02\x12\x00"[..]);
//! # Ok::<(), otlp_protocol::DecodeError>(())
//! ```

mod attribute;
mod batch;
mod body;
mod budget;
mod edit;
pub mod encode;
mod error;
mod field;
mod grpc;
mod hops;
pub mod json;
#[cfg(feature = "model")]
pub mod model;
mod origin;
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

pub use batch::{Batch, Count, Merge};
pub use body::{Body, count};
pub use budget::{BudgetExhausted, ByteBudget, Charge};
#[cfg(feature = "hash")]
pub use edit::sha256_hex;
pub use edit::{
    AttributeEdits, AttributeValue, Change, EditError, Edited, Editor, Fate, Item, Levels, MAX_ATTRIBUTES,
    MAX_STRINGS, Put, Value, edit,
};
pub use error::{DecodeError, DecodeErrorKind};
pub use grpc::{Code, FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader};
pub use hops::{HOPS_HEADER, HopId, Hops, MAX_HOPS};
pub use origin::Origin;
pub use partition::{MAX_PARTS, MAX_REPEATED_BYTES, partition};
pub use payload::{Payload, ZeroCopyBuffer};
pub use pool::{BufferPool, ObjectPool, PooledObject};
pub use repair::{Rejected, Repaired, Repairs, repair};
pub use response::Accepted;
pub use signal::{Items, Signal, SignalDescriptor};
pub use split::{Parts, SplitLimits, SplitPart, parts, split};
pub use status::{
    ErrorKind, FieldViolation, Retry, RpcStatus, classify_grpc, classify_grpc_refusal, classify_http,
    classify_http_refusal, grpc_code, http_status, http_to_grpc, parse_retry_after,
};
pub use validate::{Checked, ValidateLimits, validate};

#[cfg(doctest)]
#[doc = include_str!("../../docs/protocol.md")]
struct DocsPage;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmePage;
