//! The processors `attributes` and `resource`: actions, and what they act on.

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
    /// What to do, in order; at least one.
    actions: Vec<Action>,
    /// Acts only on what matches all that is given here.
    include: Option<Match>,
    /// Leaves alone what matches all that is given here.
    exclude: Option<Match>,
}

/// Settings of the processor `resource`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Resource {
    /// What to do to each resource, in order; at least one.
    attributes: Vec<Action>,
}

/// One action.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Action {
    /// Which attribute. Required; `delete` and `hash` do without if there is a `pattern`.
    key: String,
    /// `insert`, `update`, `upsert`, `delete`, `hash` (SHA-256), `extract`, `convert`. Required.
    action: String,
    /// The value to put there, of any type. `insert`, `update` and `upsert` take one of this and the next three.
    #[serde(deserialize_with = "given")]
    value: Option<Literal>,
    /// The attribute whose value to put there.
    from_attribute: Option<String>,
    /// What of the request to put there: `metadata.<header>`, `auth.<attribute>` (who the sender proved to be), `client.address`.
    from_context: Option<String>,
    /// The value to put there if there is none otherwise.
    #[serde(deserialize_with = "given")]
    default_value: Option<Literal>,
    /// Expression in Go's syntax: of keys for `delete` and `hash`, with named groups for `extract`.
    pattern: Option<String>,
    /// What `convert` makes of the value: `int`, `double`, `string`.
    converted_type: Option<String>,
}

/// Keys of `attributes` that mean nothing here.
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
