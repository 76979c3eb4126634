//! The OTLP messages as data: which fields a message has, of which kind, and what they hold.
//!
//! `table` is generated from the official descriptors (`tests/protocol/schema_refresh.rs` regenerates and compares
//! it); a new version of OTLP is a refresh of the table. Everything that needs to know a field asks here, nothing
//! else spells out a message.

mod table;

use crate::wire::WireType;
use std::fmt;

/// A message type.
#[derive(Debug)]
pub struct Message {
    /// Full name in protobuf: `opentelemetry.proto.trace.v1.Span`.
    pub name: &'static str,
    /// Its fields, in the order of their numbers.
    pub fields: &'static [Field],
    /// What to do with a field, by its tag's value (number and wire type), for numbers up to [`MAX_NUMBER`].
    pub(crate) steps: Steps,
    /// Where in `fields` the field of a number stands, for numbers up to [`MAX_NUMBER`]; [`NOWHERE`] if there is none.
    pub(crate) places: [u8; MAX_NUMBER as usize + 1],
}

/// A field of a [`Message`].
#[derive(Debug)]
pub struct Field {
    /// Its number, at most [`MAX_NUMBER`].
    pub number: u32,
    /// Its name in protobuf: `trace_id`.
    pub name: &'static str,
    /// Its name in the proto3 JSON mapping: `traceId`.
    pub json_name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How often it may stand.
    pub label: Label,
    /// The names of an enum's values with their numbers; of other kinds, and of an open enum's further values, none.
    pub values: &'static [(&'static str, i32)],
    /// The length of a trace, span or profile id, in bytes; 0 for all other fields. JSON has ids in hex, other bytes in
    /// base64.
    pub(crate) id_len: u8,
}

/// What a field holds: protobuf's own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "protobuf's own names")]
pub enum Kind {
    Bool,
    Bytes,
    Double,
    Enum,
    Fixed32,
    Fixed64,
    Float,
    Int32,
    Int64,
    /// A message; see [`Field::message`].
    Message(MessageRef),
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    String,
    Uint32,
    Uint64,
}

/// How often a field may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Once; its default is not written.
    Single,
    /// Once; absent differs from the default (`optional`).
    Optional,
    /// Any number of times; scalars are written packed, and read packed or not.
    Repeated,
    /// One arm of the message's `oneof` of that index, at most 7: the last arm counts.
    OneOf(u8),
}

/// A message that a field holds; shown by its name, compared by identity: messages hold one another in circles.
#[derive(Clone, Copy)]
pub struct MessageRef(&'static Message);

/// The largest field number that OTLP uses, with room to spare; larger ones are unknown fields.
pub const MAX_NUMBER: u32 = 31;

/// The place of a field that a message does not have.
pub(crate) const NOWHERE: u8 = u8::MAX;

/// Indexed by a tag's value; see [`step`].
pub(crate) type Steps = [u8; 256];

/// What a decoder does on a tag. From [`MESSAGE`](step::MESSAGE) on, a step is the place of a field that holds messages.
pub(crate) mod step {
    /// Not a field of the message, or not with this wire type.
    pub(crate) const UNKNOWN: u8 = 0;
    /// A varint.
    pub(crate) const VARINT: u8 = 1;
    /// Eight bytes.
    pub(crate) const FIXED64: u8 = 2;
    /// Four bytes.
    pub(crate) const FIXED32: u8 = 3;
    /// A length and bytes.
    pub(crate) const BYTES: u8 = 4;
    /// A length and UTF-8.
    pub(crate) const STRING: u8 = 5;
    /// A length and varints.
    pub(crate) const PACKED_VARINT: u8 = 6;
    /// A length and eights of bytes.
    pub(crate) const PACKED_FIXED64: u8 = 7;
    /// A length and fours of bytes.
    pub(crate) const PACKED_FIXED32: u8 = 8;
    /// A length and an id of 8 bytes, or of none.
    pub(crate) const ID8: u8 = 9;
    /// A length and an id of 16 bytes, or of none.
    pub(crate) const ID16: u8 = 10;
    /// A length and a message: the field's place in [`Message::fields`](super::Message::fields) is added.
    pub(crate) const MESSAGE: u8 = 16;
}

/// All messages, in the order of their names.
pub fn messages() -> &'static [Message] {
    &table::MESSAGES
}

/// The message of that full name.
pub fn message(name: &str) -> Option<&'static Message> {
    let index = table::MESSAGES.binary_search_by(|message| message.name.cmp(name)).ok()?;
    table::MESSAGES.get(index)
}

/// The message of that full name, for constants: what a signal of one's own has in common with OTLP's.
///
/// # Panics
/// If there is none; in a constant the compiler finds out.
#[expect(clippy::panic, reason = "documented; evaluated by the compiler")]
pub const fn constant(name: &str) -> &'static Message {
    let mut index = 0;
    while index < table::MESSAGES.len() {
        if is_same(table::MESSAGES[index].name, name) {
            return &table::MESSAGES[index];
        }
        index += 1;
    }
    panic!("no such message in the schema table")
}

const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut index = 0;
    while index < a.len() && index < b.len() && a[index] == b[index] {
        index += 1;
    }
    index == a.len() && index == b.len()
}

