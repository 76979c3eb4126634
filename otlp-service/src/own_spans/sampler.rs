//! The choice of the requests whose own spans are recorded: the samplers of OpenTelemetry's configuration.

use otlp_protocol::SpanContext;

/// Chooses the requests whose spans are recorded.
///
/// The default follows the sender's choice, and of requests without a sender's span takes 1 in 100.
#[derive(Clone, Debug, PartialEq)]
pub enum Sampler {
    /// All requests.
    AlwaysOn,
    /// No request.
    AlwaysOff,
    /// This share of the requests, 0 to 1, chosen by the trace id: participants in a trace that have the same ratio choose
    /// the same.
    TraceIdRatio(f64),
    /// As the sender chose.
    ParentBased(Box<ParentBased>),
}

/// Samplers by the sender's span.
#[derive(Clone, Debug, PartialEq)]
pub struct ParentBased {
    /// For requests without a sender's span.
    pub root: Sampler,
    /// For requests whose sender's span is sampled.
    pub remote_parent_sampled: Sampler,
    /// For requests whose sender's span is not sampled.
    pub remote_parent_not_sampled: Sampler,
}

// === impl Sampler ===

impl Sampler {
    /// Follows the sender's choice; `root` is for requests without a sender's span.
    pub fn parent_based(root: Self) -> Self {
        let (remote_parent_sampled, remote_parent_not_sampled) = (Self::AlwaysOn, Self::AlwaysOff);
        Self::ParentBased(Box::new(ParentBased { root, remote_parent_sampled, remote_parent_not_sampled }))
    }

    pub(crate) fn samples(&self, trace_id: &[u8; 16], parent: Option<SpanContext>) -> bool {
        match self {
            Self::AlwaysOn => true,
            Self::AlwaysOff => false,
            Self::TraceIdRatio(ratio) => {
                // As OpenTelemetry's SDKs for Go and Python choose: by the last eight bytes.
                let random = trace_id[8..].iter().fold(0_u64, |random, &byte| random << 8 | u64::from(byte));
                *ratio >= 1.0 || random < (ratio * RANDOM_VALUES) as u64
            }
            Self::ParentBased(of) => match parent {
                None => of.root.samples(trace_id, parent),
                Some(parent) if parent.is_sampled => of.remote_parent_sampled.samples(trace_id, Some(parent)),
                Some(_) => of.remote_parent_not_sampled.samples(trace_id, parent),
            },
        }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::parent_based(Self::TraceIdRatio(DEFAULT_RATIO))
    }
}

const DEFAULT_RATIO: f64 = 0.01;
/// Number of values of the part of a trace id that decides.
const RANDOM_VALUES: f64 = (1_u128 << 64) as f64;
