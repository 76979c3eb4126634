//! Parts of times, in the zones of the times.

use super::call::unary;
use super::{Function, Kind, Parameter};
use crate::calendar::signed_date;
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter("Day", &TIME, |arguments| unary(arguments, |time| part(time, |parts| parts.day))),
    Function::converter("Hour", &TIME, |arguments| unary(arguments, |time| part(time, |parts| parts.hour))),
    Function::converter("Minute", &TIME, |arguments| {
        unary(arguments, |time| part(time, |parts| parts.minute))
    }),
    Function::converter("Month", &TIME, |arguments| unary(arguments, |time| part(time, |parts| parts.month))),
    Function::converter("Nanosecond", &TIME, |arguments| {
        unary(arguments, |time| part(time, |parts| parts.nanosecond))
    }),
    Function::converter("Second", &TIME, |arguments| {
        unary(arguments, |time| part(time, |parts| parts.second))
    }),
    Function::converter("Weekday", &TIME, |arguments| {
        unary(arguments, |time| part(time, |parts| parts.weekday))
    }),
    Function::converter("Year", &TIME, |arguments| unary(arguments, |time| part(time, |parts| parts.year))),
];

const TIME: [Parameter; 1] = [Parameter::required("time", Kind::Time)];

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    /// 0 is Sunday.
    weekday: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
}

fn part<'a>(time: Value<'_>, part: fn(Parts) -> i64) -> Result<Value<'a>, EvalError> {
    let time = time.into_time()?;
    let (seconds, nanosecond) = (time.nanos.div_euclid(1_000_000_000), time.nanos.rem_euclid(1_000_000_000));
    let seconds = seconds + time.zone.offset_at(seconds);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = signed_date(days);
    Ok(Value::Int(part(Parts {
        year,
        month: month as i64,
        day: day as i64,
        // 1970-01-01 was a Thursday.
        weekday: (days + 4).rem_euclid(7),
        hour: of_day / 3_600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
        nanosecond,
    })))
}
