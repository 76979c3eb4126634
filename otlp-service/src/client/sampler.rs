//! The choice of the spans that are recorded, as the SDK specification has it.
//!
//! A sampler decides by its arguments alone, apart from [`RateLimit`], which counts; time is passed in. The decision brings the
//! new span's `tracestate`, in which the member `ot` tells with `th` the probability that the span was kept with. A sampler that
//! does not know the probability erases `th`.

mod custom;
mod parent_based;
mod rate;
mod ratio;
mod variables;

pub use custom::{NewSpan, ShouldSample};
pub use parent_based::ParentBased;
pub use rate::RateLimit;
pub use ratio::ConsistentRatio;

use crate::client::TraceContext;
use crate::client::context::{RANDOM, SAMPLED, tracestate};
use std::fmt;
use std::sync::Arc;

/// Chooses the spans that are recorded. Cloning shares the budget of [`RateLimited`](Self::RateLimited).
///
/// The default follows the parent's choice, and keeps all traces that begin here.
///
/// ```
/// use otlp_service::client::{NewSpan, Sampler};
///
/// let sampler = Sampler::parent_based(Sampler::consistent_ratio(0.25)?);
/// let (kept, dropped) = ([0xff; 16], [0x01; 16]);
/// assert!(sampler.decide(&NewSpan::new(None, &kept, "GET /cart", 0)).is_sampled);
/// assert!(!sampler.decide(&NewSpan::new(None, &dropped, "GET /cart", 0)).is_sampled);
/// # Ok::<(), otlp_service::client::SamplerError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sampler {
    /// All spans.
    AlwaysOn,
    /// No span.
    AlwaysOff,
    /// A share of the traces, chosen by the random part of their ids: the specification's `ProbabilitySampler`. Keeps **other
    /// traces** than `TraceIdRatioBased` of opentelemetry-rust.
    ConsistentRatio(ConsistentRatio),
    /// Up to a number of spans a second.
    RateLimited(Arc<RateLimit>),
    /// As the parent's span was chosen.
    ParentBased(Arc<ParentBased>),
    /// A sampler of your own.
    Custom(Arc<dyn ShouldSample>),
}

/// The decision about a new span.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sampling {
    /// True if the span is recorded and exported.
    pub is_sampled: bool,
    /// The new span's `tracestate`.
    pub state: Option<Arc<str>>,
}

/// A number that no sampler can be made of.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// A share of traces outside 0 to 1.
    #[error("sampling ratio {0}: give a number from 0 to 1")]
    Ratio(f64),
    /// A rate that is negative or no number.
    #[error("spans a second {0}: give a number of 0 or more")]
    Rate(f64),
}

// === impl Sampler ===

impl Sampler {
    /// Keeps this share of the traces, from 0 to 1. The ratio 0 is [`AlwaysOff`](Self::AlwaysOff).
    pub fn consistent_ratio(ratio: f64) -> Result<Self, SamplerError> {
        let ratio = ConsistentRatio::new(ratio)?;
        Ok(ratio.map_or(Self::AlwaysOff, Self::ConsistentRatio))
    }

    /// Keeps up to this number of spans a second. The rate 0 is [`AlwaysOff`](Self::AlwaysOff).
    pub fn rate_limited(spans_per_second: f64) -> Result<Self, SamplerError> {
        let limit = RateLimit::new(spans_per_second)?;
        Ok(limit.map_or(Self::AlwaysOff, |limit| Self::RateLimited(Arc::new(limit))))
    }

    /// Follows the parent's choice; `root` is for spans without a parent.
    pub fn parent_based(root: Self) -> Self {
        Self::ParentBased(Arc::new(ParentBased::new(root)))
    }

