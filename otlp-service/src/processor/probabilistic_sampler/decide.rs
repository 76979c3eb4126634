//! The decision on an item: its randomness, its threshold, and what is written of both.

use super::arrived::{Arrived, Identity, Priority};
use super::config::{AttributeSource, SamplerConfig, SamplerMode};
use super::probability::{
    ALWAYS, Hash, LARGEST, MIN_PROBABILITY, NEVER, Randomness, Threshold, hash_threshold, of_trace_id,
    probability_of, threshold_of,
};
use super::tracestate::Written;

/// A sampler with its settings worked out.
#[derive(Debug)]
pub(super) struct Sampler {
    rule: Rule,
    fail_closed: bool,
    precision: u32,
    /// Of log records.
    is_trace_id_hashed: bool,
    from_attribute: String,
    sampling_priority: String,
    is_dry_run: bool,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Equalizing(Threshold),
    Hash(Hash, Threshold),
    Never,
    Proportional(f64),
}

/// Origin of a decision: the label `policy`, by the Collector's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Attribute,
    MissingRandomness,
    SamplingPriority,
    SamplingRandomness,
    TraceIdHash,
    TraceIdW3c,
}

/// The decision on an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) policy: Policy,
    pub(super) is_sampled: bool,
    /// Sampling information to write; `None` leaves a kept item as it arrived.
    pub(super) written: Option<Written>,
}

/// The randomness of an item, before its priority is asked.
struct Chance {
    policy: Policy,
    randomness: Randomness,
    /// Randomness and threshold have no meaning together, or one of them is unknown.
    is_error: bool,
    /// The sampling information to go on from; `None`: it must stay as it arrived.
    arrived: Option<Arrived>,
    /// The item gets its randomness.
    is_written: bool,
}

// === impl Sampler ===

impl Sampler {
    pub(super) fn new(config: &SamplerConfig) -> Self {
        let percentage = config.sampling_percentage.min(100.0);
        let ratio = (f64::from(percentage) / 100.0).max(MIN_PROBABILITY);
        let rule = match config.mode {
            _ if percentage == 0.0 => Rule::Never,
            SamplerMode::Equalizing => {
                Rule::Equalizing(threshold_of(ratio, config.sampling_precision).unwrap_or(ALWAYS))
            }
            SamplerMode::Proportional => Rule::Proportional(ratio),
            SamplerMode::HashSeed => hash_threshold(percentage)
                .map_or(Rule::Never, |threshold| Rule::Hash(Hash::new(config.hash_seed), threshold)),
        };
        Self {
            rule,
            fail_closed: config.fail_closed,
            precision: config.sampling_precision,
            is_trace_id_hashed: config.attribute_source == AttributeSource::TraceId,
            from_attribute: config.from_attribute.clone(),
            sampling_priority: config.sampling_priority.clone(),
            is_dry_run: config.dry_run,
        }
    }

    /// Returns the attribute of log records that is hashed; empty: none.
    pub(super) fn hashed_attribute(&self) -> &str {
        match self.rule {
            Rule::Hash(..) => &self.from_attribute,
            _ => "",
        }
    }

    /// Returns the attribute of log records that is their percentage; empty: none.
    pub(super) fn sampling_priority(&self) -> &str {
        &self.sampling_priority
    }

