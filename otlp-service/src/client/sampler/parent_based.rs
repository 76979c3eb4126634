//! Sampling by the parent's choice.

use super::{NewSpan, Sampler, Sampling, with_threshold};
use crate::client::TraceContext;
use crate::client::context::tracestate;
use crate::client::sampler::ratio;
use std::fmt;

/// Samplers by the parent of a span.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParentBased {
    /// For spans without a parent.
    pub root: Sampler,
    /// For spans whose parent is of another process, and sampled. Default [`Sampler::AlwaysOn`].
    pub remote_parent_sampled: Sampler,
    /// For spans whose parent is of another process, and not sampled. Default [`Sampler::AlwaysOff`].
    pub remote_parent_not_sampled: Sampler,
    /// For spans whose parent is of this process, and sampled. Default [`Sampler::AlwaysOn`].
    pub local_parent_sampled: Sampler,
    /// For spans whose parent is of this process, and not sampled. Default [`Sampler::AlwaysOff`].
    pub local_parent_not_sampled: Sampler,
}

// === impl ParentBased ===

impl ParentBased {
    /// Follows the parent's choice; `root` is for spans without a parent.
    pub fn new(root: Sampler) -> Self {
        let (on, off) = (Sampler::AlwaysOn, Sampler::AlwaysOff);
        Self {
            root,
            remote_parent_sampled: on.clone(),
            remote_parent_not_sampled: off.clone(),
            local_parent_sampled: on,
            local_parent_not_sampled: off,
        }
    }

    /// True if one of the samplers reads kind, attributes or links of spans.
    #[cfg(feature = "tracing")]
    pub(super) fn read_fields(&self) -> bool {
        let Self { root, remote_parent_sampled, remote_parent_not_sampled, .. } = self;
        let Self { local_parent_sampled, local_parent_not_sampled, .. } = self;
        let remote = [remote_parent_sampled, remote_parent_not_sampled];
        let local = [local_parent_sampled, local_parent_not_sampled];
        root.reads_fields() || remote.into_iter().chain(local).any(Sampler::reads_fields)
    }

    /// True if all children of sampled parents are sampled.
    #[inline]
    pub(super) fn keeps_sampled(&self, is_remote: bool) -> bool {
        let branch = if is_remote { &self.remote_parent_sampled } else { &self.local_parent_sampled };
        matches!(branch, Sampler::AlwaysOn)
    }

    #[inline]
    pub(super) fn decide(&self, span: &NewSpan<'_>) -> Sampling {
        let Some(parent) = span.parent else {
            return self.root.decide(span);
        };
        let branch = match (parent.is_remote, parent.is_sampled()) {
            (true, true) => &self.remote_parent_sampled,
            (true, false) => &self.remote_parent_not_sampled,
            (false, true) => &self.local_parent_sampled,
            (false, false) => &self.local_parent_not_sampled,
        };
        match branch {
            Sampler::AlwaysOn if parent.is_sampled() => followed(parent, span.trace_id),
            branch => branch.decide(span),
        }
    }
}

impl fmt::Display for ParentBased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, remote_parent_sampled, remote_parent_not_sampled, .. } = self;
        write!(f, "ParentBased{{root:{root},remoteParentSampled:{remote_parent_sampled},")?;
        write!(f, "remoteParentNotSampled:{remote_parent_not_sampled},")?;
        let Self { local_parent_sampled, local_parent_not_sampled, .. } = self;
        write!(
            f,
            "localParentSampled:{local_parent_sampled},localParentNotSampled:{local_parent_not_sampled}}}"
        )
    }
}

/// Keeps a span as its parent was kept, with the same probability. A received threshold that would have dropped the trace is
/// erased; the states of this process were looked at when they were made.
#[inline]
fn followed(parent: &TraceContext, trace_id: &[u8; 16]) -> Sampling {
    let state = match parent.state.as_deref() {
        Some(state) if parent.is_remote && !is_consistent(state, trace_id) => {
            with_threshold(Some(parent), None)
        }
        _ => parent.state.clone(),
    };
    Sampling::new(true, state)
}

fn is_consistent(state: &str, trace_id: &[u8; 16]) -> bool {
    let is_kept = |threshold| ratio::randomness(Some(state), trace_id) >= threshold;
    tracestate::threshold_digits(state).is_none() || tracestate::threshold(state).is_some_and(is_kept)
}
