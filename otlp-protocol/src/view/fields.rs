//! Lazy reading of a message's fields, for all views.
//!
//! A singular message may be given several times. Protobuf merges the pieces, which equals reading them one after the other.
//! A view is one slice, or the pieces at a path of field numbers within an enclosing slice. In OTLP at most two singular
//! messages nest inside a repeated message (`KeyValue.value.kvlist_value`): the path has room for two.

use super::plain::{self, Unusual};
use crate::field::LastArm;
use crate::wire::{Cursor, WireType};
use std::iter::FusedIterator;

/// A message to be read: its bytes, or the position of its pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    /// Path of field numbers to the pieces; 0 ends the path.
    path: [u8; MAX_PATH],
    /// Pieces that start before this offset in `bytes` do not count: another arm of the `oneof` replaced them.
    from: usize,
}

/// Iterator over the fields of a message, in order. Ends at malformed bytes.
#[derive(Clone, Debug)]
pub(super) struct FieldIter<'a> {
    piece: Cursor<'a>,
    /// Start of the piece in the enclosing bytes.
    base: usize,
    rest: Option<Pieces<'a>>,
}

/// Iterator over the encodings of one message: one slice, or several if a singular message was given several times. Their
/// concatenation is an encoding of the whole message.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    fields: Fields<'a>,
    outer: Cursor<'a>,
    /// Start of the current piece of the outer message in the enclosing bytes, and the piece.
    inner: Option<(usize, Cursor<'a>)>,
    whole: Option<&'a [u8]>,
}

/// Value of a field by its wire type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    Fixed32(u32),
    Fixed64(u64),
    Len(&'a [u8]),
    Varint(u64),
}

/// The arm of a `oneof` that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arm<'a> {
    pub(super) number: u32,
    pub(super) value: Raw<'a>,
    /// Fields of the arm, if it is a message.
    pub(super) fields: Fields<'a>,
}

const MAX_PATH: usize = 2;

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, path: [0; MAX_PATH], from: 0 }
    }

    /// Returns the enclosing bytes: the message itself, if it is one slice.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn pieces(self) -> Pieces<'a> {
        let whole = (self.path[0] == 0).then_some(self.bytes);
        Pieces { fields: self, outer: Cursor::new(self.bytes), inner: None, whole }
    }

    #[inline]
    pub(super) fn iter(self) -> FieldIter<'a> {
        if self.path[0] == 0 {
            return FieldIter { piece: Cursor::new(self.bytes), base: 0, rest: None };
        }
        FieldIter { piece: Cursor::new(&[]), base: 0, rest: Some(self.pieces()) }
    }

    /// Returns the last value of a singular field that `read` accepts.
    #[inline]
    fn last<T>(self, number: u32, read: impl Fn(Raw<'a>) -> Option<T>) -> Option<T> {
        let mut fields = self.iter();
        let mut found = None;
        while let Some(value) = fields.next_of(number) {
            found = read(value).or(found);
        }
        found
    }

    pub(super) fn varint(self, number: u32) -> u64 {
        self.last(number, Raw::varint).unwrap_or(0)
    }

    pub(super) fn fixed32(self, number: u32) -> u32 {
        self.last(number, Raw::fixed32).unwrap_or(0)
    }

    pub(super) fn fixed64(self, number: u32) -> u64 {
        self.last(number, Raw::fixed64).unwrap_or(0)
    }

    pub(super) fn optional_double(self, number: u32) -> Option<f64> {
        self.last(number, Raw::fixed64).map(f64::from_bits)
    }

    pub(super) fn len_delimited(self, number: u32) -> &'a [u8] {
        if self.path[0] == 0
            && let Ok(found) = plain::last(self.bytes, number)
        {
            return found.unwrap_or_default();
        }
        self.last(number, Raw::len_delimited).unwrap_or_default()
    }

    /// Returns the first attribute with a key in field `number`.
    ///
    /// # Errors
    /// If the message is not in the usual encoding.
    #[inline]
    pub(super) fn find(self, number: u32, key: &[u8]) -> Result<Option<&'a [u8]>, Unusual> {
        if self.path[0] == 0 { plain::find(self.bytes, number, key) } else { Err(Unusual) }
    }

    pub(super) fn string(self, number: u32) -> &'a str {
        text(self.len_delimited(number))
    }

    /// Returns a singular message with all its pieces. Empty if it is absent.
    pub(super) fn message(self, number: u32) -> Self {
        let mut whole = None;
        let mut many = false;
        let mut fields = self.iter();
        while let Some(value) = fields.next_of(number) {
            if let Raw::Len(piece) = value {
                many |= whole.is_some();
                whole = Some(piece);
            }
        }
        if many { self.within(number, 0) } else { Self::new(whole.unwrap_or_default()) }
    }

    /// Returns the last arm of a `oneof`. The occurrences of a message since the last other arm are merged. `is_arm` decides if
    /// a field with a value is an arm.
    pub(super) fn one_of(self, is_arm: impl Fn(u32, Raw<'a>) -> bool) -> Option<Arm<'a>> {
        let mut found: Option<Arm<'a>> = None;
        let mut last = LastArm::default();
        let mut many = false;
        let mut fields = self.iter();
        while let Some((number, value)) = fields.next() {
            if !is_arm(number, value) {
                continue;
            }
            let piece = value.len_delimited().unwrap_or_default();
            many = !last.see(number, fields.position() - piece.len());
            found = Some(Arm { number, value, fields: Self::new(piece) });
        }
        let mut arm = found?;
        if many && matches!(arm.value, Raw::Len(_)) {
            arm.fields = self.within(arm.number, last.from);
        }
        Some(arm)
    }

    /// Returns the pieces of the singular field `number`, from an offset on.
    fn within(self, number: u32, from: usize) -> Self {
        let number = number as u8;
        let from = from.max(self.from);
        match self.path {
            [0, _] => Self { path: [number, 0], from, ..self },
            [first, 0] => Self { path: [first, number], from, ..self },
            // No message of OTLP nests singular messages deeper.
            _ => Self::default(),
        }
    }
}

// === impl FieldIter ===

impl<'a> FieldIter<'a> {
    /// Returns the end of the last field in the enclosing bytes.
    fn position(&self) -> usize {
        self.base + self.piece.position()
    }

    /// Goes on to the next piece.
    fn next_piece(&mut self) -> Option<()> {
        let (base, piece) = self.rest.as_mut()?.next_place()?;
        (self.base, self.piece) = (base, Cursor::new(piece));
        Some(())
    }

    /// Reads the next value of a field. Other fields are skipped.
    #[inline]
    pub(super) fn next_of(&mut self, number: u32) -> Option<Raw<'a>> {
        loop {
            if let Some(value) = read_next_of(&mut self.piece, number) {
                return Some(value);
            }
            self.next_piece()?;
        }
    }
}

