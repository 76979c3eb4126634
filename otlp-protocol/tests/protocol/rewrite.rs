//! Rewrites of bodies that are written by hand; `rewrite_properties.rs` has the rules for all others.

use crate::by_hand::{field, sound};
use otlp_protocol::encode::{LogRecords, Metrics, Spans};
use otlp_protocol::rewrite::{FieldValue, Level, OpenMessages, Rewriter, rewrite};
use otlp_protocol::view::{Event, LogRecord, Metric, MetricData, NumberPoint, RequestView, Resource, Span};
use otlp_protocol::{AttributeValue, Body, Count, Decision, EditError, Signal};

/// A rewriter of some levels, made of a closure.
struct Do<F>(&'static [Level], F);

impl<F: FnMut(Level, &mut OpenMessages) -> Decision> Rewriter for Do<F> {
    fn shows(&self, level: Level) -> bool {
        self.0.contains(&level)
    }

    fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision {
        (self.1)(level, messages)
    }
}

const MAX: usize = 1 << 20;

fn logs(records: &[&str]) -> Body {
    Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("seen", 0);
            });
            group.scope_group(|scope| {
                for record in records {
                    scope.log_record(|writer| {
                        writer.body(*record);
                    });
                }
            });
        });
    })
}

#[test]
fn later_records_see_what_earlier_records_changed_in_the_resource() {
    let body = logs(&["a", "b", "c"]);
    let mut seen = Vec::new();
    let mut count = Do(&[Level::Entry], |_, messages: &mut OpenMessages| {
        let before = Resource::new(messages.bytes(Level::Resource)).attributes().get("seen");
        seen.push(format!("{before:?}"));
        messages.edit(Level::Resource).set_attribute(1, "seen", seen.len());
        messages.set_schema_url(Level::Scope, "url");
        Decision::Keep
    });
    let rewritten = rewrite(&body, &mut count, MAX).unwrap();
    assert_eq!(seen, ["Some(0)", "Some(1)", "Some(2)"]);
    let bytes = rewritten.body.to_bytes();
    let group = RequestView::new(Signal::LOGS, &bytes).resources().next().unwrap();
    assert_eq!(group.resource().attributes().get("seen"), Some(3.into()));
    assert_eq!(group.scopes().next().unwrap().schema_url(), "url");
}

#[test]
fn unchanged_bodies_are_not_copied() {
    let body = logs(&["a", "b"]);
    let mut same = Do(&Level::ALL, |level, messages: &mut OpenMessages| {
        messages.edit(Level::Resource).set_attribute(1, "seen", 0);
        if level == Level::Entry {
            // A change that is undone is no change.
            let text = LogRecord::new(messages.bytes(level)).body().as_str().map(str::to_owned);
            assert!(messages.edit(level).set(&[3], FieldValue::Text("ERROR")));
            assert!(messages.edit(level).clear(&[3]));
            let value = AttributeValue::new(text.as_deref().unwrap_or_default());
            messages.edit(level).set(&[5], FieldValue::Value((&value).into()));
        }
        Decision::Keep
    });
    let rewritten = rewrite(&body, &mut same, MAX).unwrap();
    assert!(!rewritten.changed);
    assert_eq!(rewritten.body.to_bytes().as_ptr(), body.to_bytes().as_ptr());
}

#[test]
fn unknown_fields_and_their_order_stay() {
    let unknown = field(99, b"?");
    let old = field(6, &[field(17, b"!"), field(2, &field(1, b"1")), field(1, b"a")].concat());
    let record = [unknown.clone(), old, vec![0x38, 0x05], field(3, b"INFO")].concat();
    let body =
        field(1, &[unknown.clone(), field(2, &[unknown.clone(), field(2, &record)].concat())].concat());
    let mut change = Do(&[Level::Entry], |level, messages: &mut OpenMessages| {
        let mut record = messages.edit(level);
        assert!(record.set_attribute(6, "a", "22") && record.set(&[3], FieldValue::Text("WARN")));
        assert!(record.set(&[11], FieldValue::Int(7)), "dropped attributes are field 7; 11 are times");
        Decision::Keep
    });
    let rewritten = rewrite(&sound(Signal::LOGS, body), &mut change, MAX).unwrap();
    let new = field(6, &[field(1, b"a"), field(2, &field(1, b"22")), field(17, b"!")].concat());
    let time = [&[0x59, 7][..], &[0; 7]].concat();
    let record = [unknown.clone(), new, vec![0x38, 0x05], field(3, b"WARN"), time].concat();
    let expect = field(1, &[unknown.clone(), field(2, &[unknown, field(2, &record)].concat())].concat());
    assert_eq!(rewritten.body.to_bytes(), expect);
}

