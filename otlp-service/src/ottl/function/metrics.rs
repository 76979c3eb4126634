//! Functions of metrics: converters about the points, editors of the metric, and editors that add a metric.

mod aggregate;
mod convert;
mod extract;
mod message;
mod percentile;

use super::{ArgumentError, Arguments, Call, Edit, Function, Kind, Parameter};
use crate::ottl::context::{Context, Contexts};
use crate::ottl::environment::{Environment, Level};
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::go::format::Format;
use crate::ottl::value::Value;
use aggregate::{Aggregation, Kept};
use convert::Data;
use extract::{Added, Part};
use message::number::{DESCRIPTION, METADATA, NAME, UNIT};
use otlp_protocol::AggregationTemporality;
use otlp_protocol::rewrite::{FieldValue, MessageEdits};
use otlp_protocol::view::AnyValue;
use std::fmt;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::editor(
        "aggregate_on_attribute_value",
        &[
            AGGREGATION,
            Parameter::required("attribute", Kind::LiteralText),
            Parameter::required("values", Kind::LiteralTexts),
            Parameter::required("new_value", Kind::LiteralText),
        ],
        |arguments| {
            let aggregation = aggregation(arguments)?;
            let key = arguments.literal_text(1)?.unwrap_or_default();
            let values = arguments.literal_texts(2)?.unwrap_or_default();
            let new = arguments.literal_text(3)?.unwrap_or_default();
            let kept = Kept::Renamed { key, values, new };
            change(move |metric| aggregate::aggregated(metric, aggregation, &kept))
        },
    )
    .only_in(METRIC),
    Function::editor(
        "aggregate_on_attributes",
        &[AGGREGATION, Parameter::optional("attributes", Kind::LiteralTexts)],
        |arguments| {
            let aggregation = aggregation(arguments)?;
            let kept = arguments.literal_texts(1)?.map_or(Kept::All, Kept::Keys);
            change(move |metric| aggregate::aggregated(metric, aggregation, &kept))
        },
    )
    .only_in(METRIC),
    Function::editor(
        "convert_gauge_to_sum",
        &[
            Parameter::required("aggregation_temporality", Kind::Word(&["delta", "cumulative"])),
            Parameter::required("monotonic", Kind::LiteralBool),
        ],
        |arguments| {
            let temporality = match arguments.literal_text(0)?.as_deref() {
                Some("delta") => AggregationTemporality::Delta,
                _ => AggregationTemporality::Cumulative,
            };
            let is_monotonic = arguments.literal_bool(1)?.unwrap_or(false);
            change(move |metric| Ok(convert::gauge_to_sum(metric, temporality, is_monotonic)))
        },
    )
    .only_in(METRIC),
    Function::editor("convert_sum_to_gauge", &[], |_| change(|metric| Ok(convert::sum_to_gauge(metric))))
        .only_in(METRIC),
    Function::editor(
        "convert_summary_quantile_val_to_gauge",
        &[Parameter::optional("attribute_key", Kind::LiteralText), SUFFIX],
        |arguments| {
            let key = arguments.literal_text(0)?.unwrap_or_else(|| "quantile".into());
            let suffix = arguments.literal_text(1)?.unwrap_or_else(|| ".quantiles".into());
            add(move |metric| Ok(extract::quantiles(metric, &key, &suffix)))
        },
    )
    .only_in(METRIC),
    Function::editor(
        "copy_metric",
        &[
            Parameter::optional("name", Kind::Text),
            Parameter::optional("description", Kind::Text),
            Parameter::optional("unit", Kind::Text),
        ],
        |arguments| {
            let [name, description, unit] =
                [arguments.optional(0)?, arguments.optional(1)?, arguments.optional(2)?];
            Ok(Box::new(CopyMetric { name, description, unit }))
        },
    )
    .only_in(METRIC),
    Function::editor("extract_count_metric", &[MONOTONIC, SUFFIX], |arguments| {
        part(arguments, Part::Count, "_count")
    })
    .only_in(METRIC),
    Function::editor(
        "extract_percentile_metric",
        &[Parameter::required("percentile", Kind::LiteralDouble), SUFFIX],
        extract_percentile,
    )
    .only_in(METRIC),
    Function::editor("extract_sum_metric", &[MONOTONIC, SUFFIX], |arguments| {
        part(arguments, Part::Sum, "_sum")
    })
    .only_in(METRIC),
    Function::converter(
        "HasAttrKeyOnDatapoint",
        &[Parameter::required("key", Kind::LiteralText)],
        |arguments| {
            Ok(Box::new(HasAttribute { key: arguments.literal_text(0)?.unwrap_or_default(), value: None }))
        },
    )
    .only_in(METRIC)
    .impure(),
    Function::converter(
        "HasAttrOnDatapoint",
        &[
            Parameter::required("key", Kind::LiteralText),
            Parameter::required("expected_val", Kind::LiteralText),
        ],
        |arguments| {
            let key = arguments.literal_text(0)?.unwrap_or_default();
            Ok(Box::new(HasAttribute { key, value: Some(arguments.literal_text(1)?.unwrap_or_default()) }))
        },
    )
    .only_in(METRIC)
    .impure(),
    Function::editor(
        "scale_metric",
        &[Parameter::required("multiplier", Kind::LiteralDouble), Parameter::optional("unit", Kind::Text)],
        |arguments| {
            let factor = arguments.literal_double(0)?.unwrap_or(1.0);
            Ok(Box::new(ScaleMetric { factor, unit: arguments.optional(1)? }))
        },
    )
    .only_in(METRIC),
];

