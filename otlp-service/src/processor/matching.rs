//! Selection of items by the Collector's `include` and `exclude`.

use super::pattern::Pattern;
use super::text::{scalar_text, text_of};
use otlp_protocol::AttributeValue;
use otlp_protocol::view::{AnyValue, Entry, KeyValue, Resource, Scope};
use std::borrow::Cow;

/// Selects items that match `include`, if set, and do not match `exclude`, if set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MatchConfig {
    /// Properties of selected items; `None`: all items.
    pub include: Option<MatchProperties>,
    /// Properties of items that are not selected; `None`: no item.
    pub exclude: Option<MatchProperties>,
}

/// Properties of an item. The item matches if all lists that are not empty match.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MatchProperties {
    /// `service.name` of the resource, any of these; `<nil-service-name>` for a resource without `service.name`.
    pub services: Vec<TextMatch>,
    /// Names of spans, any of these.
    pub span_names: Vec<TextMatch>,
    /// Kinds of spans, any of these: `SPAN_KIND_SERVER`.
    pub span_kinds: Vec<TextMatch>,
    /// Bodies of log records, any of these.
    pub log_bodies: Vec<TextMatch>,
    /// Severity texts of log records, any of these.
    pub log_severity_texts: Vec<TextMatch>,
    /// Lowest severity of log records.
    pub log_severity_number: Option<SeverityMatch>,
    /// Names of the metrics of data points, any of these.
    pub metric_names: Vec<TextMatch>,
    /// Attributes of the item, all of these.
    pub attributes: Vec<AttributeMatch>,
    /// Attributes of the resource, all of these.
    pub resources: Vec<AttributeMatch>,
    /// Instrumentation scopes, any of these.
    pub libraries: Vec<LibraryMatch>,
}

/// Condition on a text.
#[derive(Clone, Debug)]
pub enum TextMatch {
    /// The text equals this text.
    Is(Box<str>),
    /// The expression matches anywhere in the text.
    Matches(Pattern),
}

/// Condition on the severity number of a log record.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeverityMatch {
    /// Lowest severity number.
    pub min: i32,
    /// Matches log records without a severity number, too. Default false.
    pub match_undefined: bool,
}

/// Condition on a list of attributes: an attribute with this key exists.
#[derive(Clone, Debug)]
pub struct AttributeMatch {
    /// Key of the attribute.
    pub key: Box<str>,
    /// Condition on the value; `None`: any value.
    pub value: Option<ValueMatch>,
}

/// Condition on an attribute's value.
#[derive(Clone, Debug)]
pub enum ValueMatch {
    /// The value has the same type and is equal; the order of maps does not matter.
    Is(AttributeValue),
    /// The value is a scalar, and the expression matches anywhere in its text.
    Matches(Pattern),
}

/// Condition on an instrumentation scope.
#[derive(Clone, Debug)]
pub struct LibraryMatch {
    /// Condition on the name.
    pub name: TextMatch,
    /// Condition on the version; `None`: any version.
    pub version: Option<TextMatch>,
}

/// Possible matches of the items in a resource, scope or entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    may_include: bool,
    may_exclude: bool,
}

// === impl MatchConfig ===

impl MatchConfig {
    /// Returns true if all items match.
    pub(super) fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Evaluates the conditions on a resource.
    pub(super) fn of_resource(&self, resource: Resource<'_>) -> Selection {
        self.of(|properties| properties.matches_resource(resource))
    }

    /// Evaluates the conditions on a scope, after its resource.
    pub(super) fn of_scope(&self, selection: Selection, scope: Scope<'_>) -> Selection {
        selection.and(|| self.of(|properties| properties.matches_scope(scope)))
    }

    /// Evaluates the conditions on an entry, after its scope.
    pub(super) fn of_entry(&self, selection: Selection, entry: Entry<'_>) -> Selection {
        selection.and(|| self.of(|properties| properties.matches_entry(entry)))
    }

    /// Returns true if an item is selected, after its entry. `matches` tests its attributes.
    pub(super) fn selects(
        &self,
        selection: Selection,
        mut matches: impl FnMut(&AttributeMatch) -> bool,
    ) -> bool {
        let mut has = |properties: &MatchProperties| properties.attributes.iter().all(&mut matches);
        selection.may_include
            && self.include.as_ref().is_none_or(&mut has)
            && !(selection.may_exclude && self.exclude.as_ref().is_some_and(&mut has))
    }

    fn of(&self, matches: impl Fn(&MatchProperties) -> bool) -> Selection {
        Selection {
            may_include: self.include.as_ref().is_none_or(&matches),
            may_exclude: self.exclude.as_ref().is_some_and(&matches),
        }
    }
}

// === impl Selection ===

impl Selection {
    /// The state without any condition.
    pub(super) const ALL: Self = Self { may_include: true, may_exclude: true };

