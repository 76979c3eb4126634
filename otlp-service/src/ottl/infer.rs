//! Inference of a context from the names that statements use.

use super::ast::Names;
use super::constant::{constant, names};
use super::context::Context;
use super::function::function;

/// Returns the context of texts with these names, among `allowed`.
///
/// The first context in the order of inference counts, among the prefixes of paths. If it lacks a function or a constant, the first
/// other context that reaches it and lacks none.
///
/// # Errors
/// The name that is missing.
pub(crate) fn infer(used: &Names<'_>, allowed: &[Context]) -> Result<Context, String> {
    let has_prefix =
        |context: &Context| used.prefixes.iter().any(|prefix| Context::named(prefix) == Some(*context));
    let named = Context::ALL.into_iter().find(has_prefix).or_else(|| {
        // The properties of the request are the same for all items.
        used.prefixes.contains(&REQUEST).then_some(Context::Resource)
    });
    let Some(named) = named else {
        let names: Vec<_> = allowed.iter().map(|context| context.name()).collect();
        return Err(format!(
            "no path has a context in front, which tells what the text is about: {}",
            names.join(", ")
        ));
    };
    if !allowed.contains(&named) {
        return Err(format!("there is no {} here", named.name()));
    }
    let lacks = |context: Context| lacking(used, context);
    let Some(missing) = lacks(named) else { return Ok(named) };
    let below = Context::ALL
        .into_iter()
        .filter(|context| *context != named && allowed.contains(context) && context.reach().has(named));
    match below.into_iter().find(|context| lacks(*context).is_none()) {
        Some(context) => Ok(context),
        // The checker reports unknown names one by one, with their places.
        None if missing.is_unknown => Ok(named),
        None => Err(format!("the context {}, which the paths name, has no {}", named.name(), missing.name)),
    }
}

/// A name that a context lacks.
struct Missing<'n> {
    name: &'n str,
    is_unknown: bool,
}

fn lacking<'n>(used: &Names<'n>, context: Context) -> Option<Missing<'n>> {
    let functions = used.functions.iter().filter_map(|name| match function(name) {
        None => Some(Missing { name, is_unknown: true }),
        Some(function) if !function.contexts.has(context) => Some(Missing { name, is_unknown: false }),
        Some(_) => None,
    });
    let constants = used.constants.iter().filter_map(|name| {
        // The bare name of a converter is no constant.
        let is_missing = constant(name, context).is_none() && function(name).is_none();
        let is_unknown =
            || !Context::ALL.into_iter().any(|context| names(context).iter().any(|known| known == name));
        is_missing.then(|| Missing { name, is_unknown: is_unknown() })
    });
    functions.chain(constants).next()
}

/// Prefix of the paths to properties of the request.
pub(crate) const REQUEST: &str = "otelcol";
