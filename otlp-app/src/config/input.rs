//! Reads the argument of `--config`: a file, an environment variable that holds YAML, or YAML itself.

use super::lookup::Lookup;
use super::problem::Problem;
use super::source::{SourceId, Sources};

/// Returns the text of the argument `given`, and the source that it was added as.
pub(super) fn read(
    given: &str,
    lookup: &dyn Lookup,
    sources: &mut Sources,
) -> Result<(String, SourceId), Problem> {
    let (name, text) = match given.split_once(':') {
        Some(("env", name)) => (given, variable(name, lookup)?),
        Some(("file", path)) => (path, file(path, lookup)?),
        Some(("http" | "https", _)) => {
            let problem = Problem::new("--config: a configuration cannot be read over HTTP");
            return Err(problem
                .help("download the configuration and give the file, or give a pipe: --config <(curl …)"));
        }
        // The name is not the argument, which may hold a secret.
        Some(("yaml", text)) => ("yaml", text.to_owned()),
        _ => (given, file(given, lookup)?),
    };
    let source = sources.add(name, text.as_str());
    Ok((text, source))
}

fn variable(name: &str, lookup: &dyn Lookup) -> Result<String, Problem> {
    lookup.env(name).ok_or_else(|| {
        let name = name.escape_debug();
        Problem::new(format!("--config env:{name}: the environment variable `{name}` is not set"))
            .help("set the variable to the text of a configuration")
    })
}

fn file(path: &str, lookup: &dyn Lookup) -> Result<String, Problem> {
    lookup.config(path).map_err(|error| {
        let problem = Problem::new(format!("cannot read `{}`: {error}", path.escape_debug()));
        match path.split_once(':') {
            Some((scheme, _)) if scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                problem.help("--config takes FILE, file:FILE, env:VARIABLE, yaml:TEXT")
            }
            _ => problem,
        }
    })
}
