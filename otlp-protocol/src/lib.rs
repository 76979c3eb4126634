//! OTLP requests as bytes: validate, count, split, merge, edit, read and write them, without decoding them into structs.
//!
//! For gateways, test tools, exporters and backends. All four signals work alike: traces, metrics, logs and profiles. No
//! sockets, no async runtime, no threads.
//!
//! ```toml
//! [dependencies]
//! otlp-protocol = "0.1"
//! ```
//!
//! ```
//! use otlp_protocol::encode::Spans;
//! use otlp_protocol::{Body, Signal, SpanKind, SplitLimits, ValidateLimits, edit, split};
//!
//! let body = Body::write::<Spans>(|request| {
//!     request.resource_group(|group| {
//!         group.scope_group(|scope| {
//!             scope.span(|span| {
//!                 span.name("GET /").attribute("token", "abc");
//!             });
//!             scope.span(|span| {
//!                 span.name("GET /cart").kind(SpanKind::Server);
//!             });
//!         });
//!     });
//! });
//! let received = Body::check(Signal::TRACES, body.to_bytes(), &ValidateLimits::default())?;
//! let mut redact = edit::items(|_, attributes| attributes.upsert("token", "***"));
//! let redacted = edit(&received, &mut redact, 64 << 20)?.body;
//! let parts = split(&redacted, SplitLimits { max_items: Some(1), max_bytes: None });
//! assert_eq!(parts.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Main types
//!
//! | to | use |
//! |---|---|
//! | name a signal, its paths and its messages | [`Signal`] |
//! | hold a valid request | [`Body`], [`Batch`]: a body with origin, deadline and charge |
//! | validate received bytes | [`Body::check`], [`validate()`], [`repair()`]: also replaces invalid strings and ids |
//! | write requests | [`Body::write`], [`encode`] |
//! | read requests | [`view`]: lazy views, [`view::RequestView`] |
//! | change attributes, drop items | [`edit()`], [`edit::items`], [`Editor`] |
//! | change any field | [`rewrite()`](rewrite::rewrite) with a [`rewrite::Rewriter`] |
//! | mask secrets | [`redact()`] with a [`Redactor`] |
//! | remove unknown fields | [`known_fields`] |
//! | split and merge | [`split()`], [`parts`] by size, [`partition()`] by content, [`Merge`] |
//! | convert to and from JSON | [`json::to_string`], [`json::from_str`], [`json`] |
//! | answer and read answers | [`Accepted`], [`RpcStatus`]; [`classify_grpc`], [`classify_http`], [`grpc_code`], [`http_status`]: the retry tables |
//! | frame gRPC messages | [`FrameHeader`], [`FrameReader`] |
//! | bound memory, reuse buffers | [`ByteBudget`] and [`Charge`]; [`BufferPool`], [`ObjectPool`] |
//! | use the structs of `opentelemetry-proto` | `model`, with the feature `model` |
//! | describe a signal of your own | [`SignalDescriptor`], [`schema`] |
//!
//! Functions that keep bytes take `impl Into<Payload>` ([`bytes::Bytes`], `Vec<u8>`, [`Payload`]); functions that only read
//! take `&[u8]`.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `hash` | yes | `sha256_hex` and `AttributeEdits::hash`; the crate sha2 |
//! | `model` | no | `model`: conversion to the structs of opentelemetry-proto; that crate and prost |

mod attribute;
mod attribute_value;
mod batch;
mod body;
mod budget;
pub mod edit;
pub mod encode;
mod enums;
mod error;
mod field;
mod grpc;
mod hops;
pub mod json;
mod known;
#[cfg(feature = "model")]
pub mod model;
mod origin;
mod partition;
mod payload;
mod pool;
mod redact;
mod regroup;
mod repair;
mod response;
pub mod retain;
pub mod rewrite;
pub mod schema;
mod signal;
mod splice;
mod split;
mod status;
mod trace_context;
mod validate;
mod value;
pub mod view;
pub mod wire;

pub use bytes;

pub use attribute_value::AttributeValue;
pub use batch::{Batch, Count, Merge};
pub use body::{Body, count};
pub use budget::{BudgetExhausted, ByteBudget, Charge, Reclaim};
#[cfg(feature = "hash")]
pub use edit::sha256_hex;
pub use edit::{
    AttributeEdits, Change, Decision, EditError, Edited, Editor, Item, MAX_ATTRIBUTES, MAX_STRINGS, Part,
    Put, edit,
};
pub use enums::{AggregationTemporality, SeverityNumber, SpanKind, StatusCode};
pub use error::{DecodeError, DecodeErrorKind};
pub use grpc::{Code, FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader};
pub use hops::{HOPS_HEADER, HopId, Hops, MAX_HOPS};
pub use known::known_fields;
pub use origin::Origin;
pub use partition::{MAX_PARTS, MAX_REPEATED_BYTES, partition};
pub use payload::{Payload, ZeroCopyBuffer};
pub use pool::{BufferPool, ObjectPool, PooledObject};
pub use redact::{Redactor, redact};
pub use regroup::{Regrouped, regroup};
pub use repair::{Rejected, Repaired, Repairs, repair};
pub use response::Accepted;
pub use signal::{Items, Signal, SignalDescriptor};
pub use split::{Parts, SplitLimits, SplitPart, parts, split};
pub use status::{
    ErrorKind, FieldViolation, Retry, RpcStatus, classify_grpc, classify_grpc_refusal, classify_http,
    classify_http_refusal, grpc_code, http_status, http_to_grpc, parse_retry_after,
};
pub use trace_context::{BatchTrace, SpanContext, TRACEPARENT_HEADER};
pub use validate::{Checked, ValidateLimits, validate};
pub use value::{ToValue, Value};

#[cfg(doctest)]
#[doc = include_str!("../../docs/protocol.md")]
struct DocsPage;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmePage;
