//! Edits on bodies written by hand; `edit_properties.rs` has the rules for all others.

use crate::by_hand::{field, sound};
use bytes::Bytes;
use otlp_protocol::encode::LogRecords;
use otlp_protocol::view::{AnyValue, Attributes, LogRecord, RequestView, Scoped};
use otlp_protocol::wire::Cursor;
use otlp_protocol::{
    AttributeEdits, AttributeValue, Batch, Body, Change, Charge, Count, Decision, EditError, Edited, Editor,
    Item, MAX_ATTRIBUTES, Merge, Origin, Put, Signal, SplitLimits, ValidateLimits, Value, edit, parts,
    validate,
};
use std::borrow::Cow;
use std::sync::Arc;

/// Levels that an editor is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Levels {
    pub(crate) resources: bool,
    pub(crate) scopes: bool,
    pub(crate) entries: bool,
    pub(crate) items: bool,
}

/// An editor made of one closure for several levels.
pub(crate) struct Do<F> {
    pub(crate) levels: Levels,
    pub(crate) with: F,
}

impl<F: FnMut(&str, &Item<'_>, Option<&mut AttributeEdits<'_>>) -> Decision> Editor for Do<F> {
    fn resource(&mut self, resource: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        match self.levels.resources {
            true => (self.with)("resource", &Item { resource, ..Item::default() }, Some(attributes)),
            false => Decision::SkipLevel,
        }
    }

    fn scope(&mut self, resource: &[u8], scope: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        match self.levels.scopes {
            true => (self.with)("scope", &Item { resource, scope, ..Item::default() }, Some(attributes)),
            false => Decision::SkipLevel,
        }
    }

    fn entry(&mut self, item: &Item<'_>) -> Decision {
        if self.levels.entries { (self.with)("entry", item, None) } else { Decision::SkipLevel }
    }

    fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        match self.levels.items {
            true => (self.with)("item", item, Some(attributes)),
            false => Decision::SkipLevel,
        }
    }
}

pub(crate) const MAX: usize = 64 << 20;
pub(crate) const ITEMS: Levels = Levels { resources: false, scopes: false, entries: false, items: true };
const RESOURCES: Levels = Levels { resources: true, scopes: false, entries: false, items: false };

pub(crate) fn attribute(key: &str, value: &str) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat()
}

/// A body of one log record with these fields.
pub(crate) fn record(fields: &[Vec<u8>]) -> Vec<u8> {
    field(1, &field(2, &field(2, &fields.concat())))
}

pub(crate) fn edited(
    signal: Signal,
    body: &[u8],
    levels: Levels,
    with: impl FnMut(&str, &Item<'_>, Option<&mut AttributeEdits<'_>>) -> Decision,
) -> Edited {
    let edited = edit(&sound(signal, body.to_vec()), &mut Do { levels, with }, MAX).unwrap();
    validate(signal, &edited.body.plain().to_contiguous(), &ValidateLimits::default()).unwrap();
    edited
}

/// What becomes of a log record with these attributes.
pub(crate) fn check(
    attributes: &[(&str, &str)],
    edit: impl Fn(&mut AttributeEdits<'_>),
    expect: &[(&str, &str)],
) {
    let list = |pairs: &[(&str, &str)]| -> Vec<Vec<u8>> {
        pairs.iter().map(|(key, value)| field(6, &attribute(key, value))).collect()
    };
    let body = record(&list(attributes));
    let edited = edited(Signal::LOGS, &body, ITEMS, |_, _, attributes| {
        edit(attributes.unwrap());
        Decision::Keep
    });
    assert_eq!(edited.body.plain().to_contiguous(), record(&list(expect)), "{attributes:?} to {expect:?}");
    assert_eq!(edited.changed, attributes != expect, "{attributes:?} to {expect:?}");
    assert_eq!(edited.dropped, Count::default());
}

#[test]
fn each_operation_does_what_it_says() {
    let abc = &[("a", "1"), ("b", "2"), ("c", "3")];
    check(abc, |edits| assert!(!edits.insert("b", "x")), abc);
    check(abc, |edits| assert!(edits.insert("d", "4")), &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
    check(abc, |edits| assert!(edits.update("b", "x")), &[("a", "1"), ("b", "x"), ("c", "3")]);
    check(abc, |edits| assert!(!edits.update("d", "x")), abc);
    check(abc, |edits| edits.upsert("c", "x"), &[("a", "1"), ("b", "2"), ("c", "x")]);
    check(abc, |edits| edits.upsert("d", "x"), &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "x")]);
    check(abc, |edits| assert!(edits.delete("b")), &[("a", "1"), ("c", "3")]);
    check(abc, |edits| assert!(!edits.delete("d")), abc);
    check(abc, |edits| assert!(edits.rename("b", "e")), &[("a", "1"), ("e", "2"), ("c", "3")]);
    check(abc, |edits| assert!(edits.rename("c", "a")), &[("b", "2"), ("a", "3")]);
    check(abc, |edits| assert!(edits.rename("a", "a")), abc);
    check(abc, |edits| assert!(!edits.rename("d", "a")), abc);
    check(abc, |edits| assert!(edits.put_from(Put::Upsert, "c", "a")), &[("a", "1"), ("b", "2"), ("c", "1")]);
    check(abc, |edits| assert!(!edits.put_from(Put::Insert, "c", "a")), abc);
    check(abc, |edits| assert!(!edits.put_from(Put::Upsert, "c", "d")), abc);
    // What was there already is no change.
    check(abc, |edits| edits.upsert("a", Value::Encoded(&AttributeValue::string("1"))), abc);
    // What comes and goes neither.
    check(
        abc,
        |edits| {
            edits.upsert("d", "4");
            edits.delete("d");
        },
        abc,
    );
}

