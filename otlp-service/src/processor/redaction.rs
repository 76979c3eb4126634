//! The processor `redaction`: removes, masks and hashes attributes and the parts of log bodies, by lists of keys and expressions.
//!
//! Before anything else, what no reader of the request would see is removed (unknown fields, overwritten values): it could have what
//! the rules remove elsewhere.

mod body;
mod config;
mod database;
mod editor;
#[cfg_attr(not(feature = "hash"), path = "redaction/hash/absent.rs")]
mod hash;
mod rules;
mod span_name;
mod stats;
mod summary;
mod url;

pub use config::{
    DatabaseConfig, DatabaseSanitizerConfig, RedactionConfig, RedactionError, RedactionHash,
    RedactionSummary, UrlSanitizerConfig,
};

use crate::component::{Access, Out, Processor, ProcessorMetrics, Reason, reserve};
use editor::RedactionEditor;
use otlp_protocol::{Batch, ErrorKind, Retry, known_fields};
use otlp_transport::ExportError;
use rules::Rules;
use stats::Stats;
use std::sync::Arc;

/// Removes, masks or hashes attributes of resources, scopes, items and span events, and the parts of log bodies, as the Collector's
/// processor of this name does.
///
/// ```
/// use otlp_protocol::encode::Spans;
/// use otlp_protocol::view::RequestView;
/// use otlp_protocol::{Batch, Body, Charge};
/// use otlp_service::{Out, Processor, RedactionConfig, RedactionProcessor};
///
/// let mut config = RedactionConfig::default();
/// config.allow_all_keys = true;
/// config.blocked_values = vec!["4[0-9]{15}".into()];
/// let redaction = RedactionProcessor::new(&config)?;
///
/// let body = Body::write::<Spans>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.span(|span| {
///                 span.attribute("note", "card 4111111111111111");
///             });
///         });
///     });
/// });
/// let mut out = Out::new();
/// redaction.process(Batch::new(body, Charge::none()), &mut out)?;
/// let batches = out.into_batches();
/// let bytes = batches[0].body().to_bytes();
/// let span = RequestView::new(batches[0].signal(), &bytes).spans().next().unwrap();
/// assert_eq!(span.attributes().get("note"), Some("card ****".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedactionProcessor {
    rules: Arc<Rules>,
    stats: Arc<Stats>,
}

// === impl RedactionProcessor ===

impl RedactionProcessor {
    /// Creates a processor.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn new(config: &RedactionConfig) -> Result<Self, RedactionError> {
        Ok(Self { rules: Arc::new(Rules::new(config)?), stats: Arc::default() })
    }
}

impl Processor for RedactionProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn with_metrics(&self, metrics: &ProcessorMetrics<'_>) -> Option<Arc<dyn Processor>> {
        let stats = Arc::new(Stats::new(metrics, &self.rules));
        Some(Arc::new(Self { stats, ..self.clone() }))
    }

    fn process(&self, mut batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        if !self.rules.is_dry_run() {
            batch = known(batch)?;
        }
        let signal = batch.signal();
        if !self.rules.may_change_request(signal, &batch.body().to_bytes()) {
            out.emit(batch);
            return Ok(());
        }
        let growth = batch.len() / GROWTH_DIVISOR;
        let editor = || RedactionEditor::new(&self.rules, signal);
        let tally = out.edit_growing(batch, growth, Reason::Filtered, editor)?.into_tally();
        self.stats.add(&tally);
        Ok(())
    }
}

/// Removes what no reader of the request would see.
fn known(batch: Batch) -> Result<Batch, ExportError> {
    let max_bytes = batch.len().saturating_mul(2).saturating_add(SLACK_BYTES);
    let mut charge = batch.charge().another();
    reserve(&batch, &mut charge, (max_bytes as u64).saturating_mul(2))?;
    let known = known_fields(batch.body(), max_bytes)
        .map_err(|error| ExportError::new(ErrorKind::TooLarge, Retry::Never, error.to_string()))?;
    let Some(body) = known else { return Ok(batch) };
    charge.shrink_to(body.len() as u64);
    Ok(batch.with_body(body, charge))
}

/// Hashes and summaries may be longer than what they replace: an eighth of the request is expected.
const GROWTH_DIVISOR: usize = 8;
/// Room for empty keys, which are written when an attribute is written anew.
const SLACK_BYTES: usize = 4 << 10;

#[cfg(test)]
mod tests;
