//! Metrics of queues.

use super::Queue;
use crate::telemetry::{MetricKind, Registration, Registry};
use std::sync::Arc;

/// Registers the metrics of a queue.
pub(crate) fn register_queue(
    queue: &Arc<dyn Queue>,
    registry: &Registry,
    labels: &[(&'static str, &str)],
) -> [Registration; 2] {
    let gauge = |name, help, read: fn(&dyn Queue) -> u64| {
        let queue = Arc::downgrade(queue);
        let read = move || queue.upgrade().map_or(0.0, |queue| read(&*queue) as f64);
        registry.observe(MetricKind::Gauge, name, help, labels, read)
    };
    [
        gauge(
            "otelcol_exporter_queue_size",
            "Size of the sending queue, in the unit of its sizer: batches by default.",
            |queue| queue.size(),
        ),
        gauge(
            "otelcol_exporter_queue_capacity",
            "Largest size of the sending queue, in the unit of its sizer: batches by default.",
            |queue| queue.capacity(),
        ),
    ]
}