    pub(super) fn precision(&self) -> u32 {
        self.precision
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Decides on an item. `arrived` is `None` if its sampling information is invalid.
    #[inline]
    pub(super) fn decide(
        &self,
        arrived: Option<Arrived>,
        identity: Identity<'_>,
        priority: Priority,
    ) -> Verdict {
        let Chance { mut policy, randomness, is_error, mut arrived, is_written } =
            self.chance(arrived, identity, priority);
        let is_missing = policy == Policy::MissingRandomness;
        let old = arrived.and_then(|arrived| arrived.threshold);
        // An item below its own threshold should not have come this far: the threshold is not true.
        let is_untrue = !is_error && !is_missing && old.is_some_and(|threshold| threshold > randomness);
        if is_untrue {
            arrived = arrived.map(|arrived| Arrived { threshold: None, ..arrived });
        }
        let mut threshold = match (is_error || is_missing || is_untrue, self.fail_closed) {
            (true, true) => NEVER,
            (true, false) => ALWAYS,
            (false, _) => self.threshold(old),
        };
        if let Priority::Threshold(of_item) = priority {
            (threshold, policy) = (of_item, Policy::SamplingPriority);
        }
        let is_sampled = threshold <= randomness;
        let written = arrived.filter(|_| is_sampled).map(|arrived| Written {
            randomness: is_written.then_some(randomness),
            // A threshold never falls: what was dropped before does not come back.
            threshold: arrived.threshold.is_none_or(|old| old <= threshold).then_some(threshold),
        });
        Verdict { policy, is_sampled, written }
    }

    #[inline]
    fn chance(&self, arrived: Option<Arrived>, identity: Identity<'_>, priority: Priority) -> Chance {
        let missing = (Policy::MissingRandomness, LARGEST);
        let chance = |(policy, randomness), is_error, arrived, is_written| Chance {
            policy,
            randomness,
            is_error,
            arrived,
            is_written,
        };
        let Rule::Hash(hash, _) = self.rule else {
            let Some(known) = arrived else {
                let policy = if self.is_never() { (Policy::SamplingPriority, LARGEST) } else { missing };
                return chance(policy, true, None, false);
            };
            if self.is_never() {
                return chance((Policy::SamplingPriority, LARGEST), false, arrived, false);
            }
            return chance(consistent(known, identity).unwrap_or(missing), false, arrived, false);
        };
        let is_sampled_before =
            arrived.is_some_and(|arrived| arrived.randomness.is_some() || arrived.threshold.is_some());
        let would_be_lost = is_sampled_before && self.fail_closed && priority == Priority::Defer;
        if let Some(known) = arrived.filter(|_| would_be_lost) {
            // The Collector drops these items. Here they are sampled on as in the mode `equalizing`.
            return chance(consistent(known, identity).unwrap_or(missing), false, arrived, false);
        }
        let id = identity.trace_id.filter(|_| self.is_trace_id_hashed || !identity.is_record);
        let by_id = id.map(|id| (Policy::TraceIdHash, hash.randomness(id)));
        let by_attribute = || identity.attribute.map(|bytes| (Policy::Attribute, hash.randomness(bytes)));
        let found = by_id.or_else(by_attribute).unwrap_or(missing);
        if arrived.is_none() || is_sampled_before {
            return chance(found, true, None, false);
        }
        // A record without any randomness gets none.
        chance(found, false, arrived, !identity.is_record || found.0 != Policy::MissingRandomness)
    }

    /// Returns the threshold for an item that arrived with the threshold `old`.
    fn threshold(&self, old: Option<Threshold>) -> Threshold {
        match self.rule {
            Rule::Never => NEVER,
            Rule::Equalizing(threshold) | Rule::Hash(_, threshold) => old.unwrap_or(ALWAYS).max(threshold),
            Rule::Proportional(ratio) => {
                let probability = old.map_or(1.0, probability_of);
                // Below the least probability nothing is sampled.
                threshold_of(probability * ratio, self.precision).unwrap_or(NEVER)
            }
        }
    }

    fn is_never(&self) -> bool {
        matches!(self.rule, Rule::Never)
    }
}

/// Returns the randomness that OpenTelemetry specifies: the explicit randomness, or that of the trace id.
fn consistent(arrived: Arrived, identity: Identity<'_>) -> Option<(Policy, Randomness)> {
    let explicit = arrived.randomness.map(|randomness| (Policy::SamplingRandomness, randomness));
    explicit.or_else(|| identity.trace_id.map(|id| (Policy::TraceIdW3c, of_trace_id(id))))
}

// === impl Policy ===

impl Policy {
    pub(super) const ALL: [Self; 6] = [
        Self::Attribute,
        Self::MissingRandomness,
        Self::SamplingPriority,
        Self::SamplingRandomness,
        Self::TraceIdHash,
        Self::TraceIdW3c,
    ];

    /// Returns the value of the label `policy`. The Collector shows the name of the attribute that is hashed.
    pub(super) fn name(self, attribute: &str) -> &str {
        match self {
            Self::Attribute => attribute,
            Self::MissingRandomness => "missing_randomness",
            Self::SamplingPriority => "sampling_priority",
            Self::SamplingRandomness => "sampling_randomness",
            Self::TraceIdHash => "trace_id_hash",
            Self::TraceIdW3c => "trace_id_w3c",
        }
    }
}