#[test]
fn long_keys_and_values_are_edited_as_short_ones() {
    let (key, text, longer) = ("k".repeat(200), "t".repeat(130), "v".repeat(20_000));
    let long = &[("a", text.as_str()), (key.as_str(), "1"), ("b", longer.as_str())];
    check(long, |edits| assert!(edits.delete("a")), &long[1..]);
    check(long, |edits| assert!(edits.delete(&key)), &[long[0], long[2]]);
    check(long, |edits| edits.upsert("b", "x"), &[long[0], long[1], ("b", "x")]);
    check(long, |edits| edits.upsert("c", longer.as_str()), &[long[0], long[1], long[2], ("c", &longer)]);
    check(long, |edits| assert!(edits.put_from(Put::Update, "a", "b")), &[("a", &longer), long[1], long[2]]);
}

#[test]
fn operations_see_what_earlier_ones_did() {
    check(
        &[("a", "1"), ("b", "2")],
        |edits| {
            edits.rename("a", "c");
            edits.upsert("c", "3");
            edits.insert("d", "4");
            edits.put_from(Put::Upsert, "b", "d");
            edits.rename("d", "e");
            assert_eq!(edits.value("c"), Some(AnyValue::String("3")));
            assert_eq!(edits.value("a"), None);
            let keys: Vec<&str> = edits.iter().map(|(key, _)| key).collect();
            assert_eq!(keys, ["c", "b", "e"]);
        },
        &[("c", "3"), ("b", "4"), ("e", "4")],
    );
}

#[test]
fn what_is_overwritten_or_deleted_leaves_no_duplicate() {
    let twice = &[("k", "1"), ("a", "2"), ("k", "3"), ("k", "4")];
    check(twice, |edits| assert_eq!(edits.value("k"), Some(AnyValue::String("1"))), twice);
    check(twice, |edits| assert!(edits.delete("k")), &[("a", "2")]);
    check(twice, |edits| edits.upsert("k", "x"), &[("k", "x"), ("a", "2")]);
    check(twice, |edits| assert!(edits.rename("k", "a")), &[("a", "1")]);
}

