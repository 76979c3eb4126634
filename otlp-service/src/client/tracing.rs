//! Doors for `tracing`: [`OtlpLayer`] on a registry, and [`OtlpSubscriber`], which needs no registry and costs half.

mod activity;
mod attributes;
mod callsite;
mod entered;
mod event_fields;
mod events;
mod extension;
mod failure;
mod free;
mod key;
mod layer;
mod open;
mod options;
mod recorder;
mod sink;
mod slab;
mod span_fields;
mod start;
mod subscriber;
mod thread;

pub use extension::SpanExt;
pub use layer::OtlpLayer;
pub use options::{EventForm, SpanEnd, TracingOptions};
pub use start::SetParentError;
pub use subscriber::OtlpSubscriber;

#[cfg(test)]
mod tests;

pub(crate) use entered::Entered;

use super::OtlpClient;
use sink::Sink;

// === impl OtlpClient ===

impl OtlpClient {
    /// Makes a layer that records spans and events of `tracing`, for a registry.
    pub fn tracing_layer(&self) -> OtlpLayer {
        OtlpLayer::new(Sink::new(self.0.engine.shared().clone()), TracingOptions::default())
    }

    /// Makes a subscriber that records spans and events of `tracing`, without a registry.
    pub fn tracing_subscriber(&self) -> OtlpSubscriber {
        OtlpSubscriber::new(Sink::new(self.0.engine.shared().clone()), TracingOptions::default())
    }
}
