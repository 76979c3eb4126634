//! The processor `transform`: statements in OTTL.

use crate::config::ottl::{Mode, faults};
use otlp_protocol::Signal;
use otlp_service::{
    BuildContext, KeyRule, SettingsError, StagePart, TransformConfig, TransformGroup, TransformProcessor,
};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;

/// Settings of the processor `transform`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Transform {
    /// Mode for errors of statements and conditions. `ignore` and `silent`: the statement changes nothing and the next statement runs,
    /// and `ignore` logs the first error of each statement. `propagate`: the request fails unchanged. Default ignore.
    error_mode: Mode,
    /// Statements about resources, scopes, spans and span events, in OTTL. A list of statements, whose paths have contexts
    /// (`span.name`) and which are one group; or a list of groups `{context, conditions, statements, error_mode, shared_cache}`, which
    /// run one after the other, each over the whole request.
    trace_statements: Vec<Statements>,
    /// Statements about resources, scopes, metrics, data points and exemplars; like `trace_statements`.
    metric_statements: Vec<Statements>,
    /// Statements about resources, scopes and log records; like `trace_statements`.
    log_statements: Vec<Statements>,
    /// Statements about resources and scopes of profiles; like `trace_statements`.
    profile_statements: Vec<Statements>,
    /// Runs and counts the statements, and changes nothing. Default false. Not a key of the Collector.
    dry_run: bool,
    /// Makes `set` leave its target unchanged if the value is nil, as Collectors before v0.161 do. Default false: nil empties an
    /// attribute, a body or a map, and is an error for other fields. Not a key of the Collector.
    ignore_nil: bool,
}

/// A statement, or a group of statements of one context.
#[derive(Debug)]
enum Statements {
    Group(Group),
    One(String),
}

/// Statements of one context.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Group {
    /// Context of paths without a context.
    context: Option<String>,
    /// Conditions of which one is enough for the statements to run.
    conditions: Vec<String>,
    statements: Vec<String>,
    /// Mode for errors of this group. Default: `error_mode` of the processor.
    error_mode: Option<Mode>,
    /// One scratch map for all messages of a request.
    shared_cache: bool,
}

/// Keys of the Collector's `transform` that are not supported.
pub(crate) const TRANSFORM_RULES: &[KeyRule] = &[KeyRule::refused("flatten_data", NO_FLATTENING)];

/// Makes `transform`.
pub(crate) fn transform(
    transform: Transform,
    context: &BuildContext<'_>,
) -> Result<StagePart, SettingsError> {
    let mut config = TransformConfig::default();
    (config.is_dry_run, config.ignores_nil) = (transform.dry_run, transform.ignore_nil);
    for (signal, path, entries) in [
        (Signal::TRACES, "trace_statements", transform.trace_statements),
        (Signal::METRICS, "metric_statements", transform.metric_statements),
        (Signal::LOGS, "log_statements", transform.log_statements),
        (Signal::PROFILES, "profile_statements", transform.profile_statements),
    ] {
        config.groups.extend(grouped(signal, path, entries, transform.error_mode)?);
    }
    match TransformProcessor::new(config) {
        Ok(processor) => {
            for (path, remark) in processor.remarks() {
                context.note(SettingsError::at(path, remark));
            }
            Ok(StagePart::from(processor))
        }
        Err(errors) => {
            context.check(errors.iter().flat_map(|error| faults(&error.path, &error.error)))?;
            Err(SettingsError::new("the statements are wrong"))
        }
    }
}

/// Makes groups of the statements of one key: single statements are one group.
fn grouped(
    signal: Signal,
    path: &str,
    entries: Vec<Statements>,
    mode: Mode,
) -> Result<Vec<TransformGroup>, SettingsError> {
    let mut single = TransformGroup::new(signal, Vec::<String>::new());
    single.error_mode = mode.into();
    path.clone_into(&mut single.path);
    let mut groups = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Statements::One(_) if !groups.is_empty() => return Err(mixed(path, index)),
            Statements::One(text) => single.statements.push(text),
            Statements::Group(_) if !single.statements.is_empty() => return Err(mixed(path, index)),
            Statements::Group(entry) => {
                let mut group = TransformGroup::new(signal, entry.statements);
                group.context = entry.context.filter(|context| !context.is_empty());
                group.conditions = entry.conditions;
                group.error_mode = entry.error_mode.unwrap_or(mode).into();
                group.shares_cache = entry.shared_cache;
                group.path = format!("{path}.{index}.statements");
                groups.push(group);
            }
        }
    }
    if !single.statements.is_empty() {
        groups.push(single);
    }
    Ok(groups)
}

fn mixed(path: &str, index: usize) -> SettingsError {
    let problem = "single statements and groups do not go together in one list";
    SettingsError::at(format!("{path}.{index}"), problem)
        .help("put the statements into a group: `{statements: […]}`")
}

// === impl Statements ===

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrGroup;
        impl<'de> Visitor<'de> for TextOrGroup {
            type Value = Statements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a statement, or a group {context, conditions, statements, error_mode, shared_cache}",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Statements, E> {
                Ok(Statements::One(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Statements, A::Error> {
                Group::deserialize(MapAccessDeserializer::new(map)).map(Statements::Group)
            }
        }
        deserializer.deserialize_any(TextOrGroup)
    }
}

const NO_FLATTENING: &str = "resources and scopes are not copied for each log record; remove the key";