#[test]
fn values_of_all_types_are_written_as_they_are_read() {
    let (list, map) = (AttributeValue::array([1, 2]), AttributeValue::map([("k", true)]));
    let owned = (String::from("owned"), vec![1u8, 2], Bytes::from_static(b"b"));
    let mut values: Vec<(AttributeValue, AnyValue<'_>)> = vec![
        (AttributeValue::empty(), AnyValue::Empty),
        (AttributeValue::new(None::<bool>), AnyValue::Empty),
        (AttributeValue::new(Some("é")), AnyValue::String("é")),
        (AttributeValue::new(""), AnyValue::String("")),
        (AttributeValue::new(&owned.0), AnyValue::String("owned")),
        (AttributeValue::new(owned.0.clone()), AnyValue::String("owned")),
        (AttributeValue::new(Cow::Borrowed("cow")), AnyValue::String("cow")),
        (AttributeValue::new(true), AnyValue::Bool(true)),
        (AttributeValue::new(f64::MIN), AnyValue::Double(f64::MIN)),
        (AttributeValue::new(0.5f32), AnyValue::Double(0.5)),
        (AttributeValue::new(b"\xff"), AnyValue::Bytes(b"\xff")),
        (AttributeValue::new(b"\xff".as_slice()), AnyValue::Bytes(b"\xff")),
        (AttributeValue::new(&owned.1), AnyValue::Bytes(&[1, 2])),
        (AttributeValue::new(&owned.2), AnyValue::Bytes(b"b")),
        (AttributeValue::new(u64::MAX), AnyValue::String("18446744073709551615")),
        (AttributeValue::new(AnyValue::StringIndex(3)), AnyValue::StringIndex(3)),
        (AttributeValue::new(list.view()), list.view()),
        (AttributeValue::new(Value::Encoded(&map)), map.view()),
    ];
    let ints = [
        AttributeValue::new(-7i8),
        AttributeValue::new(-7i16),
        AttributeValue::new(-7i32),
        AttributeValue::new(-7i64),
        AttributeValue::new(-7isize),
    ];
    values.extend(ints.map(|value| (value, AnyValue::Int(-7))));
    let uints = [
        AttributeValue::new(7u8),
        AttributeValue::new(7u16),
        AttributeValue::new(7u32),
        AttributeValue::new(7u64),
        AttributeValue::new(7usize),
    ];
    values.extend(uints.map(|value| (value, AnyValue::Int(7))));
    for (value, expect) in &values {
        assert_eq!(value.view(), *expect);
        // A view of a list or a map is written anew, an encoded value is copied.
        for value in [Value::Any(*expect), Value::Encoded(value)] {
            assert_eq!(AnyValue::from(value), *expect);
            let body = record(&[]);
            let edited = edited(Signal::LOGS, &body, ITEMS, |_, _, attributes| {
                let attributes = attributes.unwrap();
                attributes.upsert("key", value);
                assert_eq!(attributes.value("key"), Some(*expect));
                Decision::Keep
            });
            assert!(edited.changed, "{value:?}");
            let body = edited.body.to_bytes();
            let mut read = None;
            super::edit::edited(Signal::LOGS, &body, ITEMS, |_, _, attributes| {
                read = Some(attributes.unwrap().value("key") == Some(*expect));
                Decision::Keep
            });
            assert_eq!(read, Some(true), "{value:?}");
        }
    }
}

/// Two resources of two scopes of two log records.
fn nested() -> Body {
    Body::write::<LogRecords>(|request| {
        for resource in ["r0", "r1"] {
            request.resource_group(|group| {
                group.resource(|writer| {
                    writer.attribute("name", resource);
                });
                for scope in ["s0", "s1"] {
                    group.scope_group(|group| {
                        group.scope(|writer| {
                            writer.attribute("name", scope);
                        });
                        for record in ["l0", "l1"] {
                            group.log_record(|writer| {
                                writer.attribute("name", record);
                            });
                        }
                    });
                }
            });
        }
    })
}

/// The values of `name` below each resource, scope and record, in order; a message without it is `-`.
fn names(body: &Body) -> String {
    let bytes = body.to_bytes();
    let view = RequestView::new(body.signal(), &bytes);
    let name = |attributes: Attributes<'_>| {
        attributes.get("name").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or("-".into())
    };
    let record = |record: Scoped<'_, LogRecord<'_>>| {
        [record.resource().attributes(), record.scope().attributes(), record.attributes()].map(name).concat()
    };
    view.log_records().map(record).collect::<Vec<_>>().join(" ")
}

#[test]
fn closures_edit_the_level_they_are_named_for() {
    let all = "r0s0l0 r0s0l1 r0s1l0 r0s1l1 r1s0l0 r1s0l1 r1s1l0 r1s1l1";
    let body = nested();
    assert_eq!(names(&body), all);
    let run = |editor: &mut dyn Editor| names(&edit(&body, editor, MAX).unwrap().body);
    let resources = run(&mut edit::resources(|_, attributes| attributes.upsert("name", "x")));
    assert_eq!(resources, all.replace("r0", "x").replace("r1", "x"));
    let scopes = run(&mut edit::scopes(|_, _, attributes| {
        attributes.delete("name");
    }));
    assert_eq!(scopes, all.replace("s0", "-").replace("s1", "-"));
    let items = run(&mut edit::items(|_, attributes| attributes.upsert("name", "x")));
    assert_eq!(items, all.replace("l0", "x").replace("l1", "x"));
    let first = |item: &Item<'_>| LogRecord::new(item.entry).attributes().get("name") == Some("l0".into());
    let entries = run(&mut edit::entries(|item| if first(item) { Decision::Drop } else { Decision::Keep }));
    assert_eq!(entries, "r0s0l1 r0s1l1 r1s0l1 r1s1l1");
}