#[test]
fn values_of_another_type_and_unknown_fields_are_refused() {
    let body = logs(&["a"]);
    let mut refused = Do(&[Level::Entry], |level, messages: &mut OpenMessages| {
        let mut record = messages.edit(level);
        assert!(!record.set(&[3], FieldValue::Int(1)) && !record.set(&[2], FieldValue::Text("9")));
        assert!(!record.set(&[5], FieldValue::Text("a")) && !record.set(&[5], FieldValue::Message(b"\xff")));
        assert!(!record.set(&[9], FieldValue::Bytes(&[1; 15])), "a trace id has 16 bytes");
        assert!(record.set(&[9], FieldValue::Bytes(&[1; 16])));
        assert!(!record.set(&[31], FieldValue::Int(1)) && !record.set(&[], FieldValue::Int(1)));
        assert!(!record.set_attribute(5, "k", 1) && !record.delete_attribute(5, "k"));
        assert!(!record.clear(&[31]) && !record.set(&[6, 1], FieldValue::Text("key of each")));
        assert!(
            messages.bytes(Level::Child).is_empty()
                && !messages.edit(Level::Child).set(&[1], FieldValue::Int(1))
        );
        assert!(!messages.set_schema_url(Level::Entry, "url"));
        Decision::Keep
    });
    assert!(rewrite(&body, &mut refused, MAX).unwrap().changed);
}

fn metric() -> Body {
    Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| {
                    metric.name("requests").sum(|sum| {
                        for value in [1, 2, 3] {
                            sum.is_monotonic(true).point(|point| {
                                point.int(value).exemplar(|exemplar| {
                                    exemplar.int(value).attribute("n", value);
                                });
                            });
                        }
                    })
                });
            });
        });
    })
}

fn describe(body: &Body) -> Vec<String> {
    let bytes = body.to_bytes();
    let describe = |metric: Metric<'_>| {
        let points = |points: &mut dyn Iterator<Item = NumberPoint<'_>>| {
            points
                .map(|point| format!(" {:?}/{}", point.value(), point.exemplars().count()))
                .collect::<String>()
        };
        let points = match metric.data() {
            MetricData::Sum(sum) => points(&mut sum.data_points()),
            MetricData::Gauge(gauge) => points(&mut gauge.data_points()),
            _ => String::new(),
        };
        format!("{} {}{points}", metric.name(), metric.description())
    };
    RequestView::new(Signal::METRICS, &bytes).metrics().map(|metric| describe(*metric)).collect()
}

#[test]
fn a_data_point_changes_with_its_metric_and_its_exemplars() {
    let mut change = Do(&[Level::Child, Level::Exemplar], |level, messages: &mut OpenMessages| {
        let point = NumberPoint::new(messages.bytes(Level::Child)).value();
        let point = format!("{point:?}");
        if level == Level::Child {
            assert_eq!(messages.data_number(), 7);
            let seen = Metric::new(messages.bytes(Level::Entry)).description().to_owned();
            messages.edit(Level::Entry).set(&[2], FieldValue::Text(&format!("{seen}*")));
            if point.contains('2') {
                messages.edit(level).set(&[4], FieldValue::Double(0.0));
            }
        }
        if point.contains('3') { Decision::Drop } else { Decision::Keep }
    });
    let rewritten = rewrite(&metric(), &mut change, MAX).unwrap();
    assert_eq!(describe(&rewritten.body), ["requests *** Int(1)/1 Double(0.0)/1"]);
    assert_eq!((rewritten.dropped, rewritten.body.count().items), (Count { items: 1, entries: 0 }, 2));
    let mut all = Do(&[Level::Child], |_, _: &mut OpenMessages| Decision::Drop);
    let rewritten = rewrite(&metric(), &mut all, MAX).unwrap();
    assert_eq!((rewritten.dropped, rewritten.body.len()), (Count { items: 3, entries: 1 }, 0));
    let mut exemplars = Do(&[Level::Exemplar], |_, _: &mut OpenMessages| Decision::Drop);
    let rewritten = rewrite(&metric(), &mut exemplars, MAX).unwrap();
    assert_eq!(describe(&rewritten.body), ["requests  Int(1)/0 Int(2)/0 Int(3)/0"]);
    assert_eq!(rewritten.dropped, Count::default());
}

