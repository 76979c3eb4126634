//! The client: a program's own traces, metrics and logs, over OTLP.

mod config;
mod context;
mod engine;
mod key;
mod limits;
mod log;
mod metrics;
mod propagation;
mod resource;
mod sampler;
mod trace;

pub use context::TraceContext;
pub use limits::{LogLimits, SpanLimits};