#[test]
fn a_skipped_level_is_not_shown_again_and_its_message_keeps_its_changes() {
    let mut seen = 0;
    let edited = edit(
        &nested(),
        &mut edit::items(|_, attributes| {
            seen += 1;
            attributes.upsert("name", seen);
            if seen == 3 { Decision::SkipLevel } else { Decision::Drop }
        }),
        MAX,
    )
    .unwrap();
    assert_eq!((seen, edited.dropped.items), (3, 2));
    assert_eq!(names(&edited.body), "r0s1- r0s1l1 r1s0l0 r1s0l1 r1s1l0 r1s1l1");
}

#[test]
fn debug_shows_no_content() {
    let secret = "hunter2";
    let body = Body::write::<LogRecords>(|request| {
        let shown = format!("{request:?}");
        assert_eq!(shown, "RequestWriter { len: 0 }");
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.body(secret);
                    assert!(!format!("{record:?}").contains(secret));
                });
            });
        });
    });
    let origin = Origin { headers: vec![("x-key".into(), secret.into())], ..Origin::default() };
    let mut batch = Batch::new(body.clone(), Charge::none());
    batch.origin = Some(Arc::new(origin));
    let mut edited = edit::items(|item, attributes| {
        attributes.upsert("key", secret);
        assert!(!format!("{item:?} {attributes:?}").contains("104, 117"));
    });
    let shown = format!("{:?} {batch:?} {:?}", edit(&body, &mut edited, MAX), body.plain());
    let parts = parts(&body, SplitLimits::default());
    let shown = format!("{shown} {parts:?} {:?} {:?}", Merge::new(batch), Cursor::new(&body.to_bytes()));
    assert!(!shown.contains(secret) && !shown.contains("104, 117"), "{shown}");
    assert!(shown.contains("signal: logs, len: 17") && shown.contains("x-key"), "{shown}");
}

#[test]
fn a_pattern_deletes_and_redacts() {
    check(
        &[("user.name", "ann"), ("user.id", "7"), ("host", "h")],
        |edits| {
            edits.for_each(|key, value, replacement| match (key, AnyValue::new(value)) {
                ("user.id", _) => Change::Delete,
                (key, AnyValue::String(_)) if key.starts_with("user.") => {
                    replacement.set("***");
                    Change::Replace
                }
                _ => Change::Keep,
            });
        },
        &[("user.name", "***"), ("host", "h")],
    );
}

#[test]
fn unknown_fields_order_and_padding_stay() {
    let unknown = field(99, b"?");
    let padded = b"\x32\x8b\x80\x00\x0a\x04kept\x12\x03\x0a\x01v".to_vec();
    let old = field(6, &[field(2, &field(1, b"1")), field(17, b"!"), field(1, b"a")].concat());
    let new = field(6, &[attribute("a", "22"), field(17, b"!")].concat());
    let body = record(&[unknown.clone(), padded.clone(), old, vec![0x38, 0x05]]);
    let expect = record(&[unknown, padded, new, vec![0x38, 0x05], field(6, &attribute("b", ""))]);
    let edited = edited(Signal::LOGS, &body, ITEMS, |_, _, attributes| {
        let attributes = attributes.unwrap();
        attributes.upsert("a", "22");
        attributes.upsert("b", "");
        Decision::Keep
    });
    assert_eq!(edited.body.plain().to_contiguous(), expect);
}

#[test]
fn a_resource_in_pieces_behind_its_scopes_is_one() {
    let attribute = |key: &str| field(1, &attribute(key, "1"));
    let scope = field(2, &field(2, b""));
    let body = |pieces: [&[u8]; 2]| {
        field(1, &[scope.clone(), field(1, pieces[0]), field(3, b"url"), field(1, pieces[1])].concat())
    };
    let (a, b, c, d) = (attribute("a"), attribute("b"), attribute("c"), attribute("d"));
    let edited = edited(Signal::TRACES, &body([&a, &b]), RESOURCES, |_, item, attributes| {
        assert_eq!(item.resource, [a.as_slice(), &b].concat());
        let attributes = attributes.unwrap();
        assert!(attributes.rename("a", "c") && attributes.delete("b"));
        attributes.upsert("d", "1");
        Decision::Keep
    });
    assert_eq!(edited.body.plain().to_contiguous(), body([&c, &d]));
}