// === impl Message ===

impl Message {
    /// The field of that number.
    pub fn field(&self, number: u32) -> Option<&'static Field> {
        let place = self.places.get(number as usize)?;
        self.fields.get(usize::from(*place))
    }

    /// A message of that full name with these fields, for tables of one's own.
    ///
    /// # Panics
    /// If a field's number is above [`MAX_NUMBER`], or the index of its `oneof` above 7; in a constant the compiler
    /// finds out.
    pub const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        let mut steps = [step::UNKNOWN; 256];
        let mut places = [NOWHERE; MAX_NUMBER as usize + 1];
        let mut index = 0;
        while index < fields.len() {
            let field = &fields[index];
            // Who reads JSON keeps a bit for each oneof.
            assert!(!matches!(field.label, Label::OneOf(8..)), "a message has eight oneofs at most");
            let wire_type = field.kind.wire_type();
            places[field.number as usize] = index as u8;
            steps[(field.number << 3 | wire_type as u32) as usize] = field.step(index as u8);
            if matches!(field.label, Label::Repeated) && !matches!(wire_type, WireType::Len) {
                steps[(field.number << 3 | WireType::Len as u32) as usize] = field.kind.packed_step();
            }
            index += 1;
        }
        Self { name, fields, steps, places }
    }

    /// The message that a step of this one, from [`step::MESSAGE`] on, stands for.
    #[inline]
    pub(crate) fn of_step(&self, step: u8) -> Option<&'static Self> {
        self.fields.get(usize::from(step.wrapping_sub(step::MESSAGE)))?.message()
    }
}

// === impl Field ===

impl Field {
    /// A field, for tables of one's own.
    pub const fn new(
        number: u32,
        name: &'static str,
        json_name: &'static str,
        kind: Kind,
        label: Label,
    ) -> Self {
        let mut id_len = 0;
        let mut index = 0;
        while index < IDS.len() {
            if matches!(kind, Kind::Bytes) && is_same(name, IDS[index].0) {
                id_len = IDS[index].1;
            }
            index += 1;
        }
        Self { number, name, json_name, kind, label, values: &[], id_len }
    }

    /// The same field, an enum with these values.
    #[must_use]
    pub const fn of(self, values: &'static [(&'static str, i32)]) -> Self {
        Self { values, ..self }
    }

    /// The message it holds, if it holds messages.
    pub fn message(&self) -> Option<&'static Message> {
        match self.kind {
            Kind::Message(MessageRef(message)) => Some(message),
            _ => None,
        }
    }

    /// Whether it may stand any number of times.
    pub fn is_repeated(&self) -> bool {
        self.label == Label::Repeated
    }

    /// Whether it holds a trace, span or profile id.
    pub(crate) const fn is_id(&self) -> bool {
        self.id_len > 0
    }

    /// `place` is its own.
    const fn step(&self, place: u8) -> u8 {
        match (self.id_len, self.kind) {
            (8, _) => step::ID8,
            (16, _) => step::ID16,
            (_, Kind::Bytes) => step::BYTES,
            (_, Kind::String) => step::STRING,
            (_, Kind::Message(_)) => step::MESSAGE + place,
            (_, kind) => match kind.wire_type() {
                WireType::Fixed64 => step::FIXED64,
                WireType::Fixed32 => step::FIXED32,
                _ => step::VARINT,
            },
        }
    }

    /// Whether its values may be written in one length-delimited run.
    pub fn is_packable(&self) -> bool {
        self.is_repeated() && self.kind.wire_type() != WireType::Len
    }
}

// === impl MessageRef ===

impl std::ops::Deref for MessageRef {
    type Target = Message;

    fn deref(&self) -> &Message {
        self.0
    }
}

impl PartialEq for MessageRef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for MessageRef {}

impl fmt::Debug for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

// === impl Kind ===

impl Kind {
    /// Messages of that type.
    pub const fn message(message: &'static Message) -> Self {
        Self::Message(MessageRef(message))
    }

    /// The wire type of one value.
    pub const fn wire_type(self) -> WireType {
        match self {
            Self::Bytes | Self::String | Self::Message(_) => WireType::Len,
            Self::Double | Self::Fixed64 | Self::Sfixed64 => WireType::Fixed64,
            Self::Fixed32 | Self::Float | Self::Sfixed32 => WireType::Fixed32,
            Self::Bool
            | Self::Enum
            | Self::Int32
            | Self::Int64
            | Self::Sint32
            | Self::Sint64
            | Self::Uint32
            | Self::Uint64 => WireType::Varint,
        }
    }

    /// Whether a value is a string or bytes.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Bytes | Self::String)
    }

    const fn packed_step(self) -> u8 {
        match self.wire_type() {
            WireType::Fixed64 => step::PACKED_FIXED64,
            WireType::Fixed32 => step::PACKED_FIXED32,
            _ => step::PACKED_VARINT,
        }
    }
}

/// The ids by the names of their fields, and their lengths in bytes. OTLP §JSON Protobuf Encoding has trace and span ids
/// in hex wherever they stand; profile ids are in hex by the Collector's practice.
const IDS: [(&str, u8); 4] = [("trace_id", 16), ("span_id", 8), ("parent_span_id", 8), ("profile_id", 16)];
