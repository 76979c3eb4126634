//! Edits of fields beside the attributes of items, and of the parts of items.

use crate::by_hand::{field, sound};
use crate::edit::{ITEMS, Levels, MAX, attribute, edited, record};
use otlp_protocol::view::RequestView;
use otlp_protocol::{
    AttributeEdits, AttributeValue, Decision, Editor, Item, Part, Signal, ValidateLimits, edit, validate,
};

#[test]
fn strings_of_a_message_are_set_with_its_attributes() {
    const TRACE_STATE: u32 = 3;
    let (id, state) = (field(1, &[1; 16]), |text: &str| field(TRACE_STATE, text.as_bytes()));
    let (a, b) = (field(9, &attribute("a", "1")), field(9, &attribute("b", "2")));
    let span = |fields: &[&[u8]]| field(1, &field(2, &field(2, &fields.concat())));
    let set = |body: Vec<u8>, change: &dyn Fn(&mut AttributeEdits<'_>)| {
        let edited = edited(Signal::TRACES, &body, ITEMS, |_, _, attributes| {
            let attributes = attributes.unwrap();
            assert!(
                !attributes.set_string(1, "x")
                    && !attributes.set_string(9, "x")
                    && !attributes.set_string(40, "x")
            );
            change(attributes);
            Decision::Keep
        });
        edited.body.to_bytes().to_vec()
    };
    let only_state = |attributes: &mut AttributeEdits<'_>| assert!(attributes.set_string(TRACE_STATE, "new"));
    let both = |attributes: &mut AttributeEdits<'_>| {
        attributes.upsert("a", "3");
        attributes.set_string(TRACE_STATE, "lost");
        attributes.set_string(TRACE_STATE, "new");
    };
    let (new, a3) = (state("new"), field(9, &attribute("a", "3")));
    assert_eq!(set(span(&[&id, &a]), &only_state), span(&[&new, &id, &a]));
    assert_eq!(set(span(&[&state("x"), &id, &a, &state("y")]), &only_state), span(&[&new, &id, &a]));
    assert_eq!(set(span(&[&b, &a, &state("x"), &id]), &both), span(&[&new, &b, &a3, &id]));
    assert_eq!(set(span(&[&id]), &both), span(&[&new, &id, &a3]));
}

#[test]
fn a_scope_that_was_absent_gets_a_name() {
    let scopes = Levels { resources: false, scopes: true, entries: false, items: false };
    let body = record(&[]);
    let edited = edited(Signal::LOGS, &body, scopes, |_, _, attributes| {
        assert!(attributes.unwrap().set_string(1, "lib"));
        Decision::Keep
    });
    let bytes = edited.body.to_bytes();
    let record = RequestView::new(Signal::LOGS, &bytes).log_records().next().unwrap();
    assert_eq!(record.scope().name(), "lib");
}

/// Tags the parts and the items, and drops parts that say so.
struct Parts;

impl Editor for Parts {
    fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.upsert("item", 1);
        Decision::Keep
    }

    fn shows_parts(&self) -> bool {
        true
    }

    fn part(&mut self, item: &Item<'_>, part: Part<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        assert!(item.entry.len() > part.message.len());
        if attributes.get("drop").is_some() {
            return Decision::Drop;
        }
        attributes.upsert("part", part.field);
        Decision::Keep
    }
}

#[test]
fn parts_of_items_are_edited_inside_them() {
    let tag = |number, key: &str, value: &[u8]| {
        field(number, &[field(1, key.as_bytes()), field(2, value)].concat())
    };
    let (text, one) = (|text: &str| field(1, text.as_bytes()), [0x18, 1]);
    let item = |number| tag(number, "item", &one);
    let dropped = tag(3, "drop", &text("x"));
    // Parts at the end of the span, and in front of its attributes.
    let event = |rest: &[u8]| field(11, &[&field(2, b"e")[..], rest].concat());
    let link = |rest: &[u8]| field(13, &[&field(1, &[1; 16])[..], &field(2, &[1; 8]), rest].concat());
    let span = |fields: &[&[u8]]| {
        field(
            1,
            &field(2, &field(2, &[&field(1, &[1; 16])[..], &field(2, &[1; 8]), &fields.concat()].concat())),
        )
    };
    let check = |from: Vec<u8>, to: Vec<u8>, signal| {
        let edited = edit(&sound(signal, from), &mut Parts, MAX).unwrap();
        assert_eq!(edited.body.to_bytes(), to);
        validate(signal, &edited.body.to_bytes(), &ValidateLimits::default()).unwrap();
    };
    let (name, attribute) = (field(5, b"n"), field(9, &attribute("a", "1")));
    check(
        span(&[&name, &attribute, &event(&[]), &event(&dropped), &link(&[])]),
        span(&[
            &name,
            &attribute,
            &event(&tag(3, "part", &text("events"))),
            &link(&tag(4, "part", &text("links"))),
            &item(9),
        ]),
        Signal::TRACES,
    );
    check(
        span(&[&event(&dropped), &attribute, &event(&[])]),
        span(&[&attribute, &event(&tag(3, "part", &text("events"))), &item(9)]),
        Signal::TRACES,
    );
    let metric = |point: &[u8]| field(1, &field(2, &field(2, &field(5, &field(1, point)))));
    check(
        metric(&field(5, &[])),
        metric(&[field(5, &tag(7, "part", &text("exemplars"))), item(7)].concat()),
        Signal::METRICS,
    );
}

#[test]
fn the_body_of_a_log_record_is_set() {
    let value = AttributeValue::array(["a"]);
    let edited = edited(
        Signal::LOGS,
        &record(&[field(5, &field(1, b"x")), field(3, b"INFO")]),
        ITEMS,
        |_, _, edits| {
            let edits = edits.unwrap();
            assert!(edits.set_value(5, &value) && !edits.set_value(3, &value) && !edits.set_value(6, &value));
            Decision::Keep
        },
    );
    assert_eq!(edited.body.to_bytes(), record(&[field(5, value.as_bytes()), field(3, b"INFO")]));
}
