//! Every walk over a body is linear in its length, for the shapes in which repeated work would show.

use crate::json::{JsonLimits, from_protobuf, to_protobuf};
use crate::view::RequestView;
use crate::wire::put_len_delimited;
use crate::{
    AttributeEdits, Batch, Body, Charge, Decision, Editor, Item, Merge, Repairs, Signal, SplitLimits,
    ValidateLimits, count, edit, partition, parts, repair, validate,
};
use bytes::Bytes;
use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn add(steps: usize) {
    STEPS.set(STEPS.get() + steps);
}

fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}

/// Messages inside one another, the outermost first.
fn nest(numbers: &[u32], value: Vec<u8>) -> Vec<u8> {
    numbers.iter().rev().fold(value, |value, &number| field(number, &value))
}

/// Makes a body with `size` of what may be many.
type Shape = (&'static str, Signal, fn(usize) -> Vec<u8>);

/// A large resource, scope or entry around many items; many envelopes; messages in pieces; what has to be repaired.
const SHAPES: &[Shape] = &[
    ("records", Signal::LOGS, |size| {
        let scope = [nest(&[1], field(3, b"").repeat(size)), field(2, b"").repeat(size)].concat();
        field(1, &[nest(&[1], field(1, b"").repeat(size)), field(2, &scope)].concat())
    }),
    ("unknown fields", Signal::LOGS, |size| {
        let unknown = [0xa8, 0x06, 0x01].repeat(size);
        let record = field(2, &[0x10, 0x01]);
        let scope = [unknown.as_slice(), &record.repeat(size)].concat();
        field(1, &[unknown.as_slice(), &field(2, &scope)].concat())
    }),
    ("scopes", Signal::TRACES, |size| {
        let scope = field(2, &[field(1, b""), field(2, &field(1, &[7; 16]))].concat());
        field(1, &[nest(&[1], field(1, b"").repeat(size)), scope.repeat(size)].concat())
    }),
    ("resources", Signal::TRACES, |size| nest(&[1, 2, 2], field(5, b"a")).repeat(size)),
    ("points", Signal::METRICS, |size| {
        let metric = [field(12, b"").repeat(size), field(5, &field(1, b"").repeat(size))].concat();
        nest(&[1, 2, 2], metric)
    }),
    ("containers", Signal::METRICS, |size| nest(&[1, 2, 2], nest(&[5, 1], vec![]).repeat(size))),
    ("samples", Signal::PROFILES, |size| {
        let profiles = nest(&[1, 2, 2], field(2, b"").repeat(size));
        [profiles, field(2, &field(5, b"key").repeat(size))].concat()
    }),
    ("pieces", Signal::LOGS, |size| {
        field(1, &[nest(&[1, 1], field(1, b"k")), nest(&[2, 2], vec![])].concat().repeat(size))
    }),
    ("bad strings", Signal::LOGS, |size| nest(&[1, 2], field(2, &field(3, b"\xff")).repeat(size))),
    ("bad ids", Signal::LOGS, |size| nest(&[1, 2], field(2, &field(9, b"\xff")).repeat(size))),
    ("bad spans", Signal::TRACES, |size| {
        nest(&[1, 2], [field(2, b""), field(2, &field(1, b"?"))].concat().repeat(size))
    }),
    ("links", Signal::TRACES, |size| nest(&[1, 2, 2], field(13, &field(1, b"?")).repeat(size))),
    ("attributes", Signal::TRACES, |size| {
        let value = field(2, &field(1, b"v"));
        nest(&[1, 2, 2], field(9, &[field(1, b"k"), value].concat()).repeat(size))
    }),
    ("lists", Signal::LOGS, |size| nest(&[1, 2, 2, 5, 5], field(1, &field(5, b"")).repeat(size))),
];

/// Sees everything and changes an attribute of each.
struct Upsert;

impl Editor for Upsert {
    fn resource(&mut self, _resource: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.upsert("k", 1);
        Decision::Keep
    }

    fn scope(&mut self, _resource: &[u8], _scope: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.upsert("k", 1);
        Decision::Keep
    }

    fn item(&mut self, _item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        attributes.upsert("k", 1);
        Decision::Keep
    }
}

const MAX: usize = 64 << 20;

/// Some shapes have bad strings and ids, which nothing but the check looks at.
fn trusted(signal: Signal, body: &Bytes) -> Body {
    Body::unchecked(signal, body.clone(), count(signal, body).unwrap(), false)
}

type Walker = (&'static str, fn(Signal, &Bytes));

const WALKERS: &[Walker] = &[
    ("validate", |signal, body| drop(validate(signal, body, &ValidateLimits::default()))),
    ("count", |signal, body| assert!(count(signal, body).is_ok())),
    ("repair", |signal, body| {
        repair(signal, body, &ValidateLimits::default(), Repairs::default(), MAX).unwrap();
    }),
    ("split by items", |signal, body| {
        // A number of parts that does not grow.
        let items = count(signal, body).unwrap().items;
        let limits = SplitLimits { max_items: Some(items / 8 + 1), max_bytes: None };
        assert!(parts(&trusted(signal, body), limits).count() <= 9);
    }),
    ("split by bytes", |signal, body| {
        let limits = SplitLimits { max_items: None, max_bytes: Some(body.len() / 8) };
        parts(&trusted(signal, body), limits).for_each(drop);
    }),
    ("merge", |signal, body| {
        let count = count(signal, body).unwrap();
        let batch = || Batch::unchecked(signal, body.clone(), count, true, Charge::none());
        let mut merge = Merge::new(batch());
        (1..4).for_each(|_| merge.push(batch()).unwrap());
        assert_eq!(merge.finish().items(), 4 * count.items);
    }),
    ("partition", |signal, body| {
        let mut next = 0;
        let parts = partition(&trusted(signal, body), 4, |_| {
            next += 1;
            next % 4
        });
        assert!(parts.iter().flatten().count() > 0);
    }),
    ("edit", |signal, body| {
        edit(&trusted(signal, body), &mut Upsert, MAX).unwrap();
    }),
    ("JSON", |signal, body| {
        let mut text = Vec::new();
        if from_protobuf(signal.request, body, MAX, &mut text).is_ok() {
            to_protobuf(signal.request, &text, &JsonLimits::default(), &mut Vec::new()).unwrap();
        }
    }),
    ("views", |signal, body| {
        for resource in RequestView::new(signal, body).resources() {
            let attributes = resource.resource().attributes().iter().count();
            let scopes = resource.scopes();
            let entries =
                scopes.map(|scope| scope.scope().attributes().iter().count() + scope.entries().count());
            assert!(attributes + entries.sum::<usize>() < usize::MAX);
        }
    }),
];

#[test]
fn walks_are_linear() {
    for (shape, signal, make) in SHAPES {
        for (walker, walk) in WALKERS {
            let [(small, steps), (large, twice)] = [1_500, 3_000].map(|size| {
                let body = Bytes::from(make(size));
                STEPS.set(0);
                walk(*signal, &body);
                (body.len(), STEPS.get())
            });
            let allowed = steps * large / small * 11 / 10 + 500;
            assert!(twice <= allowed, "{walker} of {shape}: {steps} steps, and {twice} for twice as much");
            // A few looks at each level.
            assert!(twice <= 60 * large, "{walker} of {shape}: {twice} steps for {large} bytes");
        }
    }
}
