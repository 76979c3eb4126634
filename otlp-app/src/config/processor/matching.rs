//! `include` and `exclude`: conditions for the items that a processor acts on.

use crate::config::decode::given;
use crate::config::literal::Literal;
use otlp_protocol::view::AnyValue;
use otlp_service::{
    AttributeMatch, LibraryMatch, MatchConfig, MatchProperties, OnlyFor, Pattern, SPAN_KINDS, SettingsError,
    SeverityMatch, TextMatch, ValueMatch,
};
use serde::Deserialize;

/// Conditions on an item. All that are given must hold, and at least one must be given.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Match {
    /// `strict`: texts are equal; `regexp`: an expression in Go's syntax matches anywhere in them. Required.
    pub(super) match_type: String,
    /// Traces: the resource's `service.name` is one of these.
    pub(super) services: Vec<String>,
    /// Traces: the span's name is one of these.
    pub(super) span_names: Vec<String>,
    /// Traces: the span's kind is one of these: `SPAN_KIND_SERVER`.
    pub(super) span_kinds: Vec<String>,
    /// Logs: the record's body, as a text, is one of these.
    pub(super) log_bodies: Vec<String>,
    /// Logs: the record's severity text is one of these.
    pub(super) log_severity_texts: Vec<String>,
    pub(super) log_severity_number: Option<Severity>,
    /// Metrics: the metric's name is one of these.
    pub(super) metric_names: Vec<String>,
    pub(super) attributes: Vec<Keyed>,
    pub(super) resources: Vec<KeyedResource>,
    pub(super) libraries: Vec<Library>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Severity {
    /// Logs: the lowest severity number that matches.
    pub(super) min: u32,
    /// Logs: records without a severity number match, too. Default false.
    pub(super) match_undefined: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Keyed {
    /// Traces, logs: the item has this attribute; of several, all.
    pub(super) key: String,
    /// Value of the attribute. Default: any value matches.
    #[serde(deserialize_with = "given")]
    pub(super) value: Option<Literal>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeyedResource {
    /// The resource has this attribute; of several, all.
    pub(super) key: String,
    /// Value of the attribute. Default: any value matches.
    #[serde(deserialize_with = "given")]
    pub(super) value: Option<Literal>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Library {
    /// Traces, logs: the scope has this name; of several libraries one matches.
    name: String,
    /// Version of the scope. Default: any version matches.
    #[serde(deserialize_with = "given")]
    version: Option<String>,
}

/// Comparison of texts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MatchType {
    Regexp,
    Strict,
}

/// Makes the tests of one part.
struct Maker {
    /// `include` or `exclude`.
    part: &'static str,
    match_type: MatchType,
}

/// Signals of each key; keys that are not listed are for all signals.
const SIGNALS: &[(&str, &[&str])] = &[
    ("services", &["traces"]),
    ("span_names", &["traces"]),
    ("span_kinds", &["traces"]),
    ("log_bodies", &["logs"]),
    ("log_severity_texts", &["logs"]),
    ("log_severity_number", &["logs"]),
    ("metric_names", &["metrics"]),
    ("attributes", &["traces", "logs"]),
    ("libraries", &["traces", "logs"]),
];

/// Makes the conditions of `include` and `exclude`. Also returns the keys that are for some signals only.
pub(super) fn match_config(given: [Option<Match>; 2]) -> Result<(MatchConfig, Vec<OnlyFor>), SettingsError> {
    let mut only = Vec::new();
    let mut made = [None, None];
    for ((part, given), made) in PARTS.into_iter().zip(given).zip(&mut made) {
        let Some(given) = given else { continue };
        only.extend(only_for(part, &given));
        *made = Some(properties(part, given)?);
    }
    let [include, exclude] = made;
    let mut config = MatchConfig::default();
    (config.include, config.exclude) = (include, exclude);
    Ok((config, only))
}

fn only_for(part: &str, given: &Match) -> Vec<OnlyFor> {
    let keys = SIGNALS.iter().filter(|(key, _)| given.asks(key));
    keys.map(|(key, signals)| OnlyFor { path: format!("{part}.{key}"), signals }).collect()
}

pub(super) fn properties(part: &'static str, given: Match) -> Result<MatchProperties, SettingsError> {
    let match_type = match given.match_type.as_str() {
        "regexp" => MatchType::Regexp,
        "strict" => MatchType::Strict,
        "" => {
            let problem = SettingsError::at(format!("{part}.match_type"), "it is required");
            return Err(problem.help("`strict` or `regexp`"));
        }
        other => {
            let path = format!("{part}.match_type");
            return Err(SettingsError::unknown(path, "match type", other, &["strict", "regexp"]));
        }
    };
    let asks = SIGNALS.iter().any(|(key, _)| given.asks(key)) || !given.resources.is_empty();
    if !asks {
        let known: Vec<_> = SIGNALS.iter().map(|(key, _)| *key).chain(["resources"]).collect();
        let problem = SettingsError::at(part, "no condition is given");
        return Err(problem.help(format!("one of these is required: {}", known.join(", "))));
    }
    Maker { part, match_type }.properties(given)
}

// === impl Match ===

impl Match {
    fn asks(&self, key: &str) -> bool {
        match key {
            "services" => !self.services.is_empty(),
            "span_names" => !self.span_names.is_empty(),
            "span_kinds" => !self.span_kinds.is_empty(),
            "log_bodies" => !self.log_bodies.is_empty(),
            "log_severity_texts" => !self.log_severity_texts.is_empty(),
            "log_severity_number" => self.log_severity_number.is_some(),
            "metric_names" => !self.metric_names.is_empty(),
            "attributes" => !self.attributes.is_empty(),
            _ => !self.libraries.is_empty(),
        }
    }
}

// === impl Maker ===

impl Maker {
    fn properties(self, given: Match) -> Result<MatchProperties, SettingsError> {
        let mut made = MatchProperties::default();
        let unknown = |kind: &String| !SPAN_KINDS.iter().skip(1).any(|known| known == kind);
        if self.match_type == MatchType::Strict
            && let Some(index) = given.span_kinds.iter().position(unknown)
        {
            let path = format!("{}.span_kinds.{index}", self.part);
            let kind = &given.span_kinds[index];
            return Err(SettingsError::unknown(path, "span kind", kind, &SPAN_KINDS[1..]));
        }
        made.services = self.texts("services", &given.services)?;
        made.span_names = self.texts("span_names", &given.span_names)?;
        made.span_kinds = self.texts("span_kinds", &given.span_kinds)?;
        made.log_bodies = self.texts("log_bodies", &given.log_bodies)?;
        made.log_severity_texts = self.texts("log_severity_texts", &given.log_severity_texts)?;
        made.metric_names = self.texts("metric_names", &given.metric_names)?;
        made.log_severity_number = given.log_severity_number.map(|severity| SeverityMatch {
            min: i32::try_from(severity.min).unwrap_or(i32::MAX),
            match_undefined: severity.match_undefined,
        });
        for (index, Keyed { key, value }) in given.attributes.into_iter().enumerate() {
            made.attributes.push(self.attribute(&format!("attributes.{index}"), key, value)?);
        }
        for (index, KeyedResource { key, value }) in given.resources.into_iter().enumerate() {
            made.resources.push(self.attribute(&format!("resources.{index}"), key, value)?);
        }
        for (index, Library { name, version }) in given.libraries.iter().enumerate() {
            let name = self.text(&format!("libraries.{index}.name"), name)?;
            let version =
                version.as_ref().map(|version| self.text(&format!("libraries.{index}.version"), version));
            let version = version.transpose()?;
            made.libraries.push(LibraryMatch { name, version });
        }
        Ok(made)
    }

    fn texts(&self, key: &str, texts: &[String]) -> Result<Vec<TextMatch>, SettingsError> {
        let texts = texts.iter().enumerate();
        texts.map(|(index, text)| self.text(&format!("{key}.{index}"), text)).collect()
    }

    fn text(&self, path: &str, text: &str) -> Result<TextMatch, SettingsError> {
        match self.match_type {
            MatchType::Strict => Ok(TextMatch::Is(text.into())),
            MatchType::Regexp => self.pattern(path, text).map(TextMatch::Matches),
        }
    }

    fn attribute(
        &self,
        path: &str,
        key: String,
        value: Option<Literal>,
    ) -> Result<AttributeMatch, SettingsError> {
        if key.is_empty() {
            return Err(self.wrong(&format!("{path}.key"), "it is required"));
        }
        let value = match (value, self.match_type) {
            (None, _) => None,
            (Some(Literal(value)), MatchType::Strict) => Some(ValueMatch::Is(value)),
            (Some(Literal(value)), MatchType::Regexp) => {
                let path = format!("{path}.value");
                let AnyValue::String(text) = value.view() else {
                    return Err(self.wrong(&path, "an expression must be a text: put it in quotes"));
                };
                Some(ValueMatch::Matches(self.pattern(&path, text)?))
            }
        };
        Ok(AttributeMatch { key: key.into(), value })
    }

    fn pattern(&self, path: &str, text: &str) -> Result<Pattern, SettingsError> {
        Pattern::new(text).map_err(|problem| self.wrong(path, &problem))
    }

    fn wrong(&self, path: &str, problem: &str) -> SettingsError {
        SettingsError::at(format!("{}.{path}", self.part), problem)
    }
}

const PARTS: [&str; 2] = ["include", "exclude"];