#[test]
fn added_entries_are_visited_and_counted() {
    let mut copy = Do(&[Level::Entry, Level::Child], |level, messages: &mut OpenMessages| {
        let name = Metric::new(messages.bytes(Level::Entry)).name().to_owned();
        if level == Level::Entry && name == "requests" {
            messages.add_entry(|copy| {
                copy.set(&[1], FieldValue::Text("copy"));
            });
        }
        if level == Level::Child && name == "copy" {
            messages.edit(level).set(&[6], FieldValue::Int(9));
        }
        Decision::Keep
    });
    let rewritten = rewrite(&metric(), &mut copy, MAX).unwrap();
    let points = |value: [u8; 3]| value.map(|value| format!(" Int({value})/1")).concat();
    let expect = [format!("requests {}", points([1, 2, 3])), format!("copy {}", points([9, 9, 9]))];
    assert_eq!(describe(&rewritten.body), expect);
    assert_eq!(rewritten.body.count(), Count { items: 6, entries: 2 });
    // Copies without end, also of nothing, end at the limit.
    for body in [metric(), sound(Signal::METRICS, field(1, &field(2, &field(2, b""))))] {
        let mut copies = Do(&[Level::Entry], |_, messages: &mut OpenMessages| {
            messages.add_entry(|_| {});
            Decision::Keep
        });
        assert_eq!(rewrite(&body, &mut copies, MAX).unwrap_err(), EditError::TooLarge { limit: MAX });
    }
}

#[test]
fn a_metric_changes_its_kind() {
    let mut convert = Do(&[Level::Entry], |level, messages: &mut OpenMessages| {
        let points: Vec<Vec<u8>> = match Metric::new(messages.bytes(level)).data() {
            MetricData::Sum(sum) => {
                sum.data_points().skip(1).map(|point| point.as_bytes().to_vec()).collect()
            }
            _ => Vec::new(),
        };
        let points: Vec<&[u8]> = points.iter().map(Vec::as_slice).collect();
        assert!(messages.edit(level).set(&[5, 1], FieldValue::Messages(&points)));
        assert!(messages.edit(level).clear(&[7]), "no longer there");
        Decision::Keep
    });
    let rewritten = rewrite(&metric(), &mut convert, MAX).unwrap();
    assert_eq!(describe(&rewritten.body), ["requests  Int(2)/1 Int(3)/1"]);
    assert_eq!(
        (rewritten.dropped, rewritten.body.count()),
        (Count::default(), Count { items: 2, entries: 1 })
    );
}

#[test]
fn a_span_keeps_its_events_when_an_event_changes_it() {
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.span(|span| {
                    for name in ["a", "b"] {
                        span.event(|event| {
                            event.name(name);
                        });
                    }
                });
            });
        });
    });
    let mut change = Do(&[Level::Child], |level, messages: &mut OpenMessages| {
        let name = Event::new(messages.bytes(level)).name().to_owned();
        messages.edit(Level::Entry).set_attribute(9, &name, true);
        messages.edit(level).set_attribute(3, "span", name.len());
        Decision::Keep
    });
    let bytes = rewrite(&body, &mut change, MAX).unwrap().body.to_bytes();
    let span: Span<'_> = *RequestView::new(Signal::TRACES, &bytes).spans().next().unwrap();
    let keys: Vec<&str> = span.attributes().iter().map(|attribute| attribute.key()).collect();
    assert_eq!(
        (keys, span.events().map(|event| event.name()).collect::<Vec<_>>()),
        (vec!["a", "b"], vec!["a", "b"])
    );
}

#[test]
fn a_message_over_the_limit_stops_the_rewrite() {
    let body = logs(&["a"]);
    let text = "x".repeat(100);
    let mut grow = Do(&[Level::Entry], |level, messages: &mut OpenMessages| {
        messages.edit(level).set_attribute(6, "text", &text);
        Decision::Keep
    });
    assert!(rewrite(&body, &mut grow, 300).is_ok());
    assert_eq!(rewrite(&body, &mut grow, 100).unwrap_err(), EditError::TooLarge { limit: 100 });
    let mut url = Do(&[Level::Resource], |level, messages: &mut OpenMessages| {
        messages.set_schema_url(level, &text);
        Decision::Keep
    });
    assert_eq!(rewrite(&body, &mut url, 50).unwrap_err(), EditError::TooLarge { limit: 50 });
}
