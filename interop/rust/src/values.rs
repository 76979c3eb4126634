//! Attributes and bodies with the values that encodings get wrong: extremes, empty ones, text outside ASCII.

use opentelemetry::logs::AnyValue;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

/// An attribute of each type.
pub fn every_type(prefix: &str) -> Vec<KeyValue> {
    let values: Vec<(&str, Value)> = vec![
        ("string", "naïve 数据 🚀 \0 \"quoted\"\n".into()),
        ("string.empty", "".into()),
        ("string.long", "länge ".repeat(40).into()),
        ("ключ", "key outside ASCII".into()),
        ("bool", true.into()),
        ("bool.false", false.into()),
        ("int.min", i64::MIN.into()),
        ("int.max", i64::MAX.into()),
        ("int.zero", 0.into()),
        ("int.minus", (-1).into()),
        ("double", 0.1.into()),
        ("double.small", 5e-324.into()),
        ("bools", Value::Array(Array::Bool(vec![true, false]))),
        ("ints", Value::Array(Array::I64(vec![i64::MIN, 0, i64::MAX]))),
        ("doubles", Value::Array(Array::F64(vec![-0.5, f64::MAX]))),
        (
            "strings",
            Value::Array(Array::String(["", "ü", "long enough to matter"].map(StringValue::from).to_vec())),
        ),
        ("strings.empty", Value::Array(Array::String(Vec::new()))),
    ];
    values.into_iter().map(|(key, value)| KeyValue::new(format!("{prefix}{key}"), value)).collect()
}

/// What JSON has no numbers for. The SDK writes `null` for each, which the Collector refuses.
pub fn not_finite() -> Vec<KeyValue> {
    let values = [("double.inf", f64::NEG_INFINITY), ("double.nan", f64::NAN)];
    values.map(|(key, value)| KeyValue::new(key, value)).to_vec()
}

/// Longer than an HTTP/2 frame and than the first flow-control window.
pub fn large() -> KeyValue {
    KeyValue::new("large", "ü".repeat(50_000))
}

/// A different kind of value from record to record.
pub fn body(index: usize) -> AnyValue {
    match index % 8 {
        0 => "log line — done".into(),
        1 => nested(),
        2 => i64::MIN.into(),
        3 => 0.1.into(),
        4 => true.into(),
        5 => AnyValue::Bytes(Box::new(vec![0, 0xff, 0x80, 10])),
        6 => AnyValue::ListAny(Box::new(vec![1.into(), "two".into(), [3.0].into_iter().collect()])),
        _ => "".into(),
    }
}

/// A map in a list in a map.
pub fn nested() -> AnyValue {
    let map = |entries: Vec<(&'static str, AnyValue)>| {
        AnyValue::Map(Box::new(entries.into_iter().map(|(key, value)| (Key::new(key), value)).collect()))
    };
    let deep = map(vec![("deep", 1e300.into()), ("raw", AnyValue::Bytes(Box::new(vec![0xfe])))]);
    map(vec![
        ("inner", "値".into()),
        ("list", AnyValue::ListAny(Box::new(vec![(-7).into(), true.into(), "".into(), deep]))),
        ("empty", map(Vec::new())),
    ])
}