const METRIC: Contexts = Contexts::of(&[Context::Metric]);
const AGGREGATION: Parameter = Parameter::required("aggregation_function", Kind::Word(&Aggregation::NAMES));
const MONOTONIC: Parameter = Parameter::required("monotonic", Kind::LiteralBool);
const SUFFIX: Parameter = Parameter::optional("suffix", Kind::LiteralText);

fn aggregation(arguments: &mut Arguments) -> Result<Aggregation, ArgumentError> {
    Ok(Aggregation::named(&arguments.literal_text(0)?.unwrap_or_default()))
}

type Made<T> = Result<Option<T>, EvalError>;
type Make<T> = dyn Fn(&[u8]) -> Made<T> + Send + Sync;

/// The call of an editor that replaces the data of the metric.
struct Change(Box<Make<Data>>);

/// The call of an editor that adds a metric behind the metrics of the scope.
struct Add(Box<Make<Added>>);

fn change(
    change: impl Fn(&[u8]) -> Made<Data> + Send + Sync + 'static,
) -> Result<Box<dyn Edit>, ArgumentError> {
    Ok(Box::new(Change(Box::new(change))))
}

fn add(make: impl Fn(&[u8]) -> Made<Added> + Send + Sync + 'static) -> Result<Box<dyn Edit>, ArgumentError> {
    Ok(Box::new(Add(Box::new(make))))
}

fn part(arguments: &mut Arguments, part: Part, suffix: &str) -> Result<Box<dyn Edit>, ArgumentError> {
    let is_monotonic = arguments.literal_bool(0)?.unwrap_or(false);
    let suffix = arguments.literal_text(1)?.unwrap_or_else(|| suffix.into());
    add(move |metric| extract::part(metric, part, is_monotonic, &suffix))
}

fn extract_percentile(arguments: &mut Arguments) -> Result<Box<dyn Edit>, ArgumentError> {
    let percentile = arguments.literal_double(0)?.unwrap_or_default();
    if !(percentile > 0.0 && percentile < 100.0) {
        return Err(ArgumentError::new(0, "the percentile must be above 0 and below 100"));
    }
    let shown = Format::new("%g")
        .and_then(|format| format.fill(&[Value::Double(percentile)]).map_err(|error| error.to_string()));
    let shown = shown.map_err(|problem| ArgumentError::new(0, problem))?;
    let suffix = arguments.literal_text(1)?.filter(|suffix| !suffix.is_empty());
    let suffix = suffix.unwrap_or_else(|| format!("_p{shown}").into());
    add(move |metric| extract::percentile(metric, percentile, &suffix, &shown))
}

