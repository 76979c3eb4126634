//! `sending_queue.classes`: what of a queue in files is delivered first, and dropped last.

use super::backlog::SHARE;
use crate::config::ottl::faults;
use otlp_service::{GoDuration, QueueClass, QueueClasses, SettingsError, Share};
use serde::Deserialize;

/// A class of `classes`. The first class takes an item of which a condition holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Class {
    /// Name of the class, which its directory has: 1 to 32 of a to z, 0 to 9, `-` and `_`. `rest` is the class of what no other class
    /// takes; it comes last, and sets limits alone.
    name: String,
    /// Conditions in OTTL of which one is enough, each path with its context: `span.status.code == STATUS_CODE_ERROR`,
    /// `log.severity_number >= 17`, `metric.name == "up"`, `resource.attributes["tier"] == "gold"`.
    conditions: Vec<String>,
    /// Largest part of `max_bytes` that the class takes, more than 0 to 1. Default 1.
    max_share: Option<f64>,
    /// Time after which what waits in the class is dropped. Default: `max_age` of the queue.
    max_age: Option<GoDuration>,
}

// === impl Class ===

impl Class {
    /// Returns checked classes, and adds what is wrong with them; `at` is the path of the list. `None` without classes.
    pub(super) fn all(classes: Vec<Self>, at: &str, wrong: &mut Vec<SettingsError>) -> Option<QueueClasses> {
        if classes.is_empty() {
            return None;
        }
        let classes = classes.into_iter().enumerate().map(|(index, given)| {
            let mut class = QueueClass::new(given.name, given.conditions);
            class.max_age = given.max_age.and_then(GoDuration::given);
            class.max_share = given.max_share.and_then(Share::new);
            if given.max_share.is_some() && class.max_share.is_none() {
                wrong.push(SettingsError::at(format!("{at}.{index}.max_share"), SHARE));
            }
            class
        });
        match QueueClasses::new(classes.collect()) {
            Ok(classes) => Some(classes),
            Err(errors) => {
                for error in errors {
                    let condition = error.condition.map(|index| format!(".conditions.{index}"));
                    let path = format!("{at}.{}{}", error.class, condition.unwrap_or_default());
                    wrong.extend(faults(&path, &error.error));
                }
                None
            }
        }
    }
}
