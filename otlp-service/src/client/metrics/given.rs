//! Attributes in the order in which a program gives them, as bytes: fast to compare with the attributes of the next measurement.

use super::Attributes;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{AttributeValue, Value};

/// Attributes as given. For each attribute: 8 bytes with the length of the key and the type of the value, 8 bytes with the value, or
/// with its length if the value is text, bytes, a list or a map; the key; then text, bytes, list or map.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<u8>);

/// A value: its type, and its content.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Slice(u8, &'a [u8]),
    Word(u8, u64),
}

/// Iterator over keys and values.
struct Pairs<'g>(&'g [u8]);

// === impl Given ===

impl Given {
    pub(super) fn of(attributes: &(impl Attributes + ?Sized)) -> Self {
        let mut given = Vec::with_capacity(USUAL_BYTES);
        attributes.visit(&mut |key, value| match Piece::of(value) {
            Some(piece) => piece.put(key, &mut given),
            None => {
                let encoded = AttributeValue::new(value);
                Piece::Slice(ENCODED, encoded.as_bytes()).put(key, &mut given);
            }
        });
        Self(given)
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        Pairs(&self.0)
    }

    pub(super) fn into_bytes(self) -> Box<[u8]> {
        self.0.into()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Returns a hash of attributes as given. The hash is quick and leaves parts of long texts out: hits are compared in full.
#[inline]
pub(super) fn fingerprint(seed: u64, attributes: &(impl Attributes + ?Sized)) -> u64 {
    let mut hash = seed;
    attributes.visit(&mut |key, value| {
        let value = match Piece::of(value) {
            Some(Piece::Slice(_, bytes)) => word(bytes),
            Some(Piece::Word(_, word)) => word,
            None => 0,
        };
        let product = u128::from(ends(key.as_bytes()) ^ SALT) * u128::from(value ^ PEPPER);
        hash = hash.rotate_left(11).wrapping_add(product as u64 ^ (product >> 64) as u64);
    });
    hash.wrapping_mul(SALT)
}

/// True if attributes are the same as `given`, in the same order.
#[inline]
pub(super) fn is_given(given: &[u8], attributes: &(impl Attributes + ?Sized)) -> bool {
    let mut rest = Some(given);
    attributes.visit(&mut |key, value| {
        rest = rest.and_then(|rest| Piece::of(value)?.skip(key, rest));
    });
    rest.is_some_and(<[u8]>::is_empty)
}

// === impl Piece ===

impl<'a> Piece<'a> {
    /// Returns `None` for views of lists and maps, which are compared once they are encoded.
    #[inline]
    fn of(value: Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Any(AnyValue::String(text)) => Self::Slice(STRING, text.as_bytes()),
            Value::Any(AnyValue::Int(number)) => Self::Word(INT, number as u64),
            Value::Any(AnyValue::Bool(value)) => Self::Word(BOOL, u64::from(value)),
            Value::Any(AnyValue::Double(number)) => Self::Word(DOUBLE, number.to_bits()),
            Value::Any(AnyValue::Bytes(bytes)) => Self::Slice(BYTES, bytes),
            Value::Any(AnyValue::Empty) => Self::Word(EMPTY, 0),
            Value::Encoded(encoded) => Self::Slice(ENCODED, encoded.as_bytes()),
            _ => return None,
        })
    }

    #[inline]
    fn head(self, key: &str) -> [u8; HEAD] {
        let (tag, word) = match self {
            Self::Slice(tag, bytes) => (tag, bytes.len() as u64),
            Self::Word(tag, word) => (tag, word),
        };
        let head = u128::from((key.len() as u64) << 8 | u64::from(tag)) | u128::from(word) << 64;
        head.to_le_bytes()
    }

    fn put(self, key: &str, given: &mut Vec<u8>) {
        given.extend_from_slice(&self.head(key));
        given.extend_from_slice(key.as_bytes());
        if let Self::Slice(_, bytes) = self {
            given.extend_from_slice(bytes);
        }
    }

