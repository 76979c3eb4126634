//! The processors `attributes` and `resource`: actions, and what they act on.

use super::matching::{Match, match_config};
use crate::config::component::Component;
use crate::config::decode::{decode, given};
use crate::config::literal::Literal;
use crate::config::plan::{ProcessorPlan, ProcessorUse};
use crate::config::problem::{Problem, Problems};
use crate::config::rules::{KeyRule, ignored};
use otlp_service::{
    ActionConfig, ActionError, ActionKind, AttributesProcessor, ConvertTo, ResourceProcessor,
};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of the processor `attributes`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Attributes {
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
struct Resource {
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
    &[ignored("include.regexp", NO_CACHE), ignored("exclude.regexp", NO_CACHE)];

/// The plan of `attributes`.
pub(crate) fn attributes(component: &mut Component, problems: &mut Problems) -> Option<ProcessorPlan> {
    let Attributes { actions, include, exclude } = decode(&component.settings, problems)?;
    let actions = action_configs(component, "actions", actions, problems);
    let matching = match_config(component, [include, exclude], problems);
    let (actions, (matching, only)) = (actions?, matching?);
    match AttributesProcessor::new(&actions, matching) {
        Ok(processor) => {
            Some(ProcessorPlan::Processor(ProcessorUse { processor: Arc::new(processor), only }))
        }
        Err(error) => {
            problems.push(place(component, "actions", error));
            None
        }
    }
}

/// The plan of `resource`.
pub(crate) fn resource(component: &mut Component, problems: &mut Problems) -> Option<ProcessorPlan> {
    let Resource { attributes } = decode(&component.settings, problems)?;
    let actions = action_configs(component, "attributes", attributes, problems)?;
    match ResourceProcessor::new(&actions) {
        Ok(processor) => {
            let only = Vec::new();
            Some(ProcessorPlan::Processor(ProcessorUse { processor: Arc::new(processor), only }))
        }
        Err(error) => {
            problems.push(place(component, "attributes", error));
            None
        }
    }
}

fn action_configs(
    component: &Component,
    list: &str,
    actions: Vec<Action>,
    problems: &mut Problems,
) -> Option<Vec<ActionConfig>> {
    if actions.is_empty() {
        problems.push(component.problem(list, "at least one action is required"));
        return None;
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
                    let problem = component.problem(&path, "it is required");
                    problems.push(problem.choice("", "available", &known));
                    return None;
                }
                problems.push(component.unknown(&path, "action", &action.action, &known));
                return None;
            }
        }
        if let Some(name) = &action.converted_type {
            config.converted_type = ConvertTo::ALL.into_iter().find(|to| to.name() == name);
            if config.converted_type.is_none() {
                let known = ConvertTo::ALL.map(ConvertTo::name);
                let path = format!("{list}.{index}.converted_type");
                problems.push(component.unknown(&path, "type", name, &known));
                return None;
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
    Some(configs)
}

fn place(component: &Component, list: &str, error: ActionError) -> Problem {
    component.problem(&format!("{list}.{}.{}", error.index, error.field), &error.problem)
}

const NO_CACHE: &str = "expressions are compiled once, nothing is cached";
