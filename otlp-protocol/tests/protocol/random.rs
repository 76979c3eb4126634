//! Random messages of the schema, encoded in every way that protobuf allows: fields in any order, singular ones given
//! twice, several arms of a oneof, padded varints, packed and unpacked, unknown fields and groups.

use otlp_protocol::schema::{Field, Kind, Message};
use otlp_protocol::wire::{WireType, put_varint};

/// A small generator of random numbers: the same seed gives the same message.
pub(crate) struct Random {
    state: u64,
    /// How many more messages may be begun, so that depth does not multiply.
    messages_left: usize,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, messages_left: 60 }
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// A random message; nothing is nested deeper than `depth`.
pub(crate) fn message(random: &mut Random, schema: &Message, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let fields = if random.messages_left == 0 { 0 } else { random.below(8) };
    random.messages_left = random.messages_left.saturating_sub(1);
    for _ in 0..fields {
        if random.one_in(12) {
            unknown(random, schema, &mut out);
        }
        // Repeated messages are what envelopes, entries and points are: have more of them.
        let repeated: Vec<&Field> =
            schema.fields.iter().filter(|field| field.is_repeated() && field.message().is_some()).collect();
        let among_repeated = !repeated.is_empty() && random.one_in(2);
        let field = if among_repeated {
            repeated[random.below(repeated.len())]
        } else {
            &schema.fields[random.below(schema.fields.len())]
        };
        let times = if field.is_repeated() { 1 + random.below(4) } else { 1 };
        for _ in 0..times {
            known(random, field, depth, &mut out);
        }
    }
    out
}

fn known(random: &mut Random, field: &Field, depth: usize, out: &mut Vec<u8>) {
    if let Some(child) = field.message() {
        let value = if depth == 0 { Vec::new() } else { message(random, child, depth - 1) };
        len_delimited(random, field.number, &value, out);
        return;
    }
    match field.kind {
        Kind::String => {
            let text: String = (0..random.below(40)).map(|_| character(random)).collect();
            len_delimited(random, field.number, text.as_bytes(), out);
        }
        Kind::Bytes => {
            let len = match id_len(field) {
                Some(_) if random.one_in(8) => 0,
                Some(len) => len,
                None => random.below(20),
            };
            let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
            len_delimited(random, field.number, &bytes, out);
        }
        kind if field.is_packable() && random.one_in(2) => {
            let mut run = Vec::new();
            (0..random.below(5)).for_each(|_| scalar(random, kind.wire_type(), &mut run));
            len_delimited(random, field.number, &run, out);
        }
        kind => {
            tag(random, field.number, kind.wire_type(), out);
            scalar(random, kind.wire_type(), out);
        }
    }
}

/// The length of a trace, span or profile id.
fn id_len(field: &Field) -> Option<usize> {
    match field.name {
        "trace_id" | "profile_id" => Some(16),
        "span_id" | "parent_span_id" => Some(8),
        _ => None,
    }
}

fn unknown(random: &mut Random, schema: &Message, out: &mut Vec<u8>) {
    let number = [17 + random.below(15), 100 + random.below(1000), (1 << 29) - 1][random.below(3)] as u32;
    if schema.field(number).is_some() {
        return;
    }
    match random.below(5) {
        0 => {
            tag(random, number, WireType::StartGroup, out);
            tag(random, 1, WireType::Varint, out);
            scalar(random, WireType::Varint, out);
            tag(random, number, WireType::EndGroup, out);
        }
        1 => len_delimited(random, number, b"unknown\xff", out),
        kind => {
            let wire_type = [WireType::Varint, WireType::Fixed32, WireType::Fixed64][kind - 2];
            tag(random, number, wire_type, out);
            scalar(random, wire_type, out);
        }
    }
}

fn scalar(random: &mut Random, wire_type: WireType, out: &mut Vec<u8>) {
    let value = random.next();
    match wire_type {
        WireType::Fixed32 => out.extend_from_slice(&(value as u32).to_le_bytes()),
        WireType::Fixed64 => out.extend_from_slice(&value.to_le_bytes()),
        _ => {
            let bits = random.below(64);
            varint(random, value >> bits, out);
        }
    }
}

fn len_delimited(random: &mut Random, number: u32, value: &[u8], out: &mut Vec<u8>) {
    tag(random, number, WireType::Len, out);
    let padding = if random.one_in(20) { 1 + random.below(3) } else { 0 };
    padded(value.len() as u64, padding, MAX_TAG_BYTES, out);
    out.extend_from_slice(value);
}

fn tag(random: &mut Random, number: u32, wire_type: WireType, out: &mut Vec<u8>) {
    let value = u64::from(number) << 3 | wire_type as u64;
    padded(value, usize::from(random.one_in(40)), MAX_TAG_BYTES, out);
}

/// Now and then longer than need be.
fn varint(random: &mut Random, value: u64, out: &mut Vec<u8>) {
    let padding = if random.one_in(20) { 1 + random.below(3) } else { 0 };
    padded(value, padding, 10, out);
}

/// With so many bytes more than need be, but not more than `most` in all.
fn padded(value: u64, padding: usize, most: usize, out: &mut Vec<u8>) {
    let start = out.len();
    put_varint(out, value);
    let padding = padding.min(most - (out.len() - start));
    if padding > 0 {
        *out.last_mut().unwrap() |= 0x80;
        out.extend(std::iter::repeat_n(0x80, padding - 1));
        out.push(0);
    }
}

fn character(random: &mut Random) -> char {
    match random.below(30) {
        0 => 'é',
        1 => '日',
        2 => '🦀',
        _ => char::from(b' ' + random.below(95) as u8),
    }
}

/// Some decoders refuse longer tags and lengths.
const MAX_TAG_BYTES: usize = 5;
