//! Attributes that tell what was done, by the Collector's names.

use super::config::RedactionSummary;
use otlp_protocol::AttributeEdits;
use otlp_protocol::view::AnyValue;

/// Keys that were removed, masked and kept in one message, or in one log body.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) removed: Keys,
    pub(super) masked: Keys,
    pub(super) allowed: Keys,
    pub(super) ignored: Keys,
}

/// Keys of which something was done. The keys themselves are kept only if they are shown.
#[derive(Debug, Default)]
pub(super) struct Keys {
    count: i64,
    keys: Vec<String>,
}

/// Attributes of a list of keys: the keys, and their number.
type Names = (Option<&'static str>, &'static str);

// === impl Summary ===

impl Summary {
    pub(super) fn clear(&mut self) {
        for keys in [&mut self.removed, &mut self.masked, &mut self.allowed, &mut self.ignored] {
            keys.count = 0;
            keys.keys.clear();
        }
    }

    /// Writes the attributes of a summary of attributes.
    pub(super) fn write(&mut self, summary: RedactionSummary, attributes: &mut AttributeEdits<'_>) {
        self.write_as(summary, attributes, ATTRIBUTES);
    }

    /// Writes the attributes of a summary of a log body.
    pub(super) fn write_of_body(&mut self, summary: RedactionSummary, attributes: &mut AttributeEdits<'_>) {
        self.write_as(summary, attributes, BODY);
    }

    fn write_as(
        &mut self,
        summary: RedactionSummary,
        attributes: &mut AttributeEdits<'_>,
        names: [Names; 4],
    ) {
        let all = [&mut self.removed, &mut self.masked, &mut self.allowed, &mut self.ignored];
        for (keys, names) in all.into_iter().zip(names) {
            keys.write(summary, attributes, names);
        }
    }
}

// === impl Keys ===

impl Keys {
    #[inline]
    pub(super) fn add(&mut self, summary: RedactionSummary, key: impl FnOnce() -> String) {
        self.count += 1;
        if summary == RedactionSummary::Debug {
            self.keys.push(key());
        }
    }

    fn write(&mut self, summary: RedactionSummary, attributes: &mut AttributeEdits<'_>, names: Names) {
        if self.count == 0 || summary == RedactionSummary::Silent {
            return;
        }
        let (list, count) = names;
        if let Some(list) = list.filter(|_| summary == RedactionSummary::Debug) {
            if let Some(AnyValue::String(before)) = attributes.value(list).filter(|value| *value != "".into())
            {
                self.keys.extend(before.split(',').map(str::to_owned));
            }
            self.keys.sort_unstable();
            attributes.upsert(list, self.keys.join(",").as_str());
        }
        let before = match attributes.value(count) {
            Some(AnyValue::Int(before)) => before,
            _ => 0,
        };
        attributes.upsert(count, self.count.wrapping_add(before));
    }
}

/// Keys that are allowed beside those of the settings: a summary of an earlier processor stays.
pub(super) const KEPT_KEYS: [&str; 5] = [
    "redaction.redacted.keys",
    "redaction.redacted.count",
    "redaction.masked.keys",
    "redaction.masked.count",
    "redaction.ignored.count",
];

const ATTRIBUTES: [Names; 4] = [
    (Some("redaction.redacted.keys"), "redaction.redacted.count"),
    (Some("redaction.masked.keys"), "redaction.masked.count"),
    (Some("redaction.allowed.keys"), "redaction.allowed.count"),
    (None, "redaction.ignored.count"),
];

const BODY: [Names; 4] = [
    (Some("redaction.body.redacted.keys"), "redaction.body.redacted.count"),
    (Some("redaction.body.masked.keys"), "redaction.body.masked.count"),
    (Some("redaction.body.allowed.keys"), "redaction.body.allowed.count"),
    (None, "redaction.body.ignored.count"),
];
