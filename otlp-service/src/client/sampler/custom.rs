//! Samplers of users' own.

use super::Sampling;
use crate::client::TraceContext;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A sampler of your own. Is called for each new span, on the thread that starts the span.
pub trait ShouldSample: fmt::Debug + Send + Sync {
    /// Decides about a new span. A span whose decision panics is dropped.
    ///
    /// [`Sampling::kept`] and [`Sampling::dropped`] decide without telling a probability.
    fn should_sample(&self, span: &NewSpan<'_>) -> Sampling;
}

/// A span about which a sampler decides.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NewSpan<'a> {
    /// The span's parent.
    pub parent: Option<&'a TraceContext>,
    /// Id of the span's trace.
    pub trace_id: &'a [u8; 16],
    /// The span's name.
    pub name: &'a str,
    /// The time, in nanoseconds since 1970.
    pub now_unix_nanos: u64,
}

pub(super) fn decide(sampler: &dyn ShouldSample, span: &NewSpan<'_>) -> Sampling {
    let decision = catch_unwind(AssertUnwindSafe(|| sampler.should_sample(span)));
    decision.unwrap_or_else(|_| Sampling::dropped(span.parent))
}
