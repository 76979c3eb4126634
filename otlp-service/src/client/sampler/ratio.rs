//! Sampling of a share of the traces, alike in all participants.
//!
//! OpenTelemetry, "TraceState: Probability Sampling". R is the randomness of a trace, T the threshold of a sampler; both have 56
//! bits, and traces with R ≥ T are kept. A sampler of a larger ratio has a smaller T, and keeps the same traces and more.

use super::{SamplerError, Sampling, state_of};
use crate::client::TraceContext;
use crate::client::context::tracestate::{self, RANDOM_DIGITS};
use std::sync::Arc;

/// Keeps a share of the traces: the specification's `ProbabilitySampler`.
///
/// Decides by the last seven bytes of the trace id, or by the randomness `rv` that the parent's `tracestate` brings, and keeps the
/// **large** values; kept spans tell the ratio as `ot=th:…`, by which backends know how many spans each one stands for. All
/// participants in a trace that sample so keep the same traces, as far as their ratios allow. The parent's choice is not looked
/// at: for that see [`ParentBased`](super::ParentBased).
///
/// `TraceIdRatioBased` of opentelemetry-rust and other SDKs keeps the **small** values: half of the traces here and half of the
/// traces there have no trace in common. Where both kinds of participants share traces, let only the first one of a trace use a
/// ratio, and all others follow their parent.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsistentRatio {
    ratio: f64,
    threshold: u64,
    /// `ot=th:…`: the state of kept spans that have no other state.
    state: Arc<str>,
}

// === impl ConsistentRatio ===

impl ConsistentRatio {
    /// Makes a sampler that keeps this share of the traces, from 0 to 1; `None` for 0, and for ratios that 56 bits do not tell
    /// from 0.
    pub fn new(ratio: f64) -> Result<Option<Self>, SamplerError> {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(SamplerError::Ratio(ratio));
        }
        let Some(threshold) = threshold(ratio) else { return Ok(None) };
        let digits = format!("{threshold:0RANDOM_DIGITS$x}");
        let digits = match digits.trim_end_matches('0') {
            "" => "0",
            digits => digits,
        };
        Ok(Some(Self { ratio, threshold, state: format!("{STATE_START}{digits}").into() }))
    }

    /// The share of the traces that was asked for.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    pub(super) fn decide(&self, parent: Option<&TraceContext>, trace_id: &[u8; 16]) -> Sampling {
        let state = state_of(parent);
        if randomness(state.map(|state| &**state), trace_id) < self.threshold {
            return Sampling::dropped(parent);
        }
        let state = match state {
            None => Some(self.state.clone()),
            Some(_) => tracestate::with_threshold(state, self.state.strip_prefix(STATE_START)),
        };
        Sampling::new(true, state)
    }
}

/// The randomness of a trace: `rv`, or else the last 56 bits of the trace id.
pub(super) fn randomness(state: Option<&str>, trace_id: &[u8; 16]) -> u64 {
    let id = || u128::from_be_bytes(*trace_id) as u64 & (RANDOM_VALUES - 1);
    state.and_then(tracestate::randomness).unwrap_or_else(id)
}

/// Converts a ratio into a threshold of at least four digits that are not `f`; `None` if no trace can be kept.
fn threshold(ratio: f64) -> Option<u64> {
    // A multiplication by a power of two is exact.
    let kept = (ratio * RANDOM_VALUES as f64).round() as u64;
    let threshold = RANDOM_VALUES.checked_sub(kept).filter(|_| kept > 0)?;
    // As many more digits as the threshold starts with `f`: small ratios are as precise as large ones.
    let leading_f = (RANDOM_BITS - 1 - kept.ilog2().min(RANDOM_BITS - 1)) / 4;
    let cut_bits = RANDOM_BITS.saturating_sub(4 * (PRECISION + leading_f));
    let half = (1_u64 << cut_bits) / 2;
    Some((threshold + half) >> cut_bits << cut_bits)
}

const STATE_START: &str = "ot=th:";
const RANDOM_BITS: u32 = 56;
const RANDOM_VALUES: u64 = 1 << RANDOM_BITS;
/// Digits of a threshold, as the specification recommends.
const PRECISION: u32 = 4;
