//! The results of all checks, and their JSON.

use super::{Affects, Health, Since};
use std::fmt::Write;
use std::time::SystemTime;

/// The results of all checks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HealthReport {
    /// The results, in the order in which the checks were added.
    pub checks: Vec<CheckReport>,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Name of the check.
    pub name: String,
    /// Health of the component. The reason has at most 200 characters.
    pub health: Health,
    /// Answers that the check affects.
    pub affects: Affects,
    pub(crate) since: Since,
}

// === impl HealthReport ===

impl HealthReport {
    /// Returns the status of the readiness probe: 503 if a check that affects readiness or liveness is unhealthy, else 200.
    pub fn http_status(&self) -> u16 {
        let fails = |check: &CheckReport| check.affects != Affects::Report && check.is_unhealthy();
        if self.checks.iter().any(fails) { 503 } else { 200 }
    }

    /// Writes the report as JSON: `{"status":"degraded","checks":{"exporter/otlp":{"status":"degraded","reason":"…"}}}`
    ///
    /// The status is that of the worst check, but `degraded` at most for a check that affects the report alone. A check that
    /// does not affect readiness has `"affects":"report"` or `"affects":"liveness"`.
    pub fn to_json(&self) -> String {
        let worst = self.checks.iter().map(CheckReport::effect).max().unwrap_or_default();
        let mut json = format!("{{\"status\":\"{}\",\"checks\":{{", name_of(worst));
        for (index, check) in self.checks.iter().enumerate() {
            json.push_str(if index == 0 { "" } else { "," });
            push_string(&mut json, &check.name);
            json.push_str(":{\"status\":\"");
            json.push_str(check.health.name());
            json.push('"');
            match check.affects {
                Affects::Readiness => {}
                Affects::Liveness => json.push_str(",\"affects\":\"liveness\""),
                Affects::Report => json.push_str(",\"affects\":\"report\""),
            }
            if let Some(reason) = check.health.reason() {
                json.push_str(",\"reason\":");
                push_string(&mut json, reason);
            }
            json.push('}');
        }
        json.push_str("}}");
        json
    }

    /// Returns status and JSON of the liveness probe: 503 if a check that affects liveness is unhealthy, else 200. The JSON has
    /// the unhealthy checks that affect liveness.
    pub fn liveness(&self) -> (u16, String) {
        let fails = |check: &&CheckReport| check.affects == Affects::Liveness && check.is_unhealthy();
        let checks: Vec<_> = self.checks.iter().filter(fails).cloned().collect();
        match checks.is_empty() {
            true => (200, r#"{"status":"healthy"}"#.into()),
            false => (503, Self { checks }.to_json()),
        }
    }
}

// === impl CheckReport ===

impl CheckReport {
    /// Returns the time at which a report first had the health that the check has now.
    pub fn since(&self) -> SystemTime {
        self.since.wall
    }

    pub(crate) fn is_unhealthy(&self) -> bool {
        matches!(self.health, Health::Unhealthy(_))
    }

    /// Rank of the health for the report as a whole.
    fn effect(&self) -> u8 {
        let most = if self.affects == Affects::Report { 1 } else { 2 };
        self.health.rank().min(most)
    }
}

fn name_of(rank: u8) -> &'static str {
    match rank {
        0 => "healthy",
        1 => "degraded",
        _ => "unhealthy",
    }
}

/// Appends a text as a string of JSON.
pub(crate) fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            // A String takes any text.
            control if control.is_control() => drop(write!(json, "\\u{:04x}", u32::from(control))),
            char => json.push(char),
        }
    }
    json.push('"');
}
