//! Edits, repair and partition of any body, against the same done to lists.

use bytes::Bytes;
use otlp_protocol::{
    AttributeEdits, AttributeValue, Body, Decision, Editor, Item, Put, Repairs, ValidateLimits, partition,
    repair,
};

const MAX_BYTES: usize = 1 << 24;

/// The attributes of one message: keys and encoded values.
type List = Vec<(String, Vec<u8>)>;

/// What is done to each message: an operation and its keys.
#[derive(Clone, Copy)]
struct Operation {
    which: u8,
    from: usize,
    to: usize,
}

/// Reads all lists, and does the operation to them.
struct Edits {
    levels: [bool; 4],
    operation: Option<Operation>,
    drop: u8,
    seen: u8,
    lists: Vec<List>,
}

/// A body of any bytes is repaired, edited and cut without a panic; of a sound one, what is there afterwards is what
/// the same edits of lists give.
pub fn edit(data: &[u8]) {
    let Some((signal, data)) = super::signal(data) else { return };
    let Some((&[levels, keys], body)) = data.split_first_chunk() else { return };
    let body = Bytes::copy_from_slice(body);
    let limits = ValidateLimits::default();
    let which = (levels >> 4) % 6;
    let operation = Operation { which, from: usize::from(keys & 7), to: usize::from(keys >> 3 & 7) };
    let drop = [20, 60, 120, 200][usize::from(keys >> 6)];
    let shown = [1, 2, 4, 8].map(|level| levels & level != 0);
    let run = |body: &Body, operation, drop| {
        let mut edits = Edits { levels: shown, operation, drop, seen: 0, lists: Vec::new() };
        let edited = otlp_protocol::edit(body, &mut edits, MAX_BYTES);
        (edited, edits.lists)
    };
    let Ok(repaired) = repair(signal, &body, &limits, Repairs::default(), MAX_BYTES) else {
        let count = otlp_protocol::count(signal, &body).unwrap_or_default();
        let unsound = Body::unchecked(signal, body, count, true);
        let _ = run(&unsound, Some(operation), drop);
        partition(&unsound, 3, |item| item.entry.len());
        return;
    };
    let sound = repaired.body;
    let bytes = sound.plain().to_contiguous();
    let checked = otlp_protocol::validate(signal, &bytes, &limits).expect("a repaired body is sound");
    assert_eq!((checked.count, checked.mergeable), (sound.count(), sound.is_mergeable()));
    let is_changed = repaired.strings + repaired.ids > 0 || repaired.rejected.is_some();
    assert_eq!(is_changed, bytes != body);
    check_partition(&sound);

    let (Ok(dropped), _) = run(&sound, Some(operation), drop) else { return };
    let mut count = sound.count();
    count -= dropped.dropped;
    assert_eq!(dropped.body.count(), count);
    let checked = otlp_protocol::validate(signal, &dropped.body.plain().to_contiguous(), &limits);
    assert_eq!(checked.expect("an edited body is sound").count, count);

    let (read, before) = run(&sound, None, 0);
    assert!(!read.expect("a sound body can be read").changed);
    let (edited, _) = run(&sound, Some(operation), 0);
    let edited = edited.expect("what can be read can be changed").body;
    let (_, after) = run(&edited, None, 0);
    let expect: Vec<List> = before.into_iter().map(|list| operation.on_list(list)).collect();
    assert_eq!(after, expect);
}

fn check_partition(body: &Body) {
    let parts = partition(body, 3, |item| item.point.unwrap_or(item.entry).len() % 3);
    let mut found = 0;
    for part in parts.into_iter().flatten() {
        let bytes = part.plain().to_contiguous();
        let checked = otlp_protocol::validate(body.signal(), &bytes, &ValidateLimits::default());
        assert_eq!(checked.expect("a part of a sound body is sound").count, part.count());
        found += part.count().items;
    }
    assert_eq!(found, body.count().items);
}

impl Operation {
    /// The keys it is about: ones of the list, or a new one.
    fn keys(self, list: &List) -> (String, String) {
        let key = |index: usize| list.get(index).map_or("new", |(key, _)| key).to_owned();
        (key(self.from), key(self.to))
    }

    fn on_message(self, edits: &mut AttributeEdits<'_>, list: &List) {
        let (from, to) = self.keys(list);
        match self.which {
            0 => edits.upsert(&from, 7),
            1 => drop(edits.delete(&from)),
            2 => drop(edits.rename(&from, &to)),
            3 => drop(edits.put_from(Put::Insert, &to, &from)),
            4 => drop(edits.update(&from, "")),
            _ => drop(edits.put_from(Put::Upsert, &to, &from)),
        }
    }

    fn on_list(self, mut list: List) -> List {
        let (from, to) = self.keys(&list);
        let value = list.iter().find(|(key, _)| *key == from).map(|(_, value)| value.clone());
        let encoded = |value: AttributeValue| value.as_bytes().to_vec();
        match self.which {
            0 => put(&mut list, Put::Upsert, &from, encoded(AttributeValue::int(7))),
            1 => list.retain(|(key, _)| *key != from),
            2 if value.is_some() && from != to => {
                list.retain(|(key, _)| *key != to);
                let mut first = true;
                list.retain(|(key, _)| *key != from || std::mem::take(&mut first));
                list.iter_mut().filter(|(key, _)| *key == from).for_each(|(key, _)| key.clone_from(&to));
            }
            2 => {}
            4 => put(&mut list, Put::Update, &from, encoded(AttributeValue::string(""))),
            which => {
                let condition = if which == 3 { Put::Insert } else { Put::Upsert };
                value.into_iter().for_each(|value| put(&mut list, condition, &to, value));
            }
        }
        list
    }
}

fn put(list: &mut List, condition: Put, key: &str, value: Vec<u8>) {
    match (list.iter().position(|(found, _)| found == key), condition) {
        (Some(index), Put::Update | Put::Upsert) => {
            list[index].1 = value;
            let mut first = true;
            list.retain(|(found, _)| found != key || std::mem::take(&mut first));
        }
        (None, Put::Insert | Put::Upsert) => list.push((key.to_owned(), value)),
        _ => {}
    }
}

impl Edits {
    fn message(&mut self, edits: &mut AttributeEdits<'_>) -> Decision {
        let mut list = List::new();
        edits.for_each(|key, value, _| {
            list.push((key.to_owned(), value.to_vec()));
            otlp_protocol::Change::Keep
        });
        if edits.is_editable() {
            self.operation.into_iter().for_each(|operation| operation.on_message(edits, &list));
            self.lists.push(list);
        }
        self.decide()
    }

    fn decide(&mut self) -> Decision {
        self.seen = self.seen.wrapping_mul(5).wrapping_add(3);
        if self.seen < self.drop { Decision::Drop } else { Decision::Keep }
    }
}

impl Editor for Edits {
    fn resource(&mut self, _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        if self.levels[0] { self.message(attributes) } else { Decision::SkipLevel }
    }

    fn scope(&mut self, _: &[u8], _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        if self.levels[1] { self.message(attributes) } else { Decision::SkipLevel }
    }

    fn entry(&mut self, _: &Item<'_>) -> Decision {
        if self.levels[2] { self.decide() } else { Decision::SkipLevel }
    }

    fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        if self.levels[3] { self.message(attributes) } else { Decision::SkipLevel }
    }
}
