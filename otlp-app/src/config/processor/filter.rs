//! The processor `filter`: conditions in OTTL in three generations of keys.

mod properties;

use crate::config::ottl::{Conditions, Mode, faults};
use otlp_protocol::Signal;
use otlp_service::{
    BuildContext, FilterConditions, FilterConfig, FilterProcessor, KeyRule, SettingsError, StagePart,
};
use properties::{LogsInclude, MetricsInclude, SpansInclude};
use serde::Deserialize;

/// Settings of the processor `filter`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filter {
    /// Effect of an error of a condition: `ignore` and `silent`: the condition counts as not met, and `ignore` logs the first error of
    /// each condition; `propagate`: the request fails. Default ignore.
    error_mode: Mode,
    /// Conditions on resources, scopes, spans and span events, in OTTL: what meets one is removed. A list of conditions, whose paths
    /// have contexts (`span.name`), or of groups `{context, conditions, error_mode}`.
    trace_conditions: Vec<Conditions>,
    /// Conditions on resources, scopes, metrics and data points; like `trace_conditions`.
    metric_conditions: Vec<Conditions>,
    /// Conditions on resources, scopes and log records; like `trace_conditions`.
    log_conditions: Vec<Conditions>,
    /// Conditions on resources, scopes and profiles; like `trace_conditions`.
    profile_conditions: Vec<Conditions>,
    traces: TraceLists,
    metrics: MetricLists,
    logs: LogLists,
    profiles: ProfileLists,
    spans: SpansInclude,
    /// Removes nothing, and counts what meets a condition. Default false. Not a key of the Collector.
    dry_run: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TraceLists {
    /// Older key of `trace_conditions`: conditions on resources, without `resource.` in front of paths.
    resource: Vec<String>,
    /// Older key of `trace_conditions`: conditions on spans, without `span.` in front of paths.
    span: Vec<String>,
    /// Older key of `trace_conditions`: conditions on span events, without `spanevent.` in front of paths.
    spanevent: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MetricLists {
    /// Older key of `metric_conditions`: conditions on resources, without `resource.` in front of paths.
    resource: Vec<String>,
    /// Older key of `metric_conditions`: conditions on metrics, without `metric.` in front of paths.
    metric: Vec<String>,
    /// Older key of `metric_conditions`: conditions on data points, without `datapoint.` in front of paths.
    datapoint: Vec<String>,
    include: Option<MetricsInclude>,
    exclude: Option<MetricsInclude>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogLists {
    /// Older key of `log_conditions`: conditions on resources, without `resource.` in front of paths.
    resource: Vec<String>,
    /// Older key of `log_conditions`: conditions on log records, without `log.` in front of paths.
    log_record: Vec<String>,
    include: Option<LogsInclude>,
    exclude: Option<LogsInclude>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ProfileLists {
    /// Older key of `profile_conditions`: conditions on resources, without `resource.` in front of paths.
    resource: Vec<String>,
    /// Older key of `profile_conditions`: conditions on profiles, without `profile.` in front of paths.
    profile: Vec<String>,
}

/// Keys of the Collector's `filter` that have no effect here, or are not supported.
pub(crate) const FILTER_RULES: &[KeyRule] = &[
    KeyRule::ignored("spans.include.regexp", NO_CACHE),
    KeyRule::ignored("spans.exclude.regexp", NO_CACHE),
    KeyRule::ignored("metrics.include.regexp", NO_CACHE),
    KeyRule::ignored("metrics.exclude.regexp", NO_CACHE),
    KeyRule::refused("metrics.include.expressions", NO_EXPRESSIONS),
    KeyRule::refused("metrics.exclude.expressions", NO_EXPRESSIONS),
];

/// A list of conditions, with its place in the settings.
struct List {
    signal: Signal,
    path: &'static str,
    /// `None`: paths have contexts.
    context: Option<&'static str>,
    conditions: Vec<String>,
}

/// Makes `filter`.
pub(crate) fn filter(filter: Filter, context: &BuildContext<'_>) -> Result<StagePart, SettingsError> {
    context.check(filter.clashes())?;
    let mut config = FilterConfig::default();
    config.is_dry_run = filter.dry_run;
    let mode = filter.error_mode;
    for (signal, path, groups) in [
        (Signal::TRACES, "trace_conditions", filter.trace_conditions),
        (Signal::METRICS, "metric_conditions", filter.metric_conditions),
        (Signal::LOGS, "log_conditions", filter.log_conditions),
        (Signal::PROFILES, "profile_conditions", filter.profile_conditions),
    ] {
        config.conditions.extend(grouped(signal, path, groups, mode)?);
    }
    let older = |list: List| {
        let mut conditions = FilterConditions::new(list.signal, list.conditions);
        conditions.context = list.context.map(str::to_owned);
        conditions.error_mode = mode.into();
        list.path.clone_into(&mut conditions.path);
        conditions
    };
    let (traces, metrics, logs, profiles) = (filter.traces, filter.metrics, filter.logs, filter.profiles);
    let lists = [
        (Signal::TRACES, "traces.resource", "resource", traces.resource),
        (Signal::TRACES, "traces.span", "span", traces.span),
        (Signal::TRACES, "traces.spanevent", "spanevent", traces.spanevent),
        (Signal::METRICS, "metrics.resource", "resource", metrics.resource),
        (Signal::METRICS, "metrics.metric", "metric", metrics.metric),
        (Signal::METRICS, "metrics.datapoint", "datapoint", metrics.datapoint),
        (Signal::LOGS, "logs.resource", "resource", logs.resource),
        (Signal::LOGS, "logs.log_record", "log", logs.log_record),
        (Signal::PROFILES, "profiles.resource", "resource", profiles.resource),
        (Signal::PROFILES, "profiles.profile", "profile", profiles.profile),
    ];
    config.conditions.extend(lists.into_iter().map(|(signal, path, context, conditions)| {
        older(List { signal, path, context: Some(context), conditions })
    }));
    config.matches.extend(filter.spans.matches()?);
    config.matches.extend(properties::metrics(metrics.include, metrics.exclude)?);
    config.matches.extend(properties::logs(logs.include, logs.exclude)?);
    let processor = match FilterProcessor::new(config) {
        Ok(processor) => processor,
        Err(errors) => {
            context.check(errors.iter().flat_map(|error| faults(&error.path, &error.error)))?;
            return Err(SettingsError::new("the conditions are wrong"));
        }
    };
    for (path, remark) in processor.remarks() {
        context.note(SettingsError::at(path, remark));
    }
    Ok(StagePart::from(processor))
}

/// Makes lists of the conditions of one key: single conditions are one list, a group is a list.
fn grouped(
    signal: Signal,
    path: &str,
    entries: Vec<Conditions>,
    mode: Mode,
) -> Result<Vec<FilterConditions>, SettingsError> {
    let mut single = FilterConditions::new(signal, Vec::<String>::new());
    single.error_mode = mode.into();
    path.clone_into(&mut single.path);
    let mut lists = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Conditions::One(_) if !lists.is_empty() => return Err(mixed(path, index)),
            Conditions::One(text) => single.conditions.push(text),
            Conditions::Group(_) if !single.conditions.is_empty() => return Err(mixed(path, index)),
            Conditions::Group(group) => {
                let mut list = FilterConditions::new(signal, group.conditions);
                list.context = group.context.filter(|context| !context.is_empty());
                list.error_mode = group.error_mode.unwrap_or(mode).into();
                list.path = format!("{path}.{index}.conditions");
                lists.push(list);
            }
        }
    }
    if !single.conditions.is_empty() {
        lists.push(single);
    }
    Ok(lists)
}

fn mixed(path: &str, index: usize) -> SettingsError {
    let problem = "single conditions and groups do not go together in one list";
    SettingsError::at(format!("{path}.{index}"), problem)
        .help("put the conditions into a group: `{conditions: […]}`")
}

// === impl Filter ===

impl Filter {
    /// Returns an error for each signal with keys of two generations.
    fn clashes(&self) -> Vec<SettingsError> {
        let (traces, metrics, logs) = (&self.traces, &self.metrics, &self.logs);
        let old = |lists: &[&Vec<String>]| lists.iter().any(|list| !list.is_empty());
        let old_traces = old(&[&traces.resource, &traces.span, &traces.spanevent]);
        let old_metrics = old(&[&metrics.resource, &metrics.metric, &metrics.datapoint]);
        let old_logs = old(&[&logs.resource, &logs.log_record]);
        let of_metrics = metrics.include.is_some() || metrics.exclude.is_some();
        let of_logs = logs.include.is_some() || logs.exclude.is_some();
        let generations = [
            ("trace_conditions", !self.trace_conditions.is_empty(), "traces", old_traces),
            ("metric_conditions", !self.metric_conditions.is_empty(), "metrics", old_metrics || of_metrics),
            ("log_conditions", !self.log_conditions.is_empty(), "logs", old_logs || of_logs),
            (
                "profile_conditions",
                !self.profile_conditions.is_empty(),
                "profiles",
                old(&[&self.profiles.resource, &self.profiles.profile]),
            ),
            ("traces", old_traces, "spans", !self.spans.is_empty()),
            ("trace_conditions", !self.trace_conditions.is_empty(), "spans", !self.spans.is_empty()),
            ("metrics", old_metrics, "metrics.include and metrics.exclude", of_metrics),
            ("logs", old_logs, "logs.include and logs.exclude", of_logs),
        ];
        let clash = |&(key, has_key, other, has_other): &(&str, bool, &str, bool)| {
            let problem = format!("it does not go together with {other}, an older form of the same");
            (has_key && has_other).then(|| SettingsError::at(key, problem))
        };
        generations.iter().filter_map(clash).collect()
    }
}

const NO_CACHE: &str = "expressions are compiled once, nothing is cached";
const NO_EXPRESSIONS: &str = "the expression language is not built in; write the condition in metric_conditions: `datapoint.attributes[\"k\"] == \"v\"`";
