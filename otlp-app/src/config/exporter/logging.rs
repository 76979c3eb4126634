//! The exporter `logging`, which the Collector has given up for `debug`.

use super::local::{DEBUG_RULES, debug};
use crate::config::component::Component;
use crate::config::node::{Entry, Node, Value};
use crate::config::plan::ExporterPlan;
use crate::config::problem::Problems;
use crate::config::rules::{KeyRule, old_name};

/// What a file that uses the exporter is told, beside the rules of `debug`.
pub(crate) const LOGGING_RULES: &[&[KeyRule]] = &[&[old_name("debug")], DEBUG_RULES];

/// The plan of `logging`: that of `debug`, where `loglevel: debug` is `verbosity: detailed`, and all else `normal`.
pub(crate) fn logging(component: &mut Component, problems: &mut Problems) -> Option<ExporterPlan> {
    let settings = &mut component.settings;
    let span = settings.span;
    // Collectors of those days took keys in any case.
    let key = settings.entries().unwrap_or_default().iter().map(|entry| &entry.key);
    let key = key.into_iter().find(|key| key.eq_ignore_ascii_case("loglevel")).cloned();
    let level = key.and_then(|key| settings.remove(&key));
    if settings.is_null() {
        settings.value = Value::Map(Vec::new());
    }
    if settings.get("verbosity").is_none()
        && let Value::Map(entries) = &mut settings.value
    {
        let (key_span, value) = level.map_or((span, None), |level| (level.key_span, Some(level.value)));
        let is_debug = matches!(value.map(|value| value.value),
            Some(Value::Scalar(scalar)) if scalar.text.eq_ignore_ascii_case("debug"));
        let verbosity = if is_debug { "detailed" } else { "normal" };
        entries.push(Entry {
            key: "verbosity".into(),
            key_span,
            value: Node::scalar(verbosity, true, key_span),
        });
    }
    debug(component, problems)
}
