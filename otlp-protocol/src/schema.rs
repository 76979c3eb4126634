//! The messages of OTLP as a table of fields and their types.
//!
//! The table is generated from the official descriptors: `tests/protocol/schema_refresh.rs` regenerates and compares it. Code
//! that handles all messages alike reads this table.

mod table;

use crate::wire::WireType;
use std::fmt;

/// A message type.
#[derive(Debug)]
pub struct Message {
    /// Full name in protobuf: `opentelemetry.proto.trace.v1.Span`.
    pub name: &'static str,
    /// Fields, in the order of their numbers.
    pub fields: &'static [Field],
    /// Steps of the validation by tag (number and wire type), for numbers up to [`MAX_NUMBER`].
    pub(crate) steps: Steps,
    /// Indices in `fields` by field number, for numbers up to [`MAX_NUMBER`]; [`NOWHERE`] for unknown numbers.
    pub(crate) places: [u8; MAX_NUMBER as usize + 1],
}

/// A field of a [`Message`].
#[derive(Debug)]
pub struct Field {
    /// Number, at most [`MAX_NUMBER`].
    pub number: u32,
    /// Name in protobuf: `trace_id`.
    pub name: &'static str,
    /// Name in the proto3 JSON mapping: `traceId`.
    pub json_name: &'static str,
    /// Type of the values.
    pub kind: Kind,
    /// Cardinality.
    pub label: Label,
    /// Names and numbers of an enum's values; empty for other types.
    pub values: &'static [(&'static str, i32)],
    /// Length of a trace, span or profile id, in bytes; 0 for all other fields. JSON has ids in hex, other bytes in base64.
    pub(crate) id_len: u8,
}

/// Type of a field, by protobuf's names.
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

/// Cardinality of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// At most once; the default is not written.
    Single,
    /// At most once; an absent field differs from the default (`optional`).
    Optional,
    /// Any number of times; scalars are written packed, and read packed or not.
    Repeated,
    /// An arm of the message's `oneof` with this index, at most 7. The last arm counts.
    OneOf(u8),
}

/// The message type of a field. `Debug` shows the name, and comparison is by identity: message types can contain themselves.
#[derive(Clone, Copy)]
pub struct MessageRef(&'static Message);

/// The largest number of a known field. Larger numbers are unknown fields.
pub const MAX_NUMBER: u32 = 31;

/// The index of an unknown field.
pub(crate) const NOWHERE: u8 = u8::MAX;

/// Steps by tag; see [`step`].
pub(crate) type Steps = [u8; 256];

/// Steps of the validation for a tag. Steps from [`MESSAGE`](step::MESSAGE) on contain the index of a field of a message type.
pub(crate) mod step {
    /// An unknown field, or a wrong wire type.
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
    /// A length and values of eight bytes.
    pub(crate) const PACKED_FIXED64: u8 = 7;
    /// A length and values of four bytes.
    pub(crate) const PACKED_FIXED32: u8 = 8;
    /// A length and an id of 8 bytes or none.
    pub(crate) const ID8: u8 = 9;
    /// A length and an id of 16 bytes or none.
    pub(crate) const ID16: u8 = 10;
    /// A length and a message. The field's index in [`Message::fields`](super::Message::fields) is added.
    pub(crate) const MESSAGE: u8 = 16;
}

/// Returns all messages, in the order of their names.
pub fn messages() -> &'static [Message] {
    &table::MESSAGES
}

/// Returns the message with a full name.
pub fn message(name: &str) -> Option<&'static Message> {
    let index = table::MESSAGES.binary_search_by(|message| message.name.cmp(name)).ok()?;
    table::MESSAGES.get(index)
}

/// Returns the message with a full name, in constants: for signals of your own that use messages of OTLP.
///
/// # Panics
/// If there is no such message. In a constant this is a compile error.
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
    /// Returns the field with a number.
    pub fn field(&self, number: u32) -> Option<&'static Field> {
        let place = self.places.get(number as usize)?;
        self.fields.get(usize::from(*place))
    }

    /// Makes a message with a full name and fields, for signals of your own.
    ///
    /// # Panics
    /// If a field's number is above [`MAX_NUMBER`], or the index of its `oneof` is above 7. In a constant this is a compile
    /// error.
    pub const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        let mut steps = [step::UNKNOWN; 256];
        let mut places = [NOWHERE; MAX_NUMBER as usize + 1];
        let mut index = 0;
        while index < fields.len() {
            let field = &fields[index];
            // The JSON reader keeps a bit for each oneof.
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

    /// Returns the message type of a step from [`step::MESSAGE`] on.
    #[inline]
    pub(crate) fn of_step(&self, step: u8) -> Option<&'static Self> {
        self.fields.get(usize::from(step.wrapping_sub(step::MESSAGE)))?.message()
    }
}

// === impl Field ===

impl Field {
    /// Makes a field, for signals of your own.
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

    /// Adds the names and numbers of an enum's values.
    #[must_use]
    pub const fn of(self, values: &'static [(&'static str, i32)]) -> Self {
        Self { values, ..self }
    }

    /// Returns the message type, if the field has one.
    pub fn message(&self) -> Option<&'static Message> {
        match self.kind {
            Kind::Message(MessageRef(message)) => Some(message),
            _ => None,
        }
    }

    /// True if the field is repeated.
    pub fn is_repeated(&self) -> bool {
        self.label == Label::Repeated
    }

    /// True for a trace, span or profile id.
    pub(crate) const fn is_id(&self) -> bool {
        self.id_len > 0
    }

    /// Returns the step for the field. `place` is its index in the message.
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

    /// True if the values may be packed into one length-delimited field.
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
    /// Makes the type of fields with a message.
    pub const fn message(message: &'static Message) -> Self {
        Self::Message(MessageRef(message))
    }

    /// Returns the wire type of one value.
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

    /// True for strings and bytes.
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

/// Names of the id fields, and the lengths of the ids in bytes. JSON has all trace and span ids in hex (OTLP §JSON Protobuf
/// Encoding), and profile ids as the Collector writes them.
const IDS: [(&str, u8); 4] = [("trace_id", 16), ("span_id", 8), ("parent_span_id", 8), ("profile_id", 16)];
