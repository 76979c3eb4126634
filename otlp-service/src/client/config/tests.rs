mod destinations;
mod exporters;
mod variables;

use super::*;

/// Reads variables, given as pairs.
fn of(variables: &[(&str, &str)]) -> OtlpConfig {
    OtlpConfig::from_vars(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn warnings(config: &OtlpConfig) -> Vec<String> {
    config.warnings.iter().map(ToString::to_string).collect()
}

/// Returns the problem that a check finds; empty if there is none.
fn problem(config: &OtlpConfig) -> String {
    config.check().err().map(|problem| problem.to_string()).unwrap_or_default()
}