#[test]
fn an_absent_resource_or_scope_is_made_when_it_gets_an_attribute() {
    let levels = Levels { resources: true, scopes: true, entries: false, items: false };
    let body = field(1, &field(2, &field(2, b"")));
    let unchanged = edited(Signal::TRACES, &body, levels, |_, item, attributes| {
        assert!(item.resource.is_empty() && attributes.unwrap().iter().next().is_none());
        Decision::Keep
    });
    assert!(!unchanged.changed);
    let edited = edited(Signal::TRACES, &body, levels, |level, _, attributes| {
        attributes.unwrap().upsert("level", level);
        Decision::Keep
    });
    let resource = field(1, &field(1, &attribute("level", "resource")));
    let scope = field(1, &field(3, &attribute("level", "scope")));
    let expect = field(1, &[resource, field(2, &[scope, field(2, b"")].concat())].concat());
    assert_eq!(edited.body.plain().to_contiguous(), expect);
}

#[test]
fn envelopes_go_with_the_last_that_was_in_them_and_empty_ones_stay() {
    let (x, y) = (field(2, &field(5, b"x")), field(2, &field(5, b"y")));
    let (only_x, both, empty) = (field(2, &x), field(2, &[x.clone(), y.clone()].concat()), field(2, b""));
    let body = [field(1, &only_x), field(1, &[only_x.clone(), both, empty.clone()].concat()), field(1, b"")];
    let edited = edited(Signal::TRACES, &body.concat(), ITEMS, |_, item, _| {
        if item.entry == field(5, b"x") { Decision::Drop } else { Decision::Keep }
    });
    let expect = [field(1, &[field(2, &y), empty].concat()), field(1, b"")].concat();
    assert_eq!(edited.body.plain().to_contiguous(), expect);
    assert_eq!(edited.dropped, Count { items: 3, entries: 3 });
}

#[test]
fn a_metric_goes_with_its_last_point_and_dead_points_are_not_shown() {
    let points = |times: &[u8]| -> Vec<u8> {
        times.iter().flat_map(|&time| field(1, &[0x19, time, 0, 0, 0, 0, 0, 0, 0])).collect()
    };
    let metric =
        |name: &str, fields: &[Vec<u8>]| field(2, &[field(1, name.as_bytes()), fields.concat()].concat());
    let body = field(
        1,
        &field(
            2,
            &[
                metric("a", &[field(5, &points(&[1, 2])), field(5, &points(&[3]))]),
                // To a decoder, the gauge is gone.
                metric("b", &[field(5, &points(&[4])), field(7, &points(&[5, 6]))]),
                metric("c", &[]),
            ]
            .concat(),
        ),
    );
    let mut seen = Vec::new();
    let edited = edited(Signal::METRICS, &body, ITEMS, |_, item, _| {
        let time = item.point.unwrap()[1];
        seen.push(time);
        if time == 5 { Decision::Keep } else { Decision::Drop }
    });
    assert_eq!(seen, [1, 2, 3, 5, 6]);
    let b = metric("b", &[field(5, &points(&[4])), field(7, &points(&[5]))]);
    let expect = field(1, &field(2, &[b, metric("c", &[])].concat()));
    assert_eq!(edited.body.plain().to_contiguous(), expect);
    assert_eq!(edited.dropped, Count { items: 4, entries: 1 });
}

