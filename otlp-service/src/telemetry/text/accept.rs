//! The header `accept` of a request for metrics.

/// Weights of the two formats in thousandths; 0: not accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) open_metrics: u16,
    pub(super) plain: u16,
}

/// Reads the weights. Without the header, everything is accepted. OpenMetrics must be named: wildcards stand for plain text.
pub(super) fn weights(accept: &str) -> Weights {
    let mut weights = Weights::default();
    if accept.trim().is_empty() {
        weights.plain = FULL;
    }
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut weight = FULL;
        let mut version = "";
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim() {
                "q" => weight = thousandths(value.trim()),
                "version" => version = value.trim().trim_matches('"'),
                _ => {}
            }
        }
        match &*media_type {
            "application/openmetrics-text" if matches!(version, "" | "1.0.0") => {
                weights.open_metrics = weights.open_metrics.max(weight);
            }
            "text/plain" if matches!(version, "" | "0.0.4") => weights.plain = weights.plain.max(weight),
            "text/*" | "*/*" => weights.plain = weights.plain.max(weight),
            _ => {}
        }
    }
    weights
}

/// Reads a weight from 0 to 1. A weight that is no number counts as 0.
fn thousandths(weight: &str) -> u16 {
    let weight = weight.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
    // NaN becomes 0.
    (weight * f32::from(FULL)) as u16
}

const FULL: u16 = 1000;