    /// Returns what follows the attribute in `given`; `None` if another attribute is there.
    #[inline]
    fn skip<'g>(self, key: &str, given: &'g [u8]) -> Option<&'g [u8]> {
        let (head, rest) = given.split_first_chunk::<HEAD>()?;
        if *head != self.head(key) {
            return None;
        }
        let rest = skip_bytes(key.as_bytes(), rest)?;
        match self {
            Self::Slice(_, bytes) => skip_bytes(bytes, rest),
            Self::Word(..) => Some(rest),
        }
    }
}

// === impl Pairs ===

impl<'g> Iterator for Pairs<'g> {
    type Item = (&'g str, Value<'g>);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first_chunk::<HEAD>()?;
        let head = u128::from_le_bytes(*head);
        let (tag, key_len, word) = (head as u8, (head as u64 >> 8) as usize, (head >> 64) as u64);
        let (key, rest) = rest.split_at_checked(key_len)?;
        let is_slice = matches!(tag, STRING | BYTES | ENCODED);
        let (bytes, rest) = rest.split_at_checked(if is_slice { word as usize } else { 0 })?;
        self.0 = rest;
        let value = match tag {
            STRING => AnyValue::String(str::from_utf8(bytes).unwrap_or_default()),
            BYTES => AnyValue::Bytes(bytes),
            ENCODED => AnyValue::new(bytes),
            INT => AnyValue::Int(word as i64),
            BOOL => AnyValue::Bool(word != 0),
            DOUBLE => AnyValue::Double(f64::from_bits(word)),
            _ => AnyValue::Empty,
        };
        Some((str::from_utf8(key).unwrap_or_default(), Value::Any(value)))
    }
}

/// Returns the rest of `given` after `bytes`.
#[inline]
fn skip_bytes<'g>(bytes: &[u8], given: &'g [u8]) -> Option<&'g [u8]> {
    let (found, rest) = given.split_at_checked(bytes.len())?;
    is_same(bytes, found).then_some(rest)
}

/// Compares two slices of the same length eight bytes at a time: faster than a call of `memcmp` for the usual lengths.
#[inline]
fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    let (Some(one_last), Some(other_last)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) else {
        // Of fewer than eight bytes, `ends` has all.
        return ends(one) == ends(other);
    };
    while let (Some((one_first, one_rest)), Some((other_first, other_rest))) =
        (one.split_first_chunk::<8>(), other.split_first_chunk::<8>())
    {
        if u64::from_le_bytes(*one_first) != u64::from_le_bytes(*other_first) {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    u64::from_le_bytes(*one_last) == u64::from_le_bytes(*other_last)
}

/// Returns 64 bits of all of the bytes.
#[inline]
fn word(mut bytes: &[u8]) -> u64 {
    let mut hash = ends(bytes);
    if bytes.len() > 16 {
        while let Some((first, rest)) = bytes.split_first_chunk::<8>() {
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*first)).wrapping_mul(PEPPER);
            bytes = rest;
        }
    }
    hash
}

/// Returns 64 bits of the first and the last eight bytes, and the length.
#[inline]
fn ends(bytes: &[u8]) -> u64 {
    let both = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first).rotate_left(32) ^ u64::from_le_bytes(*last),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
            }
            _ => {
                // Up to three bytes are the first, the middle and the last.
                let byte = |index: usize| bytes.get(index).map_or(0, |byte| u64::from(*byte));
                byte(0) | byte(bytes.len() / 2) << 8 | byte(bytes.len().wrapping_sub(1)) << 16
            }
        },
    };
    both ^ (bytes.len() as u64).rotate_left(56)
}

/// Room for attributes of the usual length.
const USUAL_BYTES: usize = 256;
/// Length of what stands before the key.
const HEAD: usize = 16;

// Types of values.
const STRING: u8 = 1;
const INT: u8 = 2;
const BOOL: u8 = 3;
const DOUBLE: u8 = 4;
const BYTES: u8 = 5;
const ENCODED: u8 = 6;
const EMPTY: u8 = 7;

// Odd numbers without a pattern: 2^64 divided by the golden ratio, and the same of the square root of 2.
const SALT: u64 = 0x9e37_79b9_7f4a_7c15;
const PEPPER: u64 = 0xb504_f333_f9de_6485;
