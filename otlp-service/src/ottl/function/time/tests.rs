use crate::ottl::function::tests::{NOW, check, text};
use crate::ottl::value::Value;

#[test]
fn times_are_read_and_written() {
    let time = Value::utc(1_709_288_430_000_000_000);
    check([
        ("Time", vec![text("2024-03-01T10:20:30Z"), text("%Y-%m-%dT%H:%M:%SZ")], Ok(time.clone())),
        ("Time", vec![text("Nov 30 08:55:16"), text("%b %d %H:%M:%S")], Ok(Value::utc(NOW))),
        ("Time", vec![text("x"), text("%F")], Err("\"x\" does not have the time format")),
        ("Time", vec![text("x"), text("%K")], Err("load: unknown directive %K in the time format")),
        (
            "Time",
            vec![text("x"), text("%F"), text(""), text("de")],
            Err("load: the locale \"de\" is not supported: names of months and days are English"),
        ),
        ("Time", vec![Value::Nil, text("%F")], Err("expected a string, found nil")),
        ("FormatTime", vec![time.clone(), text("%d/%m/%Y")], Ok(text("01/03/2024"))),
        ("FormatTime", vec![Value::Int(5), text("%F")], Err("expected a time, found an int")),
        ("Now", vec![], Ok(Value::utc(NOW))),
        ("Unix", vec![Value::Int(1), Value::Int(5)], Ok(Value::utc(1_000_000_005))),
        ("Unix", vec![Value::Int(-1)], Ok(Value::utc(-1_000_000_000))),
        ("Unix", vec![Value::Int(i64::MAX)], Err("the time is not from 1678 to 2261")),
        ("UnixNano", vec![time], Ok(Value::Int(1_709_288_430_000_000_000))),
        ("UnixSeconds", vec![Value::utc(-310_052_369_500_000_000)], Ok(Value::Int(-310_052_370))),
        ("UnixMilli", vec![Value::utc(-310_052_369_999_500_000)], Ok(Value::Int(-310_052_370_000))),
        ("UnixMicro", vec![Value::utc(1_999)], Ok(Value::Int(1))),
        (
            "TruncateTime",
            vec![Value::utc(1_709_634_030_000_000_000), Value::Duration(604_800_000_000_000)],
            Ok(Value::utc(1_709_510_400_000_000_000)),
        ),
        (
            "TruncateTime",
            vec![Value::utc(1_709_634_030_000_000_000), Value::Duration(420_000_000_000)],
            Ok(Value::utc(1_709_633_880_000_000_000)),
        ),
        ("TruncateTime", vec![Value::utc(5), Value::Duration(0)], Ok(Value::utc(5))),
    ]);
}

#[test]
fn durations_are_read_and_converted() {
    let minutes = Value::Duration(5_400_000_000_000);
    check([
        ("Duration", vec![text("1.5s")], Ok(Value::Duration(1_500_000_000))),
        ("Duration", vec![text("1 s")], Err("\"1 s\" is no duration; write \"1.5s\" or \"2h30m\"")),
        ("Hours", vec![minutes.clone()], Ok(Value::Double(1.5))),
        ("Minutes", vec![minutes], Ok(Value::Double(90.0))),
        ("Seconds", vec![Value::Duration(-1_500_000_000)], Ok(Value::Double(-1.5))),
        ("Milliseconds", vec![Value::Duration(-1_500_000)], Ok(Value::Int(-1))),
        ("Microseconds", vec![Value::Duration(1_500)], Ok(Value::Int(1))),
        ("Nanoseconds", vec![Value::Duration(1_500)], Ok(Value::Int(1_500))),
        ("Nanoseconds", vec![Value::Nil], Err("expected a duration, found nil")),
    ]);
}
