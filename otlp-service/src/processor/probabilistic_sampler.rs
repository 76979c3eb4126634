//! The processor `probabilistic_sampler`: keeps a share of the traces or log records, by the Collector's arithmetic, bit for bit.
//!
//! An item is kept if its randomness, of 56 bits, is not below the threshold of its sampling. Both travel with a kept item (in the
//! trace state of spans, in attributes of log records), so that counts can be extrapolated and a later sampler can go on from there.
//! OpenTelemetry, "TraceState: Probability Sampling".

mod arrived;
mod config;
mod decide;
mod editor;
mod place;
mod probability;
mod stats;
mod tracestate;

pub use config::{AttributeSource, SamplerConfig, SamplerError, SamplerMode};

use crate::component::{Access, Out, Processor, ProcessorMetrics, Reason};
use decide::Sampler;
use editor::ItemEditor;
use otlp_protocol::Batch;
use otlp_transport::ExportError;
use place::Place;
use stats::Stats;
use std::sync::Arc;

/// Keeps a share of the spans, by trace, or of the log records. Items of other signals pass.
///
/// ```
/// use otlp_service::{ProbabilisticSampler, SamplerConfig};
///
/// let mut config = SamplerConfig::default();
/// config.sampling_percentage = 10.0;
/// assert!(ProbabilisticSampler::new(&config).is_ok());
/// config.sampling_percentage = -1.0;
/// assert_eq!(ProbabilisticSampler::new(&config).unwrap_err().field, "sampling_percentage");
/// ```
#[derive(Clone, Debug)]
pub struct ProbabilisticSampler {
    sampler: Arc<Sampler>,
    stats: Arc<Stats>,
}

// === impl ProbabilisticSampler ===

impl ProbabilisticSampler {
    /// Creates a sampler.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn new(config: &SamplerConfig) -> Result<Self, SamplerError> {
        config.check()?;
        Ok(Self { sampler: Arc::new(Sampler::new(config)), stats: Arc::default() })
    }
}

impl Processor for ProbabilisticSampler {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn with_metrics(&self, metrics: &ProcessorMetrics<'_>) -> Option<Arc<dyn Processor>> {
        let place = Place::of(metrics.signal())?;
        let stats = Stats::new(metrics, place, self.sampler.hashed_attribute());
        Some(Arc::new(Self { stats: Arc::new(stats), ..self.clone() }))
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let Some(place) = Place::of(batch.signal()) else {
            out.emit(batch);
            return Ok(());
        };
        let growth = usize::try_from(batch.items()).unwrap_or(usize::MAX).saturating_mul(GROWTH_BYTES);
        let editor = || ItemEditor::new(&self.sampler, &place);
        let tally = out.edit_growing(batch, growth, Reason::Sampled, editor)?.into_tally();
        self.stats.add(&tally);
        Ok(())
    }
}

/// Growth of a kept item: randomness and threshold, in a trace state or as attributes. An edit that needs more starts again.
const GROWTH_BYTES: usize = 40;

#[cfg(test)]
mod tests;
