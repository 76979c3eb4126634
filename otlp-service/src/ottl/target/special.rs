//! Fields whose encoding is not one value in one field of their message.

use super::keyed::TRACE_STATE;
use super::{put, set_attributes};
use crate::ottl::environment::{Environment, Level, PointKind};
use crate::ottl::error::EvalError;
use crate::ottl::field::{Field, KINDS, OLD_KINDS};
use crate::ottl::value::Value;
use otlp_protocol::rewrite::FieldValue;
use otlp_protocol::view::{AnyValue, MetricData};

/// A field with a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    AggregationTemporality,
    /// The body of a log record as text.
    BodyText,
    /// Bucket counts of a histogram.
    BucketCounts,
    /// Bucket counts of one sign of an exponential histogram.
    BucketsCounts,
    BucketsOffset,
    ExplicitBounds,
    IsMonotonic,
    Kind,
    KindText,
    /// An int or a double of a data point or an exemplar.
    Number,
    PointAttributes,
    PointFlags,
    Scale,
    StatusCode,
    StatusMessage,
    TraceState,
}

// === impl Special ===

impl Special {
    /// Sets the value of a field without keys.
    ///
    /// # Errors
    /// If the message does not have the field, or the field does not take the value.
    pub(super) fn set(
        self,
        field: &Field,
        env: &mut Environment<'_>,
        value: Value<'_>,
    ) -> Result<(), EvalError> {
        let sign = if field.name.starts_with("negative") { NEGATIVE } else { POSITIVE };
        match self {
            Self::AggregationTemporality => {
                let value = FieldValue::Int(value.into_int()?);
                match env.metric().data() {
                    MetricData::Sum(_) => put(env, field.level, &[SUM, TEMPORALITY], value),
                    MetricData::Histogram(_) => put(env, field.level, &[HISTOGRAM, TEMPORALITY], value),
                    MetricData::ExponentialHistogram(_) => {
                        put(env, field.level, &[EXPONENTIAL_HISTOGRAM, TEMPORALITY], value)
                    }
                    _ => Ok(()),
                }
            }
            Self::IsMonotonic => {
                let value = FieldValue::Bool(value.into_bool()?);
                match env.metric().data() {
                    MetricData::Sum(_) => put(env, field.level, &[SUM, IS_MONOTONIC], value),
                    _ => Ok(()),
                }
            }
            Self::BodyText => {
                let text = value.into_text()?;
                put(env, field.level, &[BODY], FieldValue::Value(AnyValue::String(&text).into()))
            }
            Self::BucketCounts => {
                of_kind(env, PointKind::Histogram)?;
                put(env, field.level, &[BUCKET_COUNTS], FieldValue::Uints(&counts(value)?))
            }
            Self::ExplicitBounds => {
                of_kind(env, PointKind::Histogram)?;
                let bounds = value.into_list()?.into_vec().into_iter().map(Value::into_double);
                let bounds = bounds.collect::<Result<Vec<_>, _>>()?;
                put(env, field.level, &[EXPLICIT_BOUNDS], FieldValue::Doubles(&bounds))
            }
            Self::BucketsCounts => {
                of_kind(env, PointKind::ExponentialHistogram)?;
                put(env, field.level, &[sign, BUCKETS_COUNTS], FieldValue::Uints(&counts(value)?))
            }
            Self::BucketsOffset => {
                of_kind(env, PointKind::ExponentialHistogram)?;
                put(env, field.level, &[sign, BUCKETS_OFFSET], FieldValue::Int(value.into_int()?))
            }
            Self::Scale => {
                of_kind(env, PointKind::ExponentialHistogram)?;
                put(env, field.level, &[SCALE], FieldValue::Int(value.into_int()?))
            }
            Self::Number => set_number(field, env, value),
            Self::PointAttributes => set_attributes(env, field.level, point_attributes(env), value),
            Self::PointFlags => {
                let number = if env.point_kind() == PointKind::Number { 8 } else { 10 };
                let number = if env.point_kind() == PointKind::Summary { 8 } else { number };
                put(env, field.level, &[number], FieldValue::Int(value.into_int()?))
            }
            Self::Kind => put(env, field.level, &[KIND], FieldValue::Int(value.into_int()?)),
            Self::KindText => {
                let names = if field.name == "kind.string" { KINDS } else { OLD_KINDS };
                let name = value.into_text()?;
                let kind = names.iter().position(|known| *known == name);
                let kind = kind.ok_or_else(|| EvalError::detail(format!("{name:?} is not a span kind")))?;
                put(env, field.level, &[KIND], FieldValue::Int(kind as i64))
            }
            Self::StatusCode => put(env, field.level, &[STATUS, 3], FieldValue::Int(value.into_int()?)),
            Self::StatusMessage => put(env, field.level, &[STATUS, 2], FieldValue::Text(&value.into_text()?)),
            Self::TraceState => put(env, field.level, &[TRACE_STATE], FieldValue::Text(&value.into_text()?)),
        }
    }
}

