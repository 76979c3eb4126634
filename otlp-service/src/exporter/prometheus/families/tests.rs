use super::super::value::Value;
use super::*;
use otlp_protocol::view::Number;
use otlp_transport::{Clock, TokioClock};

const HEADING: Heading<'_> =
    Heading { name: "m", help: "", kind: Kind::Gauge, temporality: AggregationTemporality::Cumulative };

fn point() -> Point {
    Point { value: Value::Number(Number::Int(1)), start: 0, time: 1, exemplars: Box::default() }
}

#[test]
fn the_number_of_series_is_limited() {
    let mut families = Families::new(2, Duration::ZERO);
    let now = TokioClock.now();
    let mut take = |heading: &Heading<'_>, labels| families.take(heading, labels, point(), now);
    assert_eq!(take(&HEADING, "a"), Ok(()));
    assert_eq!(take(&Heading { name: "n", ..HEADING }, "a"), Ok(()));
    assert_eq!(take(&HEADING, "b"), Err(Refusal::Full));
    assert_eq!(take(&Heading { name: "o", ..HEADING }, "a"), Err(Refusal::Full));
    assert_eq!(take(&HEADING, "a"), Ok(()));
    families.end("m", "a");
    families.end("m", "a");
    assert_eq!(families.series(), 1);
    assert_eq!(families.take(&HEADING, "b", point(), now), Ok(()));
}

#[test]
fn a_metric_has_one_type() {
    let mut families = Families::new(9, Duration::ZERO);
    let now = TokioClock.now();
    assert_eq!(families.take(&HEADING, "a", point(), now), Ok(()));
    let counter = Heading { kind: Kind::Counter, ..HEADING };
    assert_eq!(families.take(&counter, "b", point(), now), Err(Refusal::OtherType(Kind::Gauge)));
    families.end("m", "a");
    assert_eq!(families.take(&counter, "b", point(), now), Ok(()));
}

#[test]
fn series_expire_without_points() {
    let mut families = Families::new(9, Duration::from_secs(10));
    let start = TokioClock.now();
    let after = |seconds| start + Duration::from_secs(seconds);
    for (labels, seconds) in [("a", 0), ("b", 0), ("a", 5)] {
        assert_eq!(families.take(&HEADING, labels, point(), after(seconds)), Ok(()));
    }
    families.target("job", "one", "x", after(0));
    families.target("job", "two", "y", after(5));
    families.expire(after(11));
    let labels: Vec<_> = families.after(None).unwrap().1.iter().map(ToString::to_string).collect();
    assert_eq!((labels, families.series()), (vec!["a".to_owned()], 1));
    assert_eq!(families.targets().collect::<Vec<_>>(), ["y"]);
    families.expire(after(16));
    assert!(families.after(None).is_none() && families.targets().next().is_none());
}