#[test]
fn what_refers_to_a_dictionary_is_found_and_spelled_out_when_changed() {
    let strings = [b"".as_slice(), b"password", b"secret"].map(|string| field(5, string)).concat();
    let by_index = field(1, &[vec![0x18, 0x01], field(2, &[0x40, 0x02])].concat());
    let other = field(1, &[field(1, b"a"), field(2, &[0x40, 0x02])].concat());
    let body = |attributes: &[Vec<u8>]| {
        let resource = field(1, &field(1, &attributes.concat()));
        [resource, field(2, &strings)].concat()
    };
    let source = body(&[by_index.clone(), other.clone()]);
    type Case = (fn(&mut AttributeEdits<'_>), Vec<Vec<u8>>);
    let cases: [Case; 5] = [
        (
            |edits| assert_eq!(edits.value("password"), Some(AnyValue::String("secret"))),
            vec![by_index.clone(), other.clone()],
        ),
        (|edits| assert!(edits.rename("a", "b")), vec![by_index, field(1, &attribute("b", "secret"))]),
        (|edits| assert!(edits.delete("password")), vec![other.clone()]),
        (
            |edits| assert!(edits.rename("password", "b")),
            vec![field(1, &attribute("b", "secret")), other.clone()],
        ),
        (|edits| assert!(edits.update("password", "")), vec![field(1, &attribute("password", "")), other]),
    ];
    for (edit, expect) in cases {
        let edited = edited(Signal::PROFILES, &source, RESOURCES, |_, _, attributes| {
            edit(attributes.unwrap());
            Decision::Keep
        });
        assert_eq!(edited.body.plain().to_contiguous(), body(&expect));
    }
}

#[test]
fn samples_have_no_attributes_of_their_own() {
    let body = field(1, &field(2, &field(2, &field(2, &[0x08, 0x01]))));
    let edited = edited(Signal::PROFILES, &body, ITEMS, |_, item, attributes| {
        let attributes = attributes.unwrap();
        assert_eq!(item.point, Some([0x08, 0x01].as_slice()));
        assert!(!attributes.is_editable() && !attributes.insert("a", "b"));
        Decision::Keep
    });
    assert!(!edited.changed);
}

#[test]
fn what_does_not_change_is_the_same_memory() {
    let body = Bytes::from(record(&[field(6, &attribute("a", "1"))]));
    let mut editor = Do {
        levels: ITEMS,
        with: |_: &str, _: &Item<'_>, _: Option<&mut AttributeEdits<'_>>| Decision::Keep,
    };
    let edited = edit(&sound(Signal::LOGS, body.clone()), &mut editor, 0).unwrap();
    assert!(!edited.changed);
    assert_eq!(edited.body.plain().to_contiguous().as_ptr(), body.as_ptr());
}

#[test]
fn long_stretches_without_a_change_are_linked() {
    let span = field(2, &field(5, &[b'x'; 100]));
    let body = Bytes::from(field(1, &field(2, &span.repeat(1000))));
    let mut editor = Do {
        levels: RESOURCES,
        with: |_: &str, _: &Item<'_>, attributes: Option<&mut AttributeEdits<'_>>| {
            attributes.unwrap().upsert("a", "1");
            Decision::Keep
        },
    };
    let edited = edit(&sound(Signal::TRACES, body.clone()), &mut editor, MAX).unwrap();
    let range = body.as_ptr_range();
    let linked: usize = edited
        .body
        .plain()
        .segments()
        .filter(|segment| range.contains(&segment.as_ptr()))
        .map(Bytes::len)
        .sum();
    assert!(linked > body.len() - 100, "{linked} of {} bytes are linked", body.len());
}

#[test]
fn limits_hold() {
    let grow = |body: &[u8], max_bytes| {
        let mut editor = Do {
            levels: ITEMS,
            with: |_: &str, _: &Item<'_>, attributes: Option<&mut AttributeEdits<'_>>| {
                let attributes = attributes.unwrap();
                attributes.upsert("key", "value");
                // Nothing hides that a limit was reached.
                attributes.delete("other");
                attributes.for_each(|key, _, _| if key.is_empty() { Change::Delete } else { Change::Keep });
                Decision::Keep
            },
        };
        edit(&sound(Signal::LOGS, body.to_vec()), &mut editor, max_bytes).map(|edited| edited.body.len())
    };
    let body = field(1, &field(2, &field(2, b"").repeat(100)));
    assert_eq!(grow(&body, 1000), Err(EditError::TooLarge { limit: 1000 }));
    assert!(grow(&body, 10_000).is_ok());
    let many = |count| record(&[field(6, b"").repeat(count)]);
    let limit = MAX_ATTRIBUTES;
    assert_eq!(grow(&many(limit + 1), MAX), Err(EditError::TooManyAttributes { limit }));
    assert_eq!(grow(&many(limit), MAX), Err(EditError::TooManyAttributes { limit }));
    assert!(grow(&many(limit - 1), MAX).is_ok());
}
