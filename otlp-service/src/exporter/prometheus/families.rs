//! The metrics that are shown, by name, each with its series.

use super::value::{Outcome, Point};
use otlp_protocol::AggregationTemporality;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Metrics by name.
#[derive(Debug)]
pub(super) struct Families {
    by_name: BTreeMap<Arc<str>, Family>,
    /// Labels of `target_info` by job and instance.
    targets: BTreeMap<(String, String), Target>,
    series: usize,
    max_series: usize,
    /// Time after which a series without a new point is removed; zero: never.
    expiration: Duration,
}

/// A metric.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) help: Box<str>,
    pub(super) kind: Kind,
    /// By labels as text.
    series: HashMap<Arc<str>, Series>,
}

/// Type of a metric in Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

#[derive(Debug)]
struct Series {
    point: Point,
    updated: Instant,
}

/// Attributes of a resource.
#[derive(Debug)]
struct Target {
    labels: Box<str>,
    updated: Instant,
}

/// What a point says of its metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading<'a> {
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    pub(super) kind: Kind,
    pub(super) temporality: AggregationTemporality,
}

/// Why a point is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The metric has another type.
    OtherType(Kind),
    /// The number of series has reached `max_series`.
    Full,
    /// A delta that overlaps the one before.
    Overlapping,
}

// === impl Families ===

impl Families {
    pub(super) fn new(max_series: usize, expiration: Duration) -> Self {
        Self { by_name: BTreeMap::new(), targets: BTreeMap::new(), series: 0, max_series, expiration }
    }

    /// Takes a point of the series with these labels. A point that is older than the last one is taken for known.
    pub(super) fn take(
        &mut self,
        heading: &Heading<'_>,
        labels: &str,
        point: Point,
        now: Instant,
    ) -> Result<(), Refusal> {
        let is_full = self.series >= self.max_series;
        if !self.by_name.contains_key(heading.name) {
            if is_full {
                return Err(Refusal::Full);
            }
            let family = Family { help: heading.help.into(), kind: heading.kind, series: HashMap::default() };
            self.by_name.insert(heading.name.into(), family);
        }
        let Some(family) = self.by_name.get_mut(heading.name) else { return Ok(()) };
        if family.kind != heading.kind {
            return Err(Refusal::OtherType(family.kind));
        }
        if let Some(series) = family.series.get_mut(labels) {
            return match series.point.take(point, heading.temporality) {
                Outcome::Overlapping => Err(Refusal::Overlapping),
                Outcome::Old => Ok(()),
                Outcome::Taken => {
                    series.updated = now;
                    Ok(())
                }
            };
        }
        if is_full {
            return Err(Refusal::Full);
        }
        family.series.insert(labels.into(), Series { point, updated: now });
        self.series += 1;
        Ok(())
    }

    /// Removes a series whose source says that it has no value any more.
    pub(super) fn end(&mut self, name: &str, labels: &str) {
        let Some(family) = self.by_name.get_mut(name) else { return };
        self.series -= usize::from(family.series.remove(labels).is_some());
        if family.series.is_empty() {
            self.by_name.remove(name);
        }
    }

    /// Takes the attributes of a resource, as labels.
    pub(super) fn target(&mut self, job: &str, instance: &str, labels: &str, now: Instant) {
        let key = (job.to_owned(), instance.to_owned());
        if self.targets.len() >= self.max_series && !self.targets.contains_key(&key) {
            return;
        }
        let target = self.targets.entry(key).or_insert_with(|| Target { labels: "".into(), updated: now });
        target.updated = now;
        if *target.labels != *labels {
            target.labels = labels.into();
        }
    }

    /// Removes what had no new point for too long.
    pub(super) fn expire(&mut self, now: Instant) {
        let Some(before) = now.checked_sub(self.expiration).filter(|_| !self.expiration.is_zero()) else {
            return;
        };
        self.by_name.retain(|_, family| {
            family.series.retain(|_, series| series.updated >= before);
            !family.series.is_empty()
        });
        self.targets.retain(|_, target| target.updated >= before);
        self.series = self.by_name.values().map(|family| family.series.len()).sum();
    }

    /// The metric after a name, with the labels of its series.
    pub(super) fn after(&self, name: Option<&str>) -> Option<(Arc<str>, Vec<Arc<str>>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let start = name.map_or(Unbounded, Excluded);
        let (name, family) = self.by_name.range::<str, _>((start, Unbounded)).next()?;
        let mut labels: Vec<_> = family.series.keys().cloned().collect();
        labels.sort_unstable();
        Some((name.clone(), labels))
    }

    pub(super) fn family(&self, name: &str) -> Option<&Family> {
        self.by_name.get(name)
    }

    /// The labels of `target_info`.
    pub(super) fn targets(&self) -> impl Iterator<Item = &str> {
        self.targets.values().map(|target| &*target.labels)
    }

    pub(super) fn series(&self) -> usize {
        self.series
    }
}

// === impl Family ===

impl Family {
    pub(super) fn point(&self, labels: &str) -> Option<&Point> {
        self.series.get(labels).map(|series| &series.point)
    }
}

// === impl Kind ===

impl Kind {
    /// The type in both text formats; OpenMetrics calls untyped metrics unknown.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}

#[cfg(test)]
mod tests;
