//! Configuration files: the Collector's YAML, in two steps.
//!
//! Text → tree: [`parse`] (positions kept), [`expand`] (`${…}`), [`merge`] (several files, `--set`). Tree → plan:
//! [`check`] takes out the keys that have a rule, decodes each component into the struct that mirrors it and looks up
//! what the pipelines name. Every error knows its file, line and column; secrets are never shown.

pub(crate) mod auth;
mod check;
pub(crate) mod component;
mod decode;
mod duration;
mod expand;
pub(crate) mod exporter;
pub(crate) mod extension;
mod headers;
pub(crate) mod listen;
mod literal;
mod mask;
mod merge;
mod node;
mod parse;
mod pipeline;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod processor;
pub(crate) mod receiver;
pub(crate) mod rules;
mod secret;
pub(crate) mod source;
pub(crate) mod telemetry;
pub(crate) mod tls;

pub(crate) use duration::parse_duration;
pub(crate) use expand::{Lookup, SystemLookup};

use node::Node;
use plan::Plan;
use problem::{Problem, Problems};
use source::Sources;
use std::path::PathBuf;

/// Reads, merges and checks configuration files, then `--set` arguments.
///
/// # Errors
/// All that is wrong, as far as it can be found in one go.
pub(crate) fn load(
    files: &[PathBuf],
    sets: &[String],
    lookup: &dyn Lookup,
    sources: &mut Sources,
) -> Result<Plan, Problems> {
    let root = read(files, sets, lookup, sources)?;
    let mut problems = Problems::default();
    check::check(root, &mut problems).ok_or(problems)
}

fn read(
    files: &[PathBuf],
    sets: &[String],
    lookup: &dyn Lookup,
    sources: &mut Sources,
) -> Result<Node, Problem> {
    let mut root: Option<Node> = None;
    for file in files {
        let name = file.to_string_lossy();
        let text = lookup
            .config(name.strip_prefix("file:").unwrap_or(&name))
            .map_err(|error| Problem::new(format!("cannot read `{name}`: {error}")))?;
        let source = sources.add(name, text.as_str());
        let node = parse::parse(&text, source)?;
        sources.was_read(source);
        lay_over(&mut root, node, lookup, sources)?;
    }
    for (index, set) in sets.iter().enumerate() {
        // Not the argument: it may hold a secret.
        let node = merge::parse_set(set, sources)
            .map_err(|problem| problem.below(&format!("--set argument {}", index + 1)))?;
        lay_over(&mut root, node, lookup, sources)?;
    }
    root.ok_or_else(|| Problem::new("there is no configuration").help("give --config FILE"))
}

fn lay_over(
    root: &mut Option<Node>,
    mut node: Node,
    lookup: &dyn Lookup,
    sources: &mut Sources,
) -> Result<(), Problem> {
    sources.hide_secrets(&node);
    expand::expand(&mut node, sources, lookup)?;
    // Now also what came from other files.
    sources.hide_secrets(&node);
    match root {
        Some(root) => merge::merge(root, node),
        None => *root = Some(node),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
