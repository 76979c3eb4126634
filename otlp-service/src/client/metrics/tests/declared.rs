//! Names, identical and conflicting instruments, scopes.

use super::super::{MAX_INSTRUMENTS, MetricScope};
use super::{Measured, collect, metrics, text, value, values};
use otlp_protocol::encode::{ResourceWriter, ScopeWriter};
use otlp_protocol::view::{Number, RequestView};
use otlp_protocol::{AttributeValue, Signal};

#[test]
fn identical_instruments_aggregate() {
    let measured = Measured::new(|_| ());
    let make = |name| measured.meters.counter::<u64>(name).unit("1").description("Requests.").build();
    make("requests").add(1, ());
    make("Requests").add(2, ());
    make("REQUESTS").bind(()).add(4);
    let request = collect(&measured.meters, 200);
    assert_eq!(metrics(&request).count(), 1);
    assert_eq!(value(&request, "requests"), Some(Number::Int(7)));
    assert!(measured.problems().is_empty());
}

#[test]
fn conflicting_instruments_are_exported_with_a_warning_each() {
    let measured = Measured::new(|_| ());
    let meters = &measured.meters;
    meters.counter::<u64>("requests").build().add(1, ());
    meters.counter::<f64>("requests").build().add(2.0, ());
    meters.counter::<u64>("Requests").unit("s").build().add(3, ());
    meters.counter::<u64>("requests").description("x").build().add(4, ());
    meters.gauge::<i64>("requests").build().record(5, ());
    meters.gauge::<i64>("requests").build().record(6, ());
    let request = collect(meters, 200);
    let names: Vec<_> = metrics(&request).map(|metric| metric.name().to_owned()).collect();
    assert_eq!(names, ["requests", "requests", "Requests", "requests", "requests"]);
    let problems = measured.problems();
    assert_eq!(problems.len(), 4, "{problems:?}");
    let first = "metric \"requests\" exists twice and both are exported: Counter of u64, unit \"\", description \"\"; \
                 Counter of f64, unit \"\", description \"\"";
    assert_eq!(problems[0], first);
}

#[test]
fn names_follow_the_rules() {
    let (long, longer) = ("a".repeat(255), "a".repeat(256));
    for name in ["a", "Z9_.-/", &long] {
        let measured = Measured::new(|_| ());
        measured.meters.counter::<u64>(name).build().add(1, ());
        assert_eq!(value(&collect(&measured.meters, 200), name), Some(Number::Int(1)));
        assert!(measured.problems().is_empty());
    }
    for name in ["", "9a", "_a", ".", "a b", "é", "a\u{e9}", "a:b", &longer] {
        let measured = Measured::new(|_| ());
        let counter = measured.meters.counter::<u64>(name).build();
        let bound = counter.bind([("a", 1)]);
        (0..3).for_each(|value| counter.add(value, [("value", value)]));
        bound.add(1);
        assert!(collect(&measured.meters, 200).is_empty());
        assert_eq!(measured.meters.lost().unregistered, 4);
        let problems = measured.problems();
        assert!(matches!(&problems[..], [one] if one.contains("invalid name")), "{problems:?}");
    }
}

#[test]
fn there_are_only_so_many_instruments() {
    let measured = Measured::new(|_| ());
    let make = |index: usize| measured.meters.counter::<u64>(&format!("c{index}")).build();
    (0..MAX_INSTRUMENTS).for_each(|index| make(index).add(1, ()));
    assert!(measured.problems().is_empty());
    make(MAX_INSTRUMENTS).add(1, ());
    make(0).add(1, ());
    assert!(matches!(&measured.problems()[..], [one] if one.contains("there are 4096 instruments already")));
    assert_eq!(measured.meters.lost().unregistered, 1);
    let request = collect(&measured.meters, 200);
    assert_eq!(metrics(&request).count(), MAX_INSTRUMENTS);
    assert_eq!(value(&request, "c0"), Some(Number::Int(2)));
}

#[test]
fn scopes_and_the_resource_are_written() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let mut message = Vec::new();
    ScopeWriter::new(&mut message).name("lib").version("1.2").attribute("a", 1).dropped_attributes_count(2);
    let scope = MetricScope { message: message.clone().into(), schema_url: "https://scope".into() };
    meters.counter::<u64>("a").build().add(1, ());
    meters.counter::<u64>("b").scope(&scope).build().add(2, ());
    meters.counter::<u64>("a").scope(&scope).build().add(3, ());
    meters.counter::<u64>("c").build().add(4, ());
    let mut resource = Vec::new();
    let list = AttributeValue::array([1, 2]);
    ResourceWriter::new(&mut resource).attribute("service.name", "cart").attribute("list", &list);
    let mut request = b"".to_vec();
    assert_eq!(meters.collect(200, &resource, "https://resource", &mut request), 4);
    let resources: Vec<_> = RequestView::new(Signal::METRICS, &request).resources().collect();
    let [group] = &resources[..] else { panic!("{resources:?}") };
    let attributes = text(group.resource().attributes());
    assert_eq!(attributes, r#"service.name="cart" list=[1, 2]"#);
    assert_eq!(group.schema_url(), "https://resource");
    let scopes = group.scopes().map(|group| {
        let names: Vec<_> = group.metrics().map(|metric| metric.name().to_owned()).collect();
        let scope = group.scope();
        let shown = format!(
            "{}@{} {} {}",
            scope.name(),
            scope.version(),
            text(scope.attributes()),
            group.schema_url()
        );
        (shown, scope.dropped_attributes_count(), names.join(" "))
    });
    let scopes: Vec<_> = scopes.collect();
    assert_eq!(
        scopes,
        [
            ("@  ".to_owned(), 0, "a c".to_owned()),
            ("lib@1.2 a=1 https://scope".to_owned(), 2, "b a".to_owned())
        ]
    );
    assert_eq!(values(&request, "c").len(), 1);
}