/// Sets the value of a number data point or an exemplar. The kind of the number changes with the type of the value.
fn set_number(field: &Field, env: &mut Environment<'_>, value: Value<'_>) -> Result<(), EvalError> {
    let is_double = field.name.contains("double");
    let double = match field.level {
        Level::Exemplar => 3,
        _ => {
            of_kind(env, PointKind::Number)?;
            4
        }
    };
    if is_double {
        put(env, field.level, &[double], FieldValue::Double(value.into_double()?))
    } else {
        put(env, field.level, &[INT], FieldValue::Int(value.into_int()?))
    }
}

/// Returns the field number of the attributes of the open data point.
pub(super) fn point_attributes(env: &Environment<'_>) -> u32 {
    match env.point_kind() {
        PointKind::ExponentialHistogram => 1,
        PointKind::Histogram => 9,
        PointKind::Number | PointKind::Summary => 7,
    }
}

/// Checks the kind of the open data point.
fn of_kind(env: &Environment<'_>, kind: PointKind) -> Result<(), EvalError> {
    if env.point_kind() == kind { Ok(()) } else { Err(super::NO_FIELD) }
}

fn counts(value: Value<'_>) -> Result<Vec<u64>, EvalError> {
    let counts = value.into_list()?.into_vec().into_iter().map(|count| Ok(count.into_int()? as u64));
    counts.collect()
}

/// Returns a W3C `tracestate` with the value of a member, which comes first.
///
/// # Errors
/// If the key or the value has a character that members cannot have.
pub(super) fn trace_state_with(state: &str, key: &str, value: &str) -> Result<String, EvalError> {
    let is_sound =
        |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b",=".contains(&byte));
    if key.is_empty() || !is_sound(key) || !is_sound(value) {
        return Err(EvalError::new("the key or the value cannot be in a trace state"));
    }
    let mut new = format!("{key}={value}");
    for member in state.split(',').map(str::trim).filter(|member| !member.is_empty()) {
        if member.split('=').next() != Some(key) {
            new.push(',');
            new.push_str(member);
        }
    }
    Ok(new)
}

// Field numbers of metrics, data points, spans and log records.
const SUM: u32 = 7;
const HISTOGRAM: u32 = 9;
const EXPONENTIAL_HISTOGRAM: u32 = 10;
const TEMPORALITY: u32 = 2;
const IS_MONOTONIC: u32 = 3;
const BUCKET_COUNTS: u32 = 6;
const EXPLICIT_BOUNDS: u32 = 7;
const SCALE: u32 = 6;
const POSITIVE: u32 = 8;
const NEGATIVE: u32 = 9;
const BUCKETS_OFFSET: u32 = 1;
const BUCKETS_COUNTS: u32 = 2;
const INT: u32 = 6;
const KIND: u32 = 6;
const STATUS: u32 = 15;
const BODY: u32 = 5;
