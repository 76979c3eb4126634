//! The exporter `prometheus`: keeps the last point of each series, and shows the series to scrapers.

mod exponential;
mod families;
mod format;
mod intake;
mod labels;
mod listening;
mod name;
mod page;
mod protobuf;
mod text;
mod value;

pub use name::TranslationStrategy;

use crate::{BoxError, Exporter};
use families::Families;
use futures_util::FutureExt;
use intake::{Intake, SERVICE_INSTANCE, SERVICE_NAME, SERVICE_NAMESPACE};
use listening::Served;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Address, Attempt, ExportResult, PagesConfig, TransportContext, offload};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// Shows metrics to Prometheus, on the page `/metrics` of a server of its own.
///
/// Each series has its last point; deltas are added up. Metrics of several senders whose labels are equal are one series. After a
/// restart all series begin anew.
///
/// The page is in Prometheus' text format, in protobuf for scrapers that prefer it, which is the only form with native histograms, or in
/// OpenMetrics, if that is enabled. The memory is bounded by [`PrometheusConfig::max_series`]: further points are rejected, and counted
/// as rejected items.
pub struct PrometheusExporter {
    shared: Arc<Shared>,
    context: TransportContext,
    pages: PagesConfig,
    expiration: Duration,
    running: Mutex<Option<Running>>,
}

/// Settings of a [`PrometheusExporter`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrometheusConfig {
    /// Address and TLS of the server.
    pub pages: PagesConfig,
    /// Begins the name of each metric, with a `_` after it. Default empty: nothing.
    pub namespace: String,
    /// Labels that each series has, beside its own. Default none.
    pub const_labels: Vec<(String, String)>,
    /// Attributes of resources that are labels of each series. Default none: they are labels of `target_info` alone.
    pub resource_labels: ResourceLabels,
    /// Labels have the name, the version, the schema URL and the attributes of the scope. Default true.
    pub has_scope_labels: bool,
    /// Lines have the time of their point. Default false.
    pub has_timestamps: bool,
    /// Scrapers that ask for OpenMetrics get it, with exemplars. Default false.
    pub has_open_metrics: bool,
    /// Time after which a series without a new point is removed; zero: never. Default 5 minutes.
    pub expiration: Duration,
    /// Translates names of OTLP metrics and attributes into names of Prometheus metrics and labels. Default
    /// [`UnderscoreEscapingWithSuffixes`](TranslationStrategy::UnderscoreEscapingWithSuffixes).
    pub translation: TranslationStrategy,
    /// The largest number of series. Default 1,000,000, which take some 400 MB.
    pub max_series: usize,
}

/// Choice of resource attributes, by patterns of their keys in which `*` is any text and `?` any character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceLabels {
    /// Keys that are labels. Empty: all that are not excluded, if any is excluded; else none.
    pub included: Vec<String>,
    /// Keys that are no labels.
    pub excluded: Vec<String>,
}

/// What the server needs of the exporter.
struct Shared {
    intake: Intake,
    families: Mutex<Families>,
    has_timestamps: bool,
    has_open_metrics: bool,
}

/// A started exporter.
struct Running {
    served: Served,
    sweeper: AbortHandle,
}

// === impl PrometheusExporter ===

impl PrometheusExporter {
    /// Makes an exporter. It listens from its start on.
    pub fn new(config: PrometheusConfig, context: &TransportContext) -> Self {
        let shared = Shared {
            intake: Intake::new(&config),
            families: Mutex::new(Families::new(config.max_series, config.expiration)),
            has_timestamps: config.has_timestamps,
            has_open_metrics: config.has_open_metrics,
        };
        Self {
            shared: Arc::new(shared),
            context: context.clone(),
            pages: config.pages,
            expiration: config.expiration,
            running: Mutex::new(None),
        }
    }

    /// Returns the address of the server, if the exporter is started.
    pub fn local_addr(&self) -> Option<Address> {
        self.running.lock().as_ref().map(|running| running.served.local_addr())
    }
}

impl Attempt for PrometheusExporter {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let shared = Arc::clone(&self.shared);
        let (signal, body, now) = (batch.signal(), batch.body().plain().clone(), self.context.clock.now());
        let work = move || {
            let body = body.to_contiguous();
            let mut families = shared.families.lock();
            shared.intake.take(RequestView::new(signal, &body), &mut families, now)
        };
        let is_large = batch.items() > TAKEN_ITEMS || batch.len() > TAKEN_BYTES;
        // The work is cancelled only when the runtime shuts down.
        Ok(offload::run(is_large, work).await.unwrap_or(Accepted::FULL))
    }
}

impl Exporter for PrometheusExporter {
    async fn start(&self) -> Result<(), BoxError> {
        let served = Served::start(&self.context, self.pages.clone(), Arc::clone(&self.shared)).await?;
        let (clock, shared) = (Arc::clone(&self.context.clock), Arc::downgrade(&self.shared));
        let period = self.expiration.clamp(MIN_SWEEP, MAX_SWEEP);
        let sweep = async move {
            loop {
                clock.sleep(period).await;
                let Some(shared) = shared.upgrade() else { return };
                shared.families.lock().expire(clock.now());
            }
        };
        let sweeper = tokio::spawn(sweep.boxed()).abort_handle();
        *self.running.lock() = Some(Running { served, sweeper });
        Ok(())
    }

    async fn stop(&self) {
        self.running.lock().take();
    }
}

impl fmt::Debug for PrometheusExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusExporter").field("pages", &self.pages).finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

// === impl PrometheusConfig ===

impl PrometheusConfig {
    /// Settings with defaults for a server on this address, `host:port`.
    pub fn new(endpoint: &str) -> Self {
        Self {
            pages: endpoint.into(),
            namespace: String::new(),
            const_labels: Vec::new(),
            resource_labels: ResourceLabels::default(),
            has_scope_labels: true,
            has_timestamps: false,
            has_open_metrics: false,
            expiration: Duration::from_secs(300),
            translation: TranslationStrategy::default(),
            max_series: 1_000_000,
        }
    }
}

// === impl ResourceLabels ===

impl ResourceLabels {
    /// All attributes.
    pub fn all() -> Self {
        Self { included: vec!["*".into()], excluded: Vec::new() }
    }

    /// All attributes but those that the labels `job` and `instance` are made of.
    pub fn without_service() -> Self {
        let excluded = [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE].map(String::from);
        Self { included: vec!["*".into()], excluded: excluded.into() }
    }

    fn includes(&self, key: &str) -> bool {
        let matches = |patterns: &[String]| patterns.iter().any(|pattern| is_match(pattern, key));
        let is_included = match &*self.included {
            [] => !self.excluded.is_empty(),
            included => matches(included),
        };
        is_included && !matches(&self.excluded)
    }
}

/// Matches a text with a pattern of `*` and `?`. Takes at most the product of the lengths.
fn is_match(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    // The last `*`, and the place up to which it has taken characters.
    let mut star: Option<(usize, usize)> = None;
    while place < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(char) if *char == '?' || *char == text[place] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((of_star, taken)) = star else { return false };
                star = Some((of_star, taken + 1));
                (at, place) = (of_star + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

/// Requests of more points, or larger ones, are taken on a blocking thread: about a microsecond a point.
const TAKEN_ITEMS: u64 = 500;
const TAKEN_BYTES: usize = 256 << 10;

/// Time between two looks for expired series.
const MIN_SWEEP: Duration = Duration::from_secs(1);
const MAX_SWEEP: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests;
