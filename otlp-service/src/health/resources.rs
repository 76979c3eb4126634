//! Health checks of resources: memory budget, file descriptors, own certificates, sending queues. All but expired certificates
//! are degraded when they fail.

use super::{Health, HealthCheck};
use crate::queue::Queue;
use crate::telemetry::descriptors;
use otlp_protocol::ByteBudget;
use otlp_transport::{Certificates, Clock};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Degraded while more than a share of the byte budget is used.
pub(crate) struct MemoryCheck {
    pub(crate) budget: ByteBudget,
    pub(crate) percent: u8,
}

/// Degraded while more than a share of the file descriptors is open. Healthy where the numbers are not known. The system is asked
/// once a second at most: counting open descriptors takes long if there are many, and calls of `Watch` ask all the time.
pub(crate) struct DescriptorsCheck {
    percent: u8,
    clock: Arc<dyn Clock>,
    /// The last numbers, and when they were asked for.
    known: Mutex<Option<(Instant, Descriptors)>>,
}

/// Open descriptors and their limit; `None` where they are not known.
type Descriptors = Option<(u64, u64)>;

/// Degraded some days before an own certificate expires, unhealthy from then on.
pub(crate) struct CertificatesCheck {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) days: u32,
}

/// Degraded while one of an exporter's queues is fuller than a share.
pub(crate) struct QueuesCheck {
    /// `queue/` and the exporter's id.
    pub(crate) name: String,
    /// By name of the signal.
    pub(crate) queues: NamedQueues,
    pub(crate) percent: u8,
}

/// Queues by the names of their signals.
pub(crate) type NamedQueues = Vec<(&'static str, Weak<dyn Queue>)>;

impl HealthCheck for MemoryCheck {
    fn name(&self) -> &str {
        "memory"
    }

    fn check(&self) -> Health {
        let (used, limit) = (self.budget.used(), self.budget.limit());
        match is_over(used, limit, self.percent) {
            false => Health::Healthy,
            true => Health::Degraded(format!(
                "{} of the {} MiB of the memory budget are used: from the whole budget on, requests are refused",
                used >> 20,
                limit >> 20
            )),
        }
    }
}

// === impl DescriptorsCheck ===

impl DescriptorsCheck {
    pub(crate) fn new(percent: u8, clock: Arc<dyn Clock>) -> Self {
        Self { percent, clock, known: Mutex::default() }
    }

    fn descriptors(&self) -> Descriptors {
        let now = self.clock.now();
        let mut known = self.known.lock();
        match *known {
            Some((at, numbers)) if now < at + DESCRIPTORS_INTERVAL => numbers,
            _ => known.insert((now, descriptors())).1,
        }
    }
}

impl HealthCheck for DescriptorsCheck {
    fn name(&self) -> &str {
        "descriptors"
    }

    fn check(&self) -> Health {
        match self.descriptors() {
            Some((open, max)) if is_over(open, max, self.percent) => Health::Degraded(format!(
                "{open} of {max} file descriptors are open: raise the limit of open files"
            )),
            _ => Health::Healthy,
        }
    }
}

impl HealthCheck for CertificatesCheck {
    fn name(&self) -> &str {
        "certificates"
    }

    fn check(&self) -> Health {
        let now = self.clock.wall();
        let soonest = self.certificates.expiries().into_iter().min_by_key(|(.., not_after)| *not_after);
        let Some((side, source, not_after)) = soonest else { return Health::Healthy };
        match not_after.duration_since(now) {
            Err(past) => Health::Unhealthy(format!(
                "the {side} certificate {source} expired {} ago",
                days(past.duration())
            )),
            Ok(left) if left <= DAY * self.days => {
                Health::Degraded(format!("the {side} certificate {source} expires in {}", days(left)))
            }
            Ok(_) => Health::Healthy,
        }
    }
}

impl HealthCheck for QueuesCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        let full = self.queues.iter().filter_map(|(signal, queue)| {
            let queue = queue.upgrade()?;
            let (size, capacity, unit) = (queue.size(), queue.capacity(), queue.sizer().noun());
            is_over(size, capacity, self.percent)
                .then(|| format!("{signal}: {size} of {capacity} {unit} are in the queue"))
        });
        let full: Vec<_> = full.collect();
        if full.is_empty() { Health::Healthy } else { Health::Degraded(full.join("; ")) }
    }
}

/// True if `used` is more than `percent` of `limit`.
fn is_over(used: u64, limit: u64, percent: u8) -> bool {
    u128::from(used) * 100 > u128::from(limit) * u128::from(percent)
}

fn days(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    if hours < 48 { format!("{hours} h") } else { format!("{} days", hours / 24) }
}

/// Time between two questions for the number of open descriptors.
const DESCRIPTORS_INTERVAL: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests;
