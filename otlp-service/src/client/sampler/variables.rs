//! Samplers from `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.

use super::Sampler;

impl Sampler {
    /// Makes the sampler that the values of `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name, and the warnings about what
    /// is not understood. An empty value is like none; what is not understood counts as not set.
    ///
    /// | value | sampler |
    /// |---|---|
    /// | `always_on`, `always_off` | [`AlwaysOn`](Self::AlwaysOn), [`AlwaysOff`](Self::AlwaysOff) |
    /// | `traceidratio` | [`ConsistentRatio`](Self::ConsistentRatio) of the argument, 1 if there is none |
    /// | `parentbased_` before one of these; default `parentbased_always_on` | the same for spans without a parent; others follow |
    pub fn from_variables(sampler: Option<&str>, argument: Option<&str>) -> (Self, Vec<String>) {
        let (sampler, argument) = (trimmed(sampler), trimmed(argument));
        let mut warnings = Vec::new();
        let name = sampler.to_ascii_lowercase();
        let (is_parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, &*name),
        };
        let root = match root {
            "" if !is_parent_based => return (Self::default(), warnings),
            "always_on" => Self::AlwaysOn,
            "always_off" => Self::AlwaysOff,
            "traceidratio" => ratio(argument, &mut warnings),
            _ => {
                warnings
                    .push(format!("OTEL_TRACES_SAMPLER={sampler}: not a sampler that is known; use {KNOWN}"));
                return (Self::default(), warnings);
            }
        };
        (if is_parent_based { Self::parent_based(root) } else { root }, warnings)
    }
}

/// Reads the argument of `traceidratio`.
fn ratio(argument: &str, warnings: &mut Vec<String>) -> Sampler {
    let all = Sampler::consistent_ratio(1.0).unwrap_or(Sampler::AlwaysOn);
    if argument.is_empty() {
        return all;
    }
    argument.parse().ok().and_then(|ratio| Sampler::consistent_ratio(ratio).ok()).unwrap_or_else(|| {
        warnings.push(format!(
            "OTEL_TRACES_SAMPLER_ARG={argument}: not a ratio from 0 to 1, and ignored: all traces are kept"
        ));
        all
    })
}

fn trimmed(value: Option<&str>) -> &str {
    value.unwrap_or_default().trim()
}

const KNOWN: &str = "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio";
