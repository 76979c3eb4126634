//! Tests of metrics, mostly through the encoded requests.

mod cardinality;
mod declared;
mod exponential;
mod given;
mod histogram;
mod observable;
mod sums;
mod threads;

use super::{MeterSettings, Meters};
use otlp_protocol::view::{Attributes, Metric, Number, RequestView, Scoped};
use otlp_protocol::{Signal, ValidateLimits, count, validate};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Meters that start at time 100, and the problems that they report.
struct Measured {
    meters: Meters,
    problems: Arc<Mutex<Vec<String>>>,
}

impl Measured {
    fn new(set: impl FnOnce(&mut MeterSettings)) -> Self {
        let mut settings = MeterSettings::default();
        set(&mut settings);
        let problems = Arc::<Mutex<Vec<String>>>::default();
        let reported = Arc::clone(&problems);
        let meters = Meters::new(settings, 100, move |problem| reported.lock().push(problem.to_string()));
        Self { meters, problems }
    }

    fn problems(&self) -> Vec<String> {
        std::mem::take(&mut *self.problems.lock())
    }
}

/// Collects a request, which must be valid and have as many points as `collect` says.
fn collect(meters: &Meters, now: u64) -> Vec<u8> {
    let mut request = Vec::new();
    let points = meters.collect(now, &[], "", &mut request);
    validate(Signal::METRICS, &request, &ValidateLimits::default()).unwrap();
    assert_eq!(count(Signal::METRICS, &request).unwrap().items, points);
    assert_eq!(request.is_empty(), points == 0);
    request
}

fn metrics(request: &[u8]) -> impl Iterator<Item = Scoped<'_, Metric<'_>>> {
    RequestView::new(Signal::METRICS, request).metrics()
}

fn text(attributes: Attributes<'_>) -> String {
    let pairs = attributes.iter().map(|pair| format!("{}={:?}", pair.key(), pair.value()));
    pairs.collect::<Vec<_>>().join(" ")
}

/// Values of number points by attributes, with start and time.
fn numbers(request: &[u8], name: &str) -> BTreeMap<String, (Number, u64, u64)> {
    use otlp_protocol::view::DataPoint;
    let of_name = metrics(request).filter(|metric| metric.name() == name);
    let points = of_name.flat_map(|metric| metric.points().collect::<Vec<_>>());
    points
        .filter_map(|point| match point {
            DataPoint::Number(number) => {
                let value = (number.value(), number.start_time_unix_nano(), number.time_unix_nano());
                Some((text(number.attributes()), value))
            }
            _ => None,
        })
        .collect()
}

/// Values of number points by attributes.
fn values(request: &[u8], name: &str) -> BTreeMap<String, Number> {
    numbers(request, name).into_iter().map(|(attributes, (value, ..))| (attributes, value)).collect()
}

/// The only value of a metric.
fn value(request: &[u8], name: &str) -> Option<Number> {
    let values: Vec<_> = values(request, name).into_values().collect();
    assert!(values.len() <= 1, "{values:?}");
    values.first().copied()
}