impl<'a> Iterator for FieldIter<'a> {
    type Item = (u32, Raw<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(field) = read(&mut self.piece) {
                return Some(field);
            }
            self.next_piece()?;
        }
    }
}

impl FusedIterator for FieldIter<'_> {}

// === impl Pieces ===

impl<'a> Pieces<'a> {
    /// Returns the next piece, and its start in the enclosing bytes.
    fn next_place(&mut self) -> Option<(usize, &'a [u8])> {
        let Fields { path: [first, second], from, .. } = self.fields;
        if first == 0 {
            return self.whole.take().map(|whole| (0, whole));
        }
        loop {
            if let Some((base, inner)) = &mut self.inner {
                match next_piece(inner, second) {
                    Some((at, piece)) if *base + at >= from => return Some((*base + at, piece)),
                    Some(_) => continue,
                    None => self.inner = None,
                }
            }
            let (at, piece) = next_piece(&mut self.outer, first)?;
            if second != 0 {
                self.inner = Some((at, Cursor::new(piece)));
            } else if at >= from {
                return Some((at, piece));
            }
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.next_place().map(|(_, piece)| piece)
    }
}

impl FusedIterator for Pieces<'_> {}

// === impl Raw ===

impl<'a> Raw<'a> {
    pub(super) fn varint(self) -> Option<u64> {
        if let Self::Varint(value) = self { Some(value) } else { None }
    }

    pub(super) fn fixed32(self) -> Option<u32> {
        if let Self::Fixed32(value) = self { Some(value) } else { None }
    }

    pub(super) fn fixed64(self) -> Option<u64> {
        if let Self::Fixed64(value) = self { Some(value) } else { None }
    }

    pub(super) fn len_delimited(self) -> Option<&'a [u8]> {
        if let Self::Len(value) = self { Some(value) } else { None }
    }
}

/// Reads the next field. Groups are skipped. A malformed message ends at the fault.
#[inline]
fn read<'a>(message: &mut Cursor<'a>) -> Option<(u32, Raw<'a>)> {
    let field = read_if(message, |_| true);
    if field.is_none() {
        *message = Cursor::new(&[]);
    }
    field
}

/// Reads the next value of a field.
#[inline]
fn read_next_of<'a>(message: &mut Cursor<'a>, number: u32) -> Option<Raw<'a>> {
    let field = read_if(message, |found| found == number);
    if field.is_none() {
        *message = Cursor::new(&[]);
    }
    field.map(|(_, value)| value)
}

#[inline]
fn read_if<'a>(message: &mut Cursor<'a>, wanted: impl Fn(u32) -> bool) -> Option<(u32, Raw<'a>)> {
    while !message.is_at_end() {
        let (number, wire_type) = message.tag().ok()?;
        if !wanted(number) {
            message.skip_value(number, wire_type).ok()?;
            continue;
        }
        let value = match wire_type {
            WireType::Varint => Raw::Varint(message.varint().ok()?),
            WireType::Fixed64 => Raw::Fixed64(message.fixed64().ok()?),
            WireType::Len => Raw::Len(message.len_delimited().ok()?),
            WireType::Fixed32 => Raw::Fixed32(message.fixed32().ok()?),
            WireType::StartGroup | WireType::EndGroup => {
                message.skip_value(number, wire_type).ok()?;
                continue;
            }
        };
        return Some((number, value));
    }
    None
}

/// Reads the next message in a field. Returns its start and its bytes.
fn next_piece<'a>(message: &mut Cursor<'a>, number: u8) -> Option<(usize, &'a [u8])> {
    loop {
        if let Raw::Len(piece) = read_next_of(message, u32::from(number))? {
            return Some((message.position() - piece.len(), piece));
        }
    }
}

/// Returns bytes as a string. Empty if they are not UTF-8, which is impossible in a valid body.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Decodes a `sint32` in zigzag.
pub(super) fn zigzag32(value: u64) -> i32 {
    let value = value as u32;
    (value >> 1) as i32 ^ -((value & 1) as i32)
}
