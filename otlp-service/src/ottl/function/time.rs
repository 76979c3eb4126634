//! Functions of times and durations.

use super::call::{binary, prepared, unary};
use super::{ArgumentError, Arguments, Call, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::go;
use crate::ottl::strptime::{TimeFormat, Zone};
use crate::ottl::value::{Time, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter("Duration", &[Parameter::required("duration", Kind::Text)], |arguments| {
        unary(arguments, |text| {
            let text = text.into_text()?;
            let duration = go::duration::parse(&text).map(Value::Duration);
            duration.ok_or_else(|| {
                EvalError::detail(format!("{text:?} is no duration; write \"1.5s\" or \"2h30m\""))
            })
        })
    }),
    Function::converter(
        "FormatTime",
        &[TIME, Parameter::required("format", Kind::LiteralText)],
        |arguments| {
            let format = time_format(arguments, 1)?;
            prepared(arguments, format, |time, format| Ok(Value::text(format.format(&time.into_time()?))))
        },
    ),
    Function::converter("Hours", &DURATION, |arguments| {
        unary(arguments, |duration| in_units(&duration, 3_600.0))
    }),
    Function::converter("Microseconds", &DURATION, |arguments| {
        unary(arguments, |duration| Ok(Value::Int(duration.into_duration()? / 1_000)))
    }),
    Function::converter("Milliseconds", &DURATION, |arguments| {
        unary(arguments, |duration| Ok(Value::Int(duration.into_duration()? / 1_000_000)))
    }),
    Function::converter("Minutes", &DURATION, |arguments| {
        unary(arguments, |duration| in_units(&duration, 60.0))
    }),
    Function::converter("Nanoseconds", &DURATION, |arguments| {
        unary(arguments, |duration| Ok(Value::Int(duration.into_duration()?)))
    }),
    Function::converter("Now", &[], |_| Ok(Box::new(Now))).impure(),
    Function::converter("Seconds", &DURATION, |arguments| {
        unary(arguments, |duration| in_units(&duration, 1.0))
    }),
    // A text without a year takes the year from the clock.
    Function::converter(
        "Time",
        &[
            Parameter::required("time", Kind::Text),
            Parameter::required("format", Kind::LiteralText),
            Parameter::optional("location", Kind::LiteralText),
            Parameter::optional("locale", Kind::LiteralText),
        ],
        time,
    )
    .impure(),
    Function::converter(
        "TruncateTime",
        &[TIME, Parameter::required("duration", Kind::Duration)],
        |arguments| {
            binary(arguments, |time, duration| truncate(time.into_time()?, duration.into_duration()?))
        },
    ),
    Function::converter(
        "Unix",
        &[Parameter::required("seconds", Kind::Int), Parameter::optional("nanoseconds", Kind::Int)],
        |arguments| Ok(Box::new(Unix { seconds: arguments.expression(0)?, nanos: arguments.optional(1)? })),
    ),
    Function::converter("UnixMicro", &[TIME], |arguments| {
        unary(arguments, |time| Ok(Value::Int(time.into_time()?.nanos.div_euclid(1_000))))
    }),
    Function::converter("UnixMilli", &[TIME], |arguments| {
        unary(arguments, |time| Ok(Value::Int(time.into_time()?.nanos.div_euclid(1_000_000))))
    }),
    Function::converter("UnixNano", &[TIME], |arguments| {
        unary(arguments, |time| Ok(Value::Int(time.into_time()?.nanos)))
    }),
    Function::converter("UnixSeconds", &[TIME], |arguments| {
        unary(arguments, |time| Ok(Value::Int(time.into_time()?.nanos.div_euclid(SECOND))))
    }),
];

const TIME: Parameter = Parameter::required("time", Kind::Time);
const DURATION: [Parameter; 1] = [Parameter::required("duration", Kind::Duration)];

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Returns a duration in units of some seconds.
fn in_units<'a>(duration: &Value<'_>, seconds: f64) -> Result<Value<'a>, EvalError> {
    let nanos = duration.borrow().into_duration()?;
    // Whole units and the rest apart, like Go: the result is exact to the nanosecond.
    let unit = SECOND * seconds as i64;
    Ok(Value::Double((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64))
}

/// Rounds a time down to a multiple of a duration since the year 1, like Go.
fn truncate<'a>(mut time: Time, duration: i64) -> Result<Value<'a>, EvalError> {
    if duration > 0 {
        let since_year_1 = i128::from(time.nanos) + YEAR_1_TO_1970 * i128::from(SECOND);
        time.nanos = time.nanos.saturating_sub((since_year_1 % i128::from(duration)) as i64);
    }
    Ok(Value::Time(time))
}

/// Seconds from the start of the year 1 to 1970.
const YEAR_1_TO_1970: i128 = 62_135_596_800;

fn time_format(arguments: &mut Arguments, index: usize) -> Result<TimeFormat, ArgumentError> {
    let text = arguments.literal_text(index)?.unwrap_or_default();
    TimeFormat::new(&text).map_err(|problem| ArgumentError::new(index, problem))
}

/// The call of `Now`.
#[derive(Debug)]
struct Now;

impl Call for Now {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        Ok(Value::utc(env.now()))
    }
}

/// The call of `Time`.
#[derive(Debug)]
struct ReadTime {
    text: Expression,
    format: TimeFormat,
    zone: Zone,
}

fn time(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let format = time_format(arguments, 1)?;
    let zone = match arguments.literal_text(2)? {
        Some(name) => Zone::named(&name).map_err(|problem| ArgumentError::new(2, problem))?,
        None => Zone::Utc,
    };
    let locale = arguments.literal_text(3)?.unwrap_or_else(|| "en".into());
    if locale.split(['-', '_']).next() != Some("en") {
        let problem = format!("the locale {locale:?} is not supported: names of months and days are English");
        return Err(ArgumentError::new(3, problem));
    }
    Ok(Box::new(ReadTime { text: arguments.expression(0)?, format, zone }))
}

impl Call for ReadTime {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let text = self.text.value(env)?.into_text()?;
        self.format.parse(&text, &self.zone, env.now()).map(Value::Time)
    }
}

/// The call of `Unix`.
#[derive(Debug)]
struct Unix {
    seconds: Expression,
    nanos: Option<Expression>,
}

impl Call for Unix {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let seconds = self.seconds.value(env)?.into_int()?;
        let nanos = self.nanos.as_ref().map_or(Ok(0), |nanos| nanos.value(env)?.into_int())?;
        let time = seconds.checked_mul(SECOND).and_then(|time| time.checked_add(nanos));
        time.map(Value::utc).ok_or_else(|| EvalError::new("the time is not from 1678 to 2261"))
    }
}

#[cfg(test)]
mod tests;