    fn and(self, further: impl FnOnce() -> Self) -> Self {
        if !self.may_include {
            return self;
        }
        let further = further();
        Self { may_include: further.may_include, may_exclude: self.may_exclude && further.may_exclude }
    }
}

// === impl MatchProperties ===

impl MatchProperties {
    fn matches_resource(&self, resource: Resource<'_>) -> bool {
        let service = || resource.attributes().get(SERVICE_NAME).map_or(NO_SERVICE.into(), text_of);
        meets(&self.services, service)
            && self.resources.iter().all(|test| test.matches(resource.attributes().get(&test.key)))
    }

    fn matches_scope(&self, scope: Scope<'_>) -> bool {
        let is_scope = |library: &LibraryMatch| {
            let version = library.version.as_ref();
            library.name.matches(scope.name()) && version.is_none_or(|test| test.matches(scope.version()))
        };
        self.libraries.is_empty() || self.libraries.iter().any(is_scope)
    }

    fn matches_entry(&self, entry: Entry<'_>) -> bool {
        let of_span = !self.span_names.is_empty() || !self.span_kinds.is_empty();
        let of_metric = !self.metric_names.is_empty();
        let of_log = !self.log_bodies.is_empty()
            || !self.log_severity_texts.is_empty()
            || self.log_severity_number.is_some();
        match entry {
            Entry::Span(span) => {
                !of_metric
                    && !of_log
                    && meets(&self.span_names, || span.name().into())
                    && meets(&self.span_kinds, || kind_name(span.kind().number()).into())
            }
            Entry::Metric(metric) => {
                !of_span && !of_log && meets(&self.metric_names, || metric.name().into())
            }
            Entry::LogRecord(record) => {
                !of_span
                    && !of_metric
                    && meets(&self.log_bodies, || text_of(record.body()))
                    && meets(&self.log_severity_texts, || record.severity_text().into())
                    && self
                        .log_severity_number
                        .is_none_or(|test| test.matches(record.severity_number().number()))
            }
            _ => !of_span && !of_metric && !of_log,
        }
    }
}

// === impl TextMatch ===

impl TextMatch {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Is(expected) => **expected == *text,
            Self::Matches(pattern) => pattern.matches(text),
        }
    }
}

// === impl SeverityMatch ===

impl SeverityMatch {
    fn matches(self, number: i32) -> bool {
        if number == 0 { self.match_undefined } else { number >= self.min }
    }
}

// === impl AttributeMatch ===

impl AttributeMatch {
    pub(super) fn matches(&self, value: Option<AnyValue<'_>>) -> bool {
        value.is_some_and(|value| self.value.as_ref().is_none_or(|test| test.matches(value)))
    }
}

// === impl ValueMatch ===

impl ValueMatch {
    fn matches(&self, value: AnyValue<'_>) -> bool {
        match self {
            // Doubles compare as numbers, but inside of arrays and maps by their bits.
            Self::Is(expected) => match (expected.view(), value) {
                (AnyValue::Double(expected), AnyValue::Double(number)) => expected == number,
                (expected, value) => is_alike(expected, value),
            },
            Self::Matches(pattern) => scalar_text(value).is_some_and(|text| pattern.matches(&text)),
        }
    }
}

/// Returns true if there is no condition, or the text meets a condition.
fn meets<'a>(tests: &[TextMatch], text: impl FnOnce() -> Cow<'a, str>) -> bool {
    if tests.is_empty() {
        return true;
    }
    let text = text();
    tests.iter().any(|test| test.matches(&text))
}

/// Compares two values, maps in any order. The work is bounded by the length of `expected`.
fn is_alike(expected: AnyValue<'_>, value: AnyValue<'_>) -> bool {
    match (expected, value) {
        (AnyValue::Double(expected), AnyValue::Double(number)) => expected.to_bits() == number.to_bits(),
        (AnyValue::Array(expected), AnyValue::Array(values)) => {
            expected.count() == values.count()
                && expected.iter().zip(values.iter()).all(|(expected, value)| is_alike(expected, value))
        }
        (AnyValue::Map(expected), AnyValue::Map(entries)) => {
            let has = |attribute: KeyValue<'_>| {
                entries.get(attribute.key()).is_some_and(|value| is_alike(attribute.value(), value))
            };
            expected.count() == entries.count() && expected.iter().all(has)
        }
        (expected, value) => expected == value,
    }
}

fn kind_name(kind: i32) -> &'static str {
    usize::try_from(kind).ok().and_then(|kind| SPAN_KINDS.get(kind)).copied().unwrap_or_default()
}

/// The names of `SpanKind`, by number.
pub const SPAN_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

const SERVICE_NAME: &str = "service.name";

/// The Collector's.
const NO_SERVICE: &str = "<nil-service-name>";

#[cfg(test)]
mod tests;
