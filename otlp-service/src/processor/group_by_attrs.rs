//! The processor `groupbyattrs`: moves attributes from items to resources, and merges equal resources.

use crate::component::{Access, Out, Processor, ProcessorMetrics};
use crate::telemetry::{Counter, Histogram};
use otlp_protocol::Batch;
use otlp_transport::ExportError;
use std::sync::Arc;

/// Moves items that have one of some attributes to resources with these attributes, and merges resources, scopes and metrics that
/// are equal: [`otlp_protocol::regroup`] describes both. Without keys only merges.
///
/// ```
/// use otlp_service::GroupByAttrsProcessor;
///
/// let by_host = GroupByAttrsProcessor::new(["host.name"]);
/// let compacting = GroupByAttrsProcessor::new([""; 0]);
/// # drop((by_host, compacting));
/// ```
#[derive(Clone, Debug)]
pub struct GroupByAttrsProcessor {
    keys: Arc<[Box<str>]>,
    stats: Stats,
}

/// Counters by the Collector's names. The default is in no registry.
#[derive(Clone, Debug, Default)]
struct Stats {
    grouped: Counter,
    non_grouped: Counter,
    groups: Option<Histogram>,
}

// === impl GroupByAttrsProcessor ===

impl GroupByAttrsProcessor {
    /// Creates a processor that groups by attributes with these keys. Empty keys, and a key that was there before, are left out.
    pub fn new(keys: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        let mut known: Vec<Box<str>> = Vec::new();
        for key in keys {
            let key = key.into();
            if !key.is_empty() && !known.contains(&key) {
                known.push(key);
            }
        }
        Self { keys: known.into(), stats: Stats::default() }
    }
}

impl Processor for GroupByAttrsProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn with_metrics(&self, metrics: &ProcessorMetrics<'_>) -> Option<Arc<dyn Processor>> {
        Some(Arc::new(Self { keys: self.keys.clone(), stats: Stats::new(metrics) }))
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        // Items that move are written anew, and headers of resources are repeated.
        let (items, growth) = (batch.items(), batch.len() / 2);
        let (moved, resources) = out.regroup(batch, &self.keys, growth)?;
        self.stats.grouped.add(moved);
        self.stats.non_grouped.add(items.saturating_sub(moved));
        if let Some(groups) = &self.stats.groups {
            groups.record(resources as u64);
        }
        Ok(())
    }
}

// === impl Stats ===

impl Stats {
    fn new(metrics: &ProcessorMetrics<'_>) -> Self {
        // The Collector's names: spans, logs, metrics.
        let noun = metrics.signal().items_noun.split('_').next().unwrap_or_default().trim_end_matches('s');
        let name = |end: &str| format!("otelcol_processor_groupbyattrs_{end}");
        Self {
            grouped: metrics.counter(
                name(&format!("num_grouped_{noun}s")),
                "Items that moved to a resource with their attributes.",
                &[],
            ),
            non_grouped: metrics.counter(
                name(&format!("num_non_grouped_{noun}s")),
                "Items that had none of the attributes.",
                &[],
            ),
            groups: Some(metrics.histogram(
                name(&format!("{noun}_groups")),
                "Resources of a batch that was grouped.",
                GROUP_BOUNDS,
            )),
        }
    }
}

/// The bounds of the Collector's histograms without bounds of their own.
const GROUP_BOUNDS: &[u64] = &[0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

#[cfg(test)]
mod tests;
