//! Configuration files: the Collector's YAML, in two steps.
//!
//! Text → tree: [`parse`] (positions kept), [`expand`] (`${…}`), [`merge`] (several files, `--set`). Tree → plan:
//! [`check`] takes out the keys that have a rule, decodes each component into the struct that mirrors its settings, and
//! looks up the components that pipelines name. Every error has file, line and column; secrets are never shown.

pub(crate) mod auth;
mod check;
pub(crate) mod component;
pub(crate) mod connector;
mod decode;
mod expand;
pub(crate) mod exporter;
pub(crate) mod extension;
pub(crate) mod files;
pub(crate) mod fingerprint;
mod headers;
mod input;
pub(crate) mod listen;
mod literal;
mod lookup;
mod mask;
mod merge;
mod node;
mod number;
mod ottl;
mod parse;
mod pipeline;
pub(crate) mod plan;
mod print;
pub(crate) mod problem;
pub(crate) mod processor;
pub(crate) mod receiver;
pub(crate) mod rules;
mod secret;
pub(crate) mod source;
pub(crate) mod telemetry;
pub(crate) mod tls;
mod unset;

pub(crate) use lookup::{AllowUnset, Contents, Lookup, Recorded, SystemLookup};

use node::Node;
use otlp_service::PluginManager;
use plan::Plan;
use problem::{Problem, Problems};
use rules::Note;
use serde::de::DeserializeOwned;
use source::Sources;
use std::path::PathBuf;
use unset::Unset;

/// Reads, merges and checks configurations, then `--set` arguments. Components are those of `plugins`.
///
/// # Errors
/// As many errors as can be found at once.
pub(crate) fn load(
    configs: &[PathBuf],
    sets: &[String],
    lookup: &dyn Lookup,
    plugins: &PluginManager,
    sources: &mut Sources,
) -> Result<Plan, Problems> {
    let (root, notes) = merged(configs, sets, lookup, sources)?;
    let printed = print::yaml(&root);
    let mut problems = Problems::default();
    let mut plan = check::check(root, plugins, &mut problems).ok_or(problems)?;
    plan.notes.extend(notes);
    plan.health.set_config(&printed);
    Ok(plan)
}

/// Prints the merged configuration as YAML, without secrets.
///
/// # Errors
/// If a configuration cannot be read. What its keys say is not checked.
pub(crate) fn print(
    configs: &[PathBuf],
    sets: &[String],
    lookup: &dyn Lookup,
    sources: &mut Sources,
) -> Result<String, Problems> {
    merged(configs, sets, lookup, sources).map(|(root, _)| print::yaml(&root))
}

/// Reads a value from a line of JSON, of which YAML is a superset.
///
/// # Errors
/// A text that names the errors in the line.
pub(crate) fn from_json<T: DeserializeOwned>(line: &str) -> Result<T, String> {
    let mut sources = Sources::default();
    let source = sources.add("line", line);
    let mut problems = Problems::default();
    let decoded = match parse::parse(line, source) {
        Ok(node) => decode::decode(&node, &mut problems),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    decoded.ok_or_else(|| problems.render(&sources, false))
}

/// Merges all configurations. Returns the tree, and notes on variables that are not set.
fn merged(
    configs: &[PathBuf],
    sets: &[String],
    lookup: &dyn Lookup,
    sources: &mut Sources,
) -> Result<(Node, Vec<Note>), Problems> {
    let mut unset = Vec::new();
    let root = read(configs, sets, lookup, sources, &mut unset);
    if lookup.allows_unset() {
        return Ok((root?, unset::notes(&unset).collect()));
    }
    let mut problems = Problems::from(unset::problems(&unset, sources));
    match root {
        Ok(root) if problems.is_empty() => return Ok((root, Vec::new())),
        Ok(_) => {}
        Err(problem) => problems.push(problem),
    }
    Err(problems)
}

fn read(
    configs: &[PathBuf],
    sets: &[String],
    lookup: &dyn Lookup,
    sources: &mut Sources,
    unset: &mut Vec<Unset>,
) -> Result<Node, Problem> {
    let mut root: Option<Node> = None;
    for config in configs {
        let (text, source) = input::read(&config.to_string_lossy(), lookup, sources)?;
        let mut node = parse::parse(&text, source)?;
        sources.was_read(source);
        merge::unfold(&mut node);
        lay_over(&mut root, node, lookup, sources, unset)?;
    }
    for (index, set) in sets.iter().enumerate() {
        // The error does not show the argument, which may hold a secret.
        let node = merge::parse_set(set, sources)
            .map_err(|problem| problem.below(&format!("--set argument {}", index + 1)))?;
        lay_over(&mut root, node, lookup, sources, unset)?;
    }
    root.ok_or_else(|| Problem::new("there is no configuration").help("give --config FILE"))
}

fn lay_over(
    root: &mut Option<Node>,
    mut node: Node,
    lookup: &dyn Lookup,
    sources: &mut Sources,
    unset: &mut Vec<Unset>,
) -> Result<(), Problem> {
    sources.hide_secrets(&node);
    expand::expand(&mut node, sources, lookup, unset)?;
    // Also the values that came from variables and other files.
    sources.hide_secrets(&node);
    match root {
        Some(root) => merge::merge(root, node),
        None => *root = Some(node),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
