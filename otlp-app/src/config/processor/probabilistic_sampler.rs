//! The processor `probabilistic_sampler`.

use otlp_service::{
    AttributeSource, BuildContext, OnlyFor, ProbabilisticSampler, SamplerConfig, SamplerMode, SettingsError,
    StagePart,
};
use serde::Deserialize;

/// Settings of the processor `probabilistic_sampler`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sampler {
    /// Share of the traces or log records to keep, in percent; 100 and more is all. Default 0: none.
    sampling_percentage: f32,
    /// Seed of the hash in the mode `hash_seed`: gateways in a row need different seeds, gateways side by side the same. Default 0.
    hash_seed: u32,
    /// `hash_seed`: by a hash of the trace id; `proportional`: the percentage of what arrives; `equalizing`: the percentage of all,
    /// less what was dropped before. Default `hash_seed`.
    mode: String,
    /// Drops items that have no trace id, or whose sampling information is invalid or untrue; `false` keeps these. Default true.
    fail_closed: Option<bool>,
    /// Hexadecimal digits of thresholds, 1 to 14. Default 4.
    sampling_precision: Option<u32>,
    /// Logs: what is hashed, `traceID` or `record` for the attribute `from_attribute`. Default `traceID`.
    attribute_source: String,
    /// Logs: the attribute that is hashed if there is no trace id. Default: none.
    from_attribute: String,
    /// Logs: the attribute whose number, a percentage, applies in place of `sampling_percentage`. Default: none.
    sampling_priority: String,
    /// Counts the decisions, and lets all items pass as they are. Default false. Not a key of the Collector.
    dry_run: bool,
}

/// Makes `probabilistic_sampler`.
pub(crate) fn probabilistic_sampler(
    settings: Sampler,
    _: &BuildContext<'_>,
) -> Result<StagePart, SettingsError> {
    let mut config = SamplerConfig::default();
    config.sampling_percentage = settings.sampling_percentage;
    config.hash_seed = settings.hash_seed;
    config.mode = named("mode", "mode", &settings.mode, &SamplerMode::ALL, SamplerMode::name)?;
    config.fail_closed = settings.fail_closed.unwrap_or(config.fail_closed);
    config.sampling_precision = settings.sampling_precision.unwrap_or(config.sampling_precision);
    config.attribute_source = named(
        "attribute_source",
        "source",
        &settings.attribute_source,
        &AttributeSource::ALL,
        AttributeSource::name,
    )?;
    config.from_attribute = settings.from_attribute;
    config.sampling_priority = settings.sampling_priority;
    config.dry_run = settings.dry_run;
    let sampler =
        ProbabilisticSampler::new(&config).map_err(|error| SettingsError::at(error.field, error.problem))?;
    let only = OnlyFor { path: String::new(), signals: &["traces", "logs"] };
    Ok(StagePart::from(sampler).with_only(vec![only]))
}

/// Returns the value of a name; the default for an empty name.
fn named<T: Copy + Default>(
    path: &str,
    what: &str,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, SettingsError> {
    if name.is_empty() {
        return Ok(T::default());
    }
    let found = all.iter().copied().find(|&known| name_of(known) == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|&known| name_of(known)).collect();
        SettingsError::unknown(path, what, name, &known)
    })
}
