//! Redaction of the messages of one request.

use super::body::redact_body;
use super::config::RedactionSummary;
use super::rules::{KeyRule, Place, Rules, ValueRule};
use super::span_name::{database_of, sanitized_name};
use super::stats::Tally;
use super::summary::Summary;
use crate::processor::text::text_of;
use otlp_protocol::view::{AnyValue, Entry};
use otlp_protocol::{AttributeEdits, AttributeValue, Change, Decision, Editor, Item, Part, Signal};
use std::borrow::Cow;

/// Redacts one request.
pub(super) struct RedactionEditor<'a> {
    rules: &'a Rules,
    signal: Signal,
    /// True in requests of log records.
    is_log: bool,
    tally: Tally,
    summary: Summary,
}

// === impl RedactionEditor ===

impl<'a> RedactionEditor<'a> {
    pub(super) fn new(rules: &'a Rules, signal: Signal) -> Self {
        let is_log = matches!(Entry::new(signal, &[]), Entry::LogRecord(_));
        Self { rules, signal, is_log, tally: Tally::default(), summary: Summary::default() }
    }

    /// Returns the numbers of changes.
    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Redacts the attributes of a message.
    fn attributes(&mut self, attributes: &mut AttributeEdits<'_>) -> Decision {
        let (rules, tally, summary) = (self.rules, &mut self.tally, &mut self.summary);
        summary.clear();
        let system = if rules.asks_for_database() { database_of(attributes) } else { String::new() };
        let is_log = self.is_log;
        attributes.for_each(|key, value, replacement| {
            let place = Place::Attribute { key, system: &system, is_log };
            let change = attribute(rules, tally, summary, (key, place), AnyValue::new(value), replacement);
            if rules.is_dry_run() { Change::Keep } else { change }
        });
        if !rules.is_dry_run() {
            summary.write(rules.summary, attributes);
        }
        Decision::Keep
    }

    /// Redacts the body of a log record.
    fn body(&mut self, body: AnyValue<'_>, attributes: &mut AttributeEdits<'_>) {
        self.summary.clear();
        let system = if self.rules.asks_for_database() { database_of(attributes) } else { String::new() };
        let redacted = redact_body(self.rules, &mut self.tally, &mut self.summary, (body, &system));
        if self.rules.is_dry_run() {
            return;
        }
        if let Some(redacted) = redacted {
            attributes.set_value(BODY, &redacted);
        }
        self.summary.write_of_body(self.rules.summary, attributes);
    }
}

impl Editor for RedactionEditor<'_> {
    fn resource(&mut self, _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        self.attributes(attributes)
    }

    fn scope(&mut self, _: &[u8], _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        self.attributes(attributes)
    }

    fn looks_into(&mut self, item: &Item<'_>) -> bool {
        self.rules.may_change_entry(Entry::new(self.signal, item.entry), item.entry)
    }

    fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        self.attributes(attributes);
        match Entry::new(self.signal, item.entry) {
            Entry::LogRecord(record) => self.body(record.body(), attributes),
            Entry::Span(span) => {
                if let Some(name) = sanitized_name(self.rules, &mut self.tally, span, attributes)
                    && !self.rules.is_dry_run()
                {
                    attributes.set_string(NAME, &name);
                }
            }
            _ => {}
        }
        Decision::Keep
    }

    fn shows_parts(&self) -> bool {
        true
    }

    fn part(&mut self, _: &Item<'_>, part: Part<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        if part.field == EVENTS || self.rules.links_and_exemplars {
            self.attributes(attributes);
        }
        Decision::Keep
    }
}

/// Applies the rules to an attribute.
#[inline]
fn attribute(
    rules: &Rules,
    tally: &mut Tally,
    summary: &mut Summary,
    (key, place): (&str, Place<'_>),
    value: AnyValue<'_>,
    replacement: &mut AttributeValue,
) -> Change {
    let shown = rules.summary;
    match rules.key(key, tally) {
        KeyRule::Ignored => {
            summary.ignored.add(RedactionSummary::Silent, String::new);
            return Change::Keep;
        }
        KeyRule::Removed => {
            summary.removed.add(shown, || key.to_owned());
            return Change::Delete;
        }
        KeyRule::Value => {}
    }
    let text = match value {
        AnyValue::String(text) => Cow::Borrowed(text),
        value if rules.redacts_all_types => text_of(value),
        // For the rules, a value that is no string is the empty text.
        _ => Cow::Borrowed(""),
    };
    match rules.value(place, &text, tally) {
        ValueRule::Allowed => {
            summary.allowed.add(shown, || key.to_owned());
            Change::Keep
        }
        ValueRule::Kept => Change::Keep,
        ValueRule::Masked(masked) => {
            summary.masked.add(shown, || key.to_owned());
            replacement.set(masked.as_str());
            Change::Replace
        }
    }
}

/// The name of the list of span events. Links and exemplars are redacted if the settings say so.
const EVENTS: &str = "events";

// Field numbers: `Span.name`, `LogRecord.body`.
const NAME: u32 = 5;
const BODY: u32 = 5;
