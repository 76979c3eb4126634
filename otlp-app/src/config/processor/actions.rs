//! The processors `attributes` and `resource`: actions on attributes.

use super::matching::{Match, match_config};
use crate::config::decode::given;
use crate::config::literal::Literal;
use otlp_service::{
    ActionConfig, ActionError, ActionKind, AttributesProcessor, BuildContext, ConvertTo, KeyRule,
    ResourceProcessor, SettingsError, StagePart,
};
use serde::Deserialize;

/// Settings of the processor `attributes`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Attributes {
    /// Actions, in order; at least one.
    actions: Vec<Action>,
    /// Acts only on items that match all conditions given here.
    include: Option<Match>,
    /// Does not act on items that match all conditions given here.
    exclude: Option<Match>,
}

/// Settings of the processor `resource`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Resource {
    /// Actions on each resource, in order; at least one.
    attributes: Vec<Action>,
}

/// One action.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Action {
    /// Key of the attribute. Required, except for `delete` and `hash` with a `pattern`.
    key: String,
    /// `insert`, `update`, `upsert`, `delete`, `hash` (SHA-256), `extract`, `convert`. Required.
    action: String,
    /// Value to set, of any type. `insert`, `update` and `upsert` take one of `value`, `from_attribute`, `from_context`.
    #[serde(deserialize_with = "given")]
    value: Option<Literal>,
    /// Attribute whose value is set.
    from_attribute: Option<String>,
    /// Part of the request whose value is set: `metadata.<header>`, `auth.<attribute>` (the sender's identity), `client.address`.
    from_context: Option<String>,
    /// Value to set if `from_attribute` or `from_context` finds none.
    #[serde(deserialize_with = "given")]
    default_value: Option<Literal>,
    /// Expression in Go's syntax: matches keys for `delete` and `hash`; has named groups for `extract`.
    pattern: Option<String>,
    /// Type into which `convert` turns the value: `int`, `double`, `string`.
    converted_type: Option<String>,
}

/// Keys of the Collector's `attributes` that have no effect here.
pub(crate) const ATTRIBUTES_RULES: &[KeyRule] =
    &[KeyRule::ignored("include.regexp", NO_CACHE), KeyRule::ignored("exclude.regexp", NO_CACHE)];

/// Makes `attributes`.
pub(crate) fn attributes(
    Attributes { actions, include, exclude }: Attributes,
    context: &BuildContext<'_>,
) -> Result<StagePart, SettingsError> {
    let matching = match_config([include, exclude]);
    let actions = action_configs("actions", actions).inspect_err(|_| {
        matching.as_ref().err().into_iter().for_each(|other| context.report(other.clone()));
    })?;
    let (matching, only) = matching?;
    let processor = AttributesProcessor::new(&actions, matching).map_err(|error| place("actions", error))?;
    Ok(StagePart::from(processor).with_only(only))
}

/// Makes `resource`.
pub(crate) fn resource(
    Resource { attributes }: Resource,
    _: &BuildContext<'_>,
) -> Result<ResourceProcessor, SettingsError> {
    let actions = action_configs("attributes", attributes)?;
    ResourceProcessor::new(&actions).map_err(|error| place("attributes", error))
}

fn action_configs(list: &str, actions: Vec<Action>) -> Result<Vec<ActionConfig>, SettingsError> {
    if actions.is_empty() {
        return Err(SettingsError::at(list, "at least one action is required"));
    }
    let mut configs = Vec::with_capacity(actions.len());
    for (index, action) in actions.into_iter().enumerate() {
        let action_name = action.action.to_ascii_lowercase();
        let mut config = ActionConfig::default();
        match ActionKind::ALL.into_iter().find(|kind| kind.name() == action_name) {
            Some(kind) => config.action = kind,
            None => {
                let known = ActionKind::ALL.map(ActionKind::name);
                let path = format!("{list}.{index}.action");
                if action_name.is_empty() {
                    return Err(SettingsError::at(path, "it is required").one_of(&known));
                }
                return Err(SettingsError::unknown(path, "action", &action.action, &known));
            }
        }
        if let Some(name) = &action.converted_type {
            config.converted_type = ConvertTo::ALL.into_iter().find(|to| to.name() == name);
            if config.converted_type.is_none() {
                let known = ConvertTo::ALL.map(ConvertTo::name);
                let path = format!("{list}.{index}.converted_type");
                return Err(SettingsError::unknown(path, "type", name, &known));
            }
        }
        config.key = action.key;
        config.value = action.value.map(|Literal(value)| value);
        config.default_value = action.default_value.map(|Literal(value)| value);
        config.from_attribute = action.from_attribute;
        config.from_context = action.from_context;
        config.pattern = action.pattern;
        configs.push(config);
    }
    Ok(configs)
}

fn place(list: &str, error: ActionError) -> SettingsError {
    SettingsError::at(format!("{list}.{}.{}", error.index, error.field), error.problem)
}

const NO_CACHE: &str = "expressions are compiled once, nothing is cached";
