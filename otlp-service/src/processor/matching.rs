//! Which items a processor acts on: the Collector's `include` and `exclude`.

use super::pattern::Pattern;
use super::text::{scalar_text, text_of};
use otlp_protocol::AttributeEdits;
use otlp_protocol::AttributeValue;
use otlp_protocol::view::{AnyValue, Entry, KeyValue, Resource, Scope};
use std::borrow::Cow;

/// Items that match `include`, if there is one, and do not match `exclude`, if there is one.
#[derive(Clone, Debug, Default)]
pub struct MatchConfig {
    /// What an item must be; `None`: anything.
    pub include: Option<MatchProperties>,
    /// What an item must not be; `None`: nothing.
    pub exclude: Option<MatchProperties>,
}

/// What is asked of an item: each list that is not empty must be met.
#[derive(Clone, Debug, Default)]
pub struct MatchProperties {
    /// The resource's `service.name` is one of these; of a resource without it that is `<nil-service-name>`.
    pub services: Vec<TextMatch>,
    /// It is a span with one of these names.
    pub span_names: Vec<TextMatch>,
    /// It is a span of one of these kinds: `SPAN_KIND_SERVER`.
    pub span_kinds: Vec<TextMatch>,
    /// It is a log record with one of these bodies.
    pub log_bodies: Vec<TextMatch>,
    /// It is a log record with one of these severity texts.
    pub log_severity_texts: Vec<TextMatch>,
    /// It is a log record of at least that severity.
    pub log_severity_number: Option<SeverityMatch>,
    /// It is a point of a metric with one of these names.
    pub metric_names: Vec<TextMatch>,
    /// It has all of these attributes.
    pub attributes: Vec<AttributeMatch>,
    /// Its resource has all of these attributes.
    pub resources: Vec<AttributeMatch>,
    /// Its scope is one of these.
    pub libraries: Vec<LibraryMatch>,
}

/// What is asked of a text.
#[derive(Clone, Debug)]
pub enum TextMatch {
    /// It is that.
    Is(Box<str>),
    /// The expression matches anywhere in it.
    Matches(Pattern),
}

/// What is asked of a log record's severity number.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeverityMatch {
    /// The lowest that will do.
    pub min: i32,
    /// Whether one without a number will do.
    pub match_undefined: bool,
}

/// What is asked of a list of attributes.
#[derive(Clone, Debug)]
pub struct AttributeMatch {
    /// It has that key,
    pub key: Box<str>,
    /// with that value; `None`: with any.
    pub value: Option<ValueMatch>,
}

/// What is asked of an attribute's value.
#[derive(Clone, Debug)]
pub enum ValueMatch {
    /// It is of that type and equal; maps, in whatever order.
    Is(AttributeValue),
    /// It is a scalar, and the expression matches anywhere in its text.
    Matches(Pattern),
}

/// What is asked of a scope.
#[derive(Clone, Debug)]
pub struct LibraryMatch {
    /// Of its name.
    pub name: TextMatch,
    /// Of its version; `None`: nothing.
    pub version: Option<TextMatch>,
}

/// What has been found out so far about the items of a resource or scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    may_include: bool,
    may_exclude: bool,
}

// === impl MatchConfig ===

impl MatchConfig {
    /// Whether everything matches.
    pub(super) fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// What a resource decides.
    pub(super) fn of_resource(&self, resource: Resource<'_>) -> Selection {
        self.of(|properties| properties.matches_resource(resource))
    }

    /// What a scope and an entry leave of that.
    pub(super) fn of_scope(&self, selection: Selection, scope: Scope<'_>) -> Selection {
        selection.and(|| self.of(|properties| properties.matches_scope(scope)))
    }

    /// What an entry leaves of that.
    pub(super) fn of_entry(&self, selection: Selection, entry: Entry<'_>) -> Selection {
        selection.and(|| self.of(|properties| properties.matches_entry(entry)))
    }

    /// Whether to act on an item with these attributes.
    pub(super) fn selects(&self, selection: Selection, attributes: &mut AttributeEdits<'_>) -> bool {
        let mut has = |properties: &MatchProperties| {
            properties.attributes.iter().all(|test| test.matches(attributes.value(&test.key)))
        };
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
    /// What everything has that is not asked for anything.
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
                    && meets(&self.span_kinds, || kind_name(span.kind()).into())
            }
            Entry::Metric(metric) => {
                !of_span && !of_log && meets(&self.metric_names, || metric.name().into())
            }
            Entry::LogRecord(record) => {
                !of_span
                    && !of_metric
                    && meets(&self.log_bodies, || text_of(record.body()))
                    && meets(&self.log_severity_texts, || record.severity_text().into())
                    && self.log_severity_number.is_none_or(|test| test.matches(record.severity_number()))
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
    fn matches(&self, value: Option<AnyValue<'_>>) -> bool {
        value.is_some_and(|value| self.value.as_ref().is_none_or(|test| test.matches(value)))
    }
}

// === impl ValueMatch ===

impl ValueMatch {
    fn matches(&self, value: AnyValue<'_>) -> bool {
        match self {
            // Numbers compare as numbers, but inside of lists as they are encoded.
            Self::Is(expected) => match (expected.view(), value) {
                (AnyValue::Double(expected), AnyValue::Double(number)) => expected == number,
                (expected, value) => is_alike(expected, value),
            },
            Self::Matches(pattern) => scalar_text(value).is_some_and(|text| pattern.matches(&text)),
        }
    }
}

/// Whether nothing is asked, or the text is one that will do.
fn meets<'a>(tests: &[TextMatch], text: impl FnOnce() -> Cow<'a, str>) -> bool {
    if tests.is_empty() {
        return true;
    }
    let text = text();
    tests.iter().any(|test| test.matches(&text))
}

/// Whether two values are equal, maps in whatever order; as much work as the expected one is long.
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
