//! The processor `span`.

use super::matching::{Match, match_config};
use otlp_protocol::StatusCode;
use otlp_service::{
    BuildContext, NameRules, OnlyFor, Pattern, SettingsError, SpanConfig, SpanProcessor, SpanStatus,
    StagePart,
};
use serde::Deserialize;

/// Settings of the processor `span`. One of `name.from_attributes`, `name.to_attributes` and `status` is required.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Span {
    /// Acts only on spans that match all conditions given here.
    include: Option<Match>,
    /// Does not act on spans that match all conditions given here.
    exclude: Option<Match>,
    /// Names of spans.
    name: Name,
    /// Status to set.
    status: Option<Status>,
}

/// Settings of `name`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Name {
    /// Keys of attributes whose values, joined, become the name; a span without one of them keeps its name.
    from_attributes: Vec<String>,
    /// Text between the values. Default none.
    separator: String,
    /// Makes attributes of the name, after `from_attributes`.
    to_attributes: Option<ToAttributes>,
}

/// Settings of `to_attributes`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ToAttributes {
    /// Expressions in Go's syntax, in order: each group of one that matches becomes an attribute of the group's name, and is replaced
    /// in the name by the group's name in braces.
    rules: Vec<String>,
    /// Uses no expression behind the first that matches. Default false.
    break_after_match: bool,
    /// Leaves the name as it was. Default false.
    keep_original_name: bool,
}

/// Settings of `status`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Status {
    /// `Ok`, `Error` or `Unset`. Required.
    code: String,
    /// Description, for `Error` alone.
    description: String,
}

/// Makes `span`.
pub(crate) fn span(given: Span, context: &BuildContext<'_>) -> Result<StagePart, SettingsError> {
    let Span { include, exclude, name, status } = given;
    let rules = name.to_attributes.as_ref().map_or(0, |to| to.rules.len());
    if name.from_attributes.is_empty() && rules == 0 && status.is_none() {
        let problem = "one of name.from_attributes, name.to_attributes.rules and status is required";
        return Err(SettingsError::new(problem));
    }
    let mut config = SpanConfig::default();
    (config.from_attributes, config.separator) = (name.from_attributes, name.separator);
    config.to_attributes = name.to_attributes.map(|to| to.rules(context)).transpose()?;
    config.status = status.map(Status::status).transpose()?;
    let (matching, mut only) = match_config([include, exclude])?;
    config.matching = matching;
    only.insert(0, OnlyFor { path: String::new(), signals: &["traces"] });
    Ok(StagePart::from(SpanProcessor::new(config)).with_only(only))
}

// === impl ToAttributes ===

impl ToAttributes {
    fn rules(self, context: &BuildContext<'_>) -> Result<NameRules, SettingsError> {
        let mut rules = NameRules::default();
        (rules.break_after_match, rules.keep_original_name) =
            (self.break_after_match, self.keep_original_name);
        let mut wrong = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            match Pattern::new(rule) {
                Ok(pattern) => rules.rules.push(pattern),
                Err(fault) => {
                    wrong.push(SettingsError::at(format!("name.to_attributes.rules.{index}"), fault))
                }
            }
        }
        context.check(wrong)?;
        Ok(rules)
    }
}

// === impl Status ===

impl Status {
    fn status(self) -> Result<SpanStatus, SettingsError> {
        let Self { code: name, description } = self;
        let code = CODES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code);
        let known = CODES.map(|(known, _)| known);
        let code = code.ok_or_else(|| SettingsError::unknown("status.code", "code", &name, &known))?;
        if !description.is_empty() && code != StatusCode::Error {
            return Err(SettingsError::at("status.description", "only the code `Error` has a description"));
        }
        Ok(SpanStatus { code, description })
    }
}

const CODES: [(&str, StatusCode); 3] =
    [("Unset", StatusCode::Unset), ("Ok", StatusCode::Ok), ("Error", StatusCode::Error)];