    /// Decides about a new span.
    #[inline]
    pub fn decide(&self, span: &NewSpan<'_>) -> Sampling {
        match self {
            Self::AlwaysOn => Sampling::certain(span.parent),
            Self::AlwaysOff => Sampling::dropped(span.parent),
            Self::ConsistentRatio(ratio) => ratio.decide(span.parent, span.trace_id),
            Self::RateLimited(limit) => limit.decide(span.parent, span.now_unix_nanos),
            Self::ParentBased(branches) => branches.decide(span),
            Self::Custom(sampler) => custom::decide(&**sampler, span),
        }
    }

    /// True if a sampler of a user's own may be asked that reads kind, attributes or links of spans.
    #[cfg(feature = "tracing")]
    pub(crate) fn reads_fields(&self) -> bool {
        match self {
            Self::ParentBased(branches) => branches.read_fields(),
            Self::Custom(sampler) => sampler.reads_fields(),
            _ => false,
        }
    }

    /// True if a child of the parent is sampled for sure, and takes over the parent's flags; neither has a state.
    #[inline]
    pub(crate) fn follows(&self, parent: &TraceContext) -> bool {
        let Self::ParentBased(branches) = self else {
            return false;
        };
        parent.is_sampled() && parent.state.is_none() && branches.keeps_sampled(parent.is_remote)
    }

    /// Decides about a new span, and makes the span's context. Without a parent the trace id is a new one, and random.
    #[inline]
    pub(crate) fn new_context(&self, span: &NewSpan<'_>, span_id: [u8; 8]) -> TraceContext {
        let Sampling { is_sampled, state } = self.decide(span);
        let NewSpan { parent, trace_id, .. } = *span;
        let flags =
            parent.map_or(RANDOM, |parent| parent.flags & RANDOM) | if is_sampled { SAMPLED } else { 0 };
        let is_debug = parent.is_some_and(|parent| parent.is_debug);
        TraceContext { trace_id: *trace_id, span_id, flags, is_remote: false, is_debug, state }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::parent_based(Self::AlwaysOn)
    }
}

/// The specification's description of the sampler.
impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlwaysOn => f.write_str("AlwaysOnSampler"),
            Self::AlwaysOff => f.write_str("AlwaysOffSampler"),
            Self::ConsistentRatio(ratio) => write!(f, "ConsistentRatio{{{}}}", ratio.ratio()),
            Self::RateLimited(limit) => write!(f, "RateLimited{{{}}}", limit.spans_per_second()),
            Self::ParentBased(branches) => branches.fmt(f),
            Self::Custom(sampler) => write!(f, "{sampler:?}"),
        }
    }
}

// === impl Sampling ===

impl Sampling {
    /// Decides, and gives the span this `tracestate`.
    pub fn new(is_sampled: bool, state: Option<Arc<str>>) -> Self {
        Self { is_sampled, state }
    }

    /// Keeps a span of the parent for a reason that is no probability: `th` is erased.
    pub fn kept(parent: Option<&TraceContext>) -> Self {
        Self::new(true, with_threshold(parent, None))
    }

    /// Drops a span of the parent.
    pub fn dropped(parent: Option<&TraceContext>) -> Self {
        Self::new(false, with_threshold(parent, None))
    }

    /// Keeps a span that no sampler could drop: where the parent's state tells a probability, it becomes 100 %.
    fn certain(parent: Option<&TraceContext>) -> Self {
        let state = state_of(parent);
        let has_threshold = state.is_some_and(|state| tracestate::threshold_digits(state).is_some());
        Self::new(true, with_threshold(parent, has_threshold.then_some("0")))
    }
}

fn state_of(parent: Option<&TraceContext>) -> Option<&Arc<str>> {
    parent.and_then(|parent| parent.state.as_ref())
}

/// Returns the parent's state with another `th`, or with none.
fn with_threshold(parent: Option<&TraceContext>, threshold: Option<&str>) -> Option<Arc<str>> {
    match (state_of(parent), threshold) {
        (None, None) => None,
        (state, threshold) => tracestate::with_threshold(state, threshold),
    }
}

#[cfg(test)]
mod tests;
