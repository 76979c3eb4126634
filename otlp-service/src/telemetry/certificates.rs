//! Expiry of the certificates in use, as a metric.

use super::{MetricKind, Registration, Registry, Sample};
use otlp_transport::TransportContext;
use std::time::SystemTime;

/// Registers `otlp_tls_certificate_expiry_seconds`: negative once a certificate has expired.
pub(crate) fn register_certificates(registry: &Registry, context: &TransportContext) -> Registration {
    let (certificates, clock) = (context.certificates.clone(), context.clock.clone());
    let help = "Seconds until an own certificate or its chain expires; negative after that.";
    registry.observe_each(MetricKind::Gauge, "otlp_tls_certificate_expiry_seconds", help, move || {
        let now = clock.wall();
        let sample = |(side, source, not_after): (&'static str, String, SystemTime)| Sample {
            suffix: "",
            labels: vec![("side", side.to_owned()), ("source", source)],
            value: seconds_until(now, not_after),
        };
        certificates.expiries().into_iter().map(sample).collect()
    })
}

fn seconds_until(now: SystemTime, then: SystemTime) -> f64 {
    match then.duration_since(now) {
        Ok(left) => left.as_secs_f64(),
        Err(past) => -past.duration().as_secs_f64(),
    }
}
