//! Detectors at work beside the pipelines: one task each, which runs its detector, again after a failure, and at the period.

use super::config::{DetectorKind, ResourceDetectionConfig};
use super::detector::{Found, Sources, detect};
use super::stats::Stats;
use crate::component::{ProcessorMetrics, Started};
use crate::retry::Backoff;
use futures_util::FutureExt;
use otlp_transport::TransportContext;
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Attributes that the detectors of one processor have found. Dropping the detection ends the tasks of the detectors.
#[derive(Debug)]
pub(super) struct Detection {
    config: Arc<ResourceDetectionConfig>,
    lookup: fn(&str) -> Option<String>,
    /// Attributes of each detector, in the order of the settings.
    parts: Mutex<Vec<Found>>,
    /// All of it, merged.
    found: RwLock<Arc<Found>>,
    stats: OnceLock<(String, Stats)>,
    tasks: OnceLock<Vec<JoinHandle<()>>>,
    has_warned: AtomicBool,
}

/// The task of a detector.
struct Task {
    detection: Weak<Detection>,
    config: Arc<ResourceDetectionConfig>,
    sources: Sources,
    index: usize,
    kind: DetectorKind,
    /// Counts the detectors that have run once.
    settled: watch::Sender<usize>,
    last_line: Option<Instant>,
}

// === impl Detection ===

impl Detection {
    pub(super) fn new(config: ResourceDetectionConfig, lookup: fn(&str) -> Option<String>) -> Self {
        Self {
            parts: Mutex::new(vec![Found::default(); config.detectors.len()]),
            config: Arc::new(config),
            lookup,
            found: RwLock::default(),
            stats: OnceLock::new(),
            tasks: OnceLock::new(),
            has_warned: AtomicBool::new(false),
        }
    }

    pub(super) fn config(&self) -> &ResourceDetectionConfig {
        &self.config
    }

    /// Returns what is known now.
    pub(super) fn found(&self) -> Arc<Found> {
        self.found.read().clone()
    }

    /// Registers the metrics, once for all pipelines.
    pub(super) fn register(this: &Arc<Self>, metrics: &ProcessorMetrics<'_>) {
        this.stats.get_or_init(|| {
            let stats = Stats::new(metrics, &this.config.detectors, Arc::downgrade(this));
            (metrics.processor().to_owned(), stats)
        });
    }

    /// Starts the detectors, once for all pipelines. The future ends when each has run once, or after the time limit.
    pub(super) fn start(this: &Arc<Self>, context: &TransportContext) -> Started {
        let sources = Sources::new(context, this.lookup);
        let (settled, mut first_runs) = watch::channel(0);
        let mut is_first = false;
        this.tasks.get_or_init(|| {
            is_first = true;
            let detectors = this.config.detectors.iter().enumerate();
            let tasks = detectors.map(|(index, kind)| Task {
                detection: Arc::downgrade(this),
                config: this.config.clone(),
                sources: sources.clone(),
                index,
                kind: *kind,
                settled: settled.clone(),
                last_line: None,
            });
            tasks.map(|task| tokio::spawn(task.run().boxed())).collect()
        });
        let (all, timeout) = (this.config.detectors.len(), this.config.timeout);
        Box::pin(async move {
            // The tasks alone tell of an end.
            drop(settled);
            if is_first {
                tokio::select! {
                    _ = first_runs.wait_for(|runs| *runs >= all) => {}
                    () = sources.clock.sleep(timeout) => {}
                }
            }
        })
    }

    /// Counts resources that got the name of this host in place of another. Warns at the first.
    pub(super) fn count_renamed(&self, resources: u64) {
        if resources == 0 {
            return;
        }
        self.stats.get().iter().for_each(|(_, stats)| stats.renamed(resources));
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                processor = self.id(),
                "telemetry of other hosts gets the name of this host: set `override: false` unless all senders run on this host"
            );
        }
    }

    /// The id of the processor.
    fn id(&self) -> &str {
        self.stats.get().map_or("resource_detection", |(id, _)| id)
    }

    /// Takes in what a detector has found.
    fn settle(&self, index: usize, found: Found) {
        let mut parts = self.parts.lock();
        if let Some(part) = parts.get_mut(index) {
            *part = found;
        }
        let mut merged = Found::default();
        parts.iter().for_each(|part| merged.merge(part));
        *self.found.write() = Arc::new(merged);
    }
}

impl Drop for Detection {
    fn drop(&mut self) {
        self.tasks.take().into_iter().flatten().for_each(|task| task.abort());
    }
}

// === impl Task ===

impl Task {
    async fn run(mut self) {
        loop {
            if !self.succeed().await {
                return;
            }
            match self.config.refresh_interval {
                Some(interval) => self.sources.clock.sleep(interval).await,
                None => return,
            }
        }
    }

    /// Runs the detector until it succeeds, or until the settings allow no further run. False if nobody needs it any more.
    async fn succeed(&mut self) -> bool {
        let clock = self.sources.clock.clone();
        let config = self.config.clone();
        let mut backoff = Backoff::new(&config.retry, clock.now());
        loop {
            let begun = clock.now();
            let result = tokio::select! {
                biased;
                result = detect(self.kind, &self.sources, &config) => result,
                () = clock.sleep(config.timeout) => Err(format!("no result within {:?}", config.timeout)),
            };
            let Some(detection) = self.detection.upgrade() else { return false };
            let (took, is_success) = (clock.now().saturating_duration_since(begun), result.is_ok());
            if let Some((_, stats)) = detection.stats.get() {
                stats.ran(self.kind, took, is_success);
            }
            let problem = match result {
                Ok(found) => {
                    detection.settle(self.index, found);
                    None
                }
                Err(problem) => Some(problem),
            };
            self.settled.send_modify(|runs| *runs += 1);
            let Some(problem) = problem else {
                self.tell_success(&detection);
                return true;
            };
            let next =
                config.retry.enabled.then(|| backoff.next(clock.now(), fastrand::f64(), None)).flatten();
            self.tell_failure(&detection, &problem, next.is_some());
            drop(detection);
            match next {
                Some(next) => clock.sleep_until(next).await,
                // The next period is another attempt.
                None => return true,
            }
        }
    }

    /// Logs a failure: the first one, and then one a minute.
    fn tell_failure(&mut self, detection: &Detection, cause: &str, is_retried: bool) {
        let now = self.sources.clock.now();
        if self.last_line.is_some_and(|last| now.saturating_duration_since(last) < LINE_INTERVAL) {
            return;
        }
        self.last_line = Some(now);
        let (processor, detector) = (detection.id(), self.kind.name());
        tracing::warn!(
            processor,
            detector,
            cause,
            is_retried,
            "a detector fails: its attributes are not added"
        );
    }

    fn tell_success(&mut self, detection: &Detection) {
        if self.last_line.take().is_some() {
            let (processor, detector) = (detection.id(), self.kind.name());
            tracing::info!(processor, detector, "a detector works again");
        }
    }
}

/// Time between two lines about failures of one detector.
const LINE_INTERVAL: Duration = Duration::from_secs(60);
