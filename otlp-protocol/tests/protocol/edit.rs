//! Edits on bodies written by hand; `edit_properties.rs` has the rules for all others.

use crate::by_hand::{field, sound};
use bytes::Bytes;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{
    AttributeEdits, AttributeValue, Change, Count, EditError, Edited, Editor, Fate, Item, Levels,
    MAX_ATTRIBUTES, Put, Signal, ValidateLimits, Value, edit, validate,
};

/// An editor made of closures.
pub(crate) struct Do<F> {
    pub(crate) levels: Levels,
    pub(crate) with: F,
}

impl<F: FnMut(&str, &Item<'_>, Option<&mut AttributeEdits<'_>>) -> Fate> Editor for Do<F> {
    fn levels(&self) -> Levels {
        self.levels
    }

    fn resource(&mut self, resource: &[u8], attributes: &mut AttributeEdits<'_>) -> Fate {
        (self.with)("resource", &Item { resource, ..Item::default() }, Some(attributes))
    }

    fn scope(&mut self, resource: &[u8], scope: &[u8], attributes: &mut AttributeEdits<'_>) -> Fate {
        (self.with)("scope", &Item { resource, scope, ..Item::default() }, Some(attributes))
    }

    fn entry(&mut self, item: &Item<'_>) -> Fate {
        (self.with)("entry", item, None)
    }

    fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Fate {
        (self.with)("item", item, Some(attributes))
    }
}

const MAX: usize = 64 << 20;
const ITEMS: Levels = Levels { resources: false, scopes: false, entries: false, items: true };
const RESOURCES: Levels = Levels { resources: true, scopes: false, entries: false, items: false };

fn attribute(key: &str, value: &str) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat()
}

/// A body of one log record with these fields.
fn record(fields: &[Vec<u8>]) -> Vec<u8> {
    field(1, &field(2, &field(2, &fields.concat())))
}

fn edited(
    signal: Signal,
    body: &[u8],
    levels: Levels,
    with: impl FnMut(&str, &Item<'_>, Option<&mut AttributeEdits<'_>>) -> Fate,
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
        Fate::Keep
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
    for (value, expect) in [
        (Value::Empty, AnyValue::Empty),
        (Value::from(true), AnyValue::Bool(true)),
        (Value::from(-1), AnyValue::Int(-1)),
        (Value::from(f64::MIN), AnyValue::Double(f64::MIN)),
        (Value::from(""), AnyValue::String("")),
        (Value::from("é"), AnyValue::String("é")),
        (Value::Bytes(b"\xff"), AnyValue::Bytes(b"\xff")),
    ] {
        let body = record(&[]);
        let edited = edited(Signal::LOGS, &body, ITEMS, |_, _, attributes| {
            let attributes = attributes.unwrap();
            attributes.upsert("key", value);
            assert_eq!(attributes.value("key"), Some(expect));
            Fate::Keep
        });
        assert!(edited.changed, "{value:?}");
        let body = edited.body.plain().to_contiguous();
        let mut read = None;
        super::edit::edited(Signal::LOGS, &body, ITEMS, |_, _, attributes| {
            read = Some(attributes.unwrap().value("key") == Some(expect));
            Fate::Keep
        });
        assert_eq!(read, Some(true), "{value:?}");
    }
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
        Fate::Keep
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
        Fate::Keep
    });
    assert_eq!(edited.body.plain().to_contiguous(), body([&c, &d]));
}

#[test]
fn an_absent_resource_or_scope_is_made_when_it_gets_an_attribute() {
    let levels = Levels { resources: true, scopes: true, ..Levels::default() };
    let body = field(1, &field(2, &field(2, b"")));
    let unchanged = edited(Signal::TRACES, &body, levels, |_, item, attributes| {
        assert!(item.resource.is_empty() && attributes.unwrap().iter().next().is_none());
        Fate::Keep
    });
    assert!(!unchanged.changed);
    let edited = edited(Signal::TRACES, &body, levels, |level, _, attributes| {
        attributes.unwrap().upsert("level", level);
        Fate::Keep
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
        if item.entry == field(5, b"x") { Fate::Drop } else { Fate::Keep }
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
        if time == 5 { Fate::Keep } else { Fate::Drop }
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
            Fate::Keep
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
        Fate::Keep
    });
    assert!(!edited.changed);
}

#[test]
fn what_does_not_change_is_the_same_memory() {
    let body = Bytes::from(record(&[field(6, &attribute("a", "1"))]));
    let mut editor =
        Do { levels: ITEMS, with: |_: &str, _: &Item<'_>, _: Option<&mut AttributeEdits<'_>>| Fate::Keep };
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
            Fate::Keep
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
                Fate::Keep
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
