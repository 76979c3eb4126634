//! Settings of a sampler, by the Collector's names.

use super::probability::{DIGITS, MIN_PROBABILITY};

/// Settings of a [`ProbabilisticSampler`](super::ProbabilisticSampler). The default keeps nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SamplerConfig {
    /// Share of the traces or log records to keep, in percent; over 100 is all.
    pub sampling_percentage: f32,
    /// Seed of the hash in the mode [`HashSeed`](SamplerMode::HashSeed).
    pub hash_seed: u32,
    /// Rule of the decision.
    pub mode: SamplerMode,
    /// Drops items whose randomness is missing or whose sampling information is invalid. Otherwise these items pass. Default true.
    pub fail_closed: bool,
    /// Number of hexadecimal digits of thresholds, 1 to 14, leading zeros and `f` not counted. Default 4.
    pub sampling_precision: u32,
    /// Log records: the source of the randomness.
    pub attribute_source: AttributeSource,
    /// Log records, in the mode [`HashSeed`](SamplerMode::HashSeed): the attribute that is hashed if there is no trace id, or if
    /// `attribute_source` says so. Empty: none.
    pub from_attribute: String,
    /// Log records: the attribute whose number replaces `sampling_percentage` for its record. Empty: none.
    pub sampling_priority: String,
    /// Counts the decisions without dropping or changing anything.
    pub dry_run: bool,
}

/// Rule by which a sampler decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SamplerMode {
    /// Raises the threshold of each item to the configured threshold.
    Equalizing,
    /// Compares a hash of the trace id, or of an attribute, with the percentage.
    #[default]
    HashSeed,
    /// Keeps the percentage of what arrives, whatever was dropped before.
    Proportional,
}

/// Source of the randomness of log records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeSource {
    /// An attribute of the record.
    Record,
    /// The trace id.
    #[default]
    TraceId,
}

/// An invalid setting of a sampler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
#[non_exhaustive]
pub struct SamplerError {
    /// Name of the setting.
    pub field: &'static str,
    /// The problem, as text.
    pub problem: String,
}

// === impl SamplerConfig ===

impl Default for SamplerConfig {
    fn default() -> Self {
        Self {
            sampling_percentage: 0.0,
            hash_seed: 0,
            mode: SamplerMode::default(),
            fail_closed: true,
            sampling_precision: 4,
            attribute_source: AttributeSource::default(),
            from_attribute: String::new(),
            sampling_priority: String::new(),
            dry_run: false,
        }
    }
}

impl SamplerConfig {
    pub(super) fn check(&self) -> Result<(), SamplerError> {
        let error = |field, problem: String| Err(SamplerError { field, problem });
        let percentage = f64::from(self.sampling_percentage);
        if !percentage.is_finite() || percentage < 0.0 {
            return error("sampling_percentage", "it must be 0 or more".into());
        }
        if percentage > 0.0 && percentage / 100.0 < MIN_PROBABILITY {
            return error(
                "sampling_percentage",
                "it is too small: the least is 100 / 2^56, or 0 for none".into(),
            );
        }
        if !(1..=DIGITS).contains(&self.sampling_precision) {
            return error("sampling_precision", format!("it must be 1 to {DIGITS} hexadecimal digits"));
        }
        Ok(())
    }
}

// === impl SamplerMode ===

impl SamplerMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::HashSeed, Self::Proportional, Self::Equalizing];

    /// Returns the name in settings: `hash_seed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equalizing => "equalizing",
            Self::HashSeed => "hash_seed",
            Self::Proportional => "proportional",
        }
    }
}

// === impl AttributeSource ===

impl AttributeSource {
    /// All sources.
    pub const ALL: [Self; 2] = [Self::TraceId, Self::Record];

    /// Returns the name in settings: `traceID`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::TraceId => "traceID",
        }
    }
}