impl Edit for Change {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        match (self.0)(env.bytes(Level::Entry))? {
            Some(data) => set_data(&mut env.edit(Level::Entry)?, &data),
            None => Ok(()),
        }
    }
}

impl Edit for Add {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let Some(added) = (self.0)(env.bytes(Level::Entry))? else { return Ok(()) };
        let mut is_set = Ok(());
        env.messages()?.add_entry(|entry| {
            set_texts(entry, Some(&added.name), Some(&added.description), Some(&added.unit));
            entry.clear(&[METADATA]);
            is_set = set_data(entry, &added.data);
        });
        is_set
    }
}

/// Replaces the data of a metric.
fn set_data(metric: &mut MessageEdits<'_>, data: &Data) -> Result<(), EvalError> {
    let is_set = metric.set(&[data.number], FieldValue::Message(&data.bytes));
    if is_set { Ok(()) } else { Err(EvalError::new("the data of the metric is not valid")) }
}

/// Sets the name, the description and the unit of a metric, where given.
fn set_texts(
    metric: &mut MessageEdits<'_>,
    name: Option<&str>,
    description: Option<&str>,
    unit: Option<&str>,
) {
    for (number, text) in [(NAME, name), (DESCRIPTION, description), (UNIT, unit)] {
        if let Some(text) = text {
            metric.set(&[number], FieldValue::Text(text));
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}

impl fmt::Debug for Add {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Add")
    }
}

/// The call of `copy_metric`.
#[derive(Debug)]
struct CopyMetric {
    name: Option<Expression>,
    description: Option<Expression>,
    unit: Option<Expression>,
}

impl Edit for CopyMetric {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let name = text(self.name.as_ref(), env)?;
        let description = text(self.description.as_ref(), env)?;
        let unit = text(self.unit.as_ref(), env)?;
        env.messages()?.add_entry(|entry| {
            set_texts(entry, name.as_deref(), description.as_deref(), unit.as_deref());
        });
        Ok(())
    }
}

/// The call of `scale_metric`.
#[derive(Debug)]
struct ScaleMetric {
    factor: f64,
    unit: Option<Expression>,
}

impl Edit for ScaleMetric {
    fn edit(&self, env: &mut Environment<'_>) -> Result<(), EvalError> {
        let unit = text(self.unit.as_ref(), env)?;
        let scaled = convert::scaled(env.bytes(Level::Entry), self.factor)?;
        let mut metric = env.edit(Level::Entry)?;
        set_data(&mut metric, &scaled)?;
        set_texts(&mut metric, None, None, unit.as_deref());
        Ok(())
    }
}

fn text(expression: Option<&Expression>, env: &Environment<'_>) -> Result<Option<String>, EvalError> {
    let text =
        expression.map(|expression| expression.value(env)?.into_text().map(std::borrow::Cow::into_owned));
    text.transpose()
}

/// The call of `HasAttrKeyOnDatapoint` and `HasAttrOnDatapoint`: the first point with the key decides on the value.
#[derive(Debug)]
struct HasAttribute {
    key: Box<str>,
    value: Option<Box<str>>,
}

impl Call for HasAttribute {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let found = env.metric().points().find_map(|point| point.attributes().get(&self.key));
        Ok(Value::Bool(match (found, &self.value) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(AnyValue::String(found)), Some(expected)) => *found == **expected,
            // Values of other types are the empty string, as in the Collector.
            (Some(_), Some(expected)) => expected.is_empty(),
        }))
    }
}

#[cfg(test)]
mod tests;
