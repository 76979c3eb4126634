use super::*;
use crate::schema;

/// Compares an enumeration with the values of its field in the schema.
fn check<T: From<i32> + Into<i32> + std::fmt::Debug>(message: &str, number: u32) {
    let field = schema::message(message).unwrap().field(number).unwrap();
    let name = |number| format!("{:?}", T::from(number)).to_lowercase();
    for &(wire_name, number) in field.values {
        let expected = wire_name.rsplit('_').next().unwrap().to_lowercase();
        assert_eq!(name(number), expected, "{message}");
        assert_eq!(T::from(number).into(), number);
    }
    let last = field.values.iter().map(|value| value.1).max().unwrap();
    for unknown in [-1, last + 1, i32::MAX] {
        assert_eq!(name(unknown), format!("other({unknown})"), "{message}");
        assert_eq!(T::from(unknown).into(), unknown);
    }
}

#[test]
fn names_and_numbers_are_those_of_the_schema() {
    check::<SpanKind>("opentelemetry.proto.trace.v1.Span", 6);
    check::<StatusCode>("opentelemetry.proto.trace.v1.Status", 3);
    check::<SeverityNumber>("opentelemetry.proto.logs.v1.LogRecord", 2);
    check::<AggregationTemporality>("opentelemetry.proto.metrics.v1.Sum", 2);
}

#[test]
fn numbers_decide_on_equality_and_order() {
    assert_eq!(SpanKind::Other(2), SpanKind::Server);
    assert!(
        SeverityNumber::Warn4 < SeverityNumber::Error && SeverityNumber::Other(25) > SeverityNumber::Fatal4
    );
}
