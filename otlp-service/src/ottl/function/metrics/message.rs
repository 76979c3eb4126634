//! Encoded messages, field by field.

use otlp_protocol::wire::{Cursor, WireType, put_len_delimited, put_tag};

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Raw<'a>,
    /// The encoded field, with its tag.
    pub(super) bytes: &'a [u8],
}

/// The value of a field by its wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Raw<'a> {
    Fixed64(u64),
    Len(&'a [u8]),
    /// A value that no function of metrics changes.
    Other,
}

/// Iterates over the fields of a message, up to the first fault: messages were validated when they were received.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut cursor = Cursor::new(message);
    std::iter::from_fn(move || {
        let start = cursor.position();
        if cursor.is_at_end() {
            return None;
        }
        let (number, wire_type) = cursor.tag().ok()?;
        let value = match wire_type {
            WireType::Fixed64 => Raw::Fixed64(cursor.fixed64().ok()?),
            WireType::Len => Raw::Len(cursor.len_delimited().ok()?),
            other => {
                cursor.skip_value(number, other).ok()?;
                Raw::Other
            }
        };
        Some(Field { number, value, bytes: message.get(start..cursor.position())? })
    })
}

/// Appends the fields of a message, except those with some numbers.
pub(super) fn copy_except(message: &[u8], numbers: &[u32], out: &mut Vec<u8>) {
    for field in fields(message).filter(|field| !numbers.contains(&field.number)) {
        out.extend_from_slice(field.bytes);
    }
}

/// Appends a string; nothing if the string is empty.
pub(super) fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_len_delimited(out, number, text.as_bytes());
    }
}

pub(super) fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, WireType::Fixed64);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn put_double(out: &mut Vec<u8>, number: u32, value: f64) {
    put_fixed64(out, number, value.to_bits());
}

/// Field numbers of messages of metrics.
pub(super) mod number {
    // `Metric`
    pub(in super::super) const NAME: u32 = 1;
    pub(in super::super) const DESCRIPTION: u32 = 2;
    pub(in super::super) const UNIT: u32 = 3;
    pub(in super::super) const METADATA: u32 = 12;
    pub(in super::super) const GAUGE: u32 = 5;
    pub(in super::super) const SUM: u32 = 7;
    pub(in super::super) const HISTOGRAM: u32 = 9;
    pub(in super::super) const EXPONENTIAL_HISTOGRAM: u32 = 10;
    pub(in super::super) const SUMMARY: u32 = 11;
    // `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram`, `Summary`
    pub(in super::super) const DATA_POINTS: u32 = 1;
    pub(in super::super) const AGGREGATION_TEMPORALITY: u32 = 2;
    pub(in super::super) const IS_MONOTONIC: u32 = 3;
    // Points of every kind
    pub(in super::super) const START_TIME: u32 = 2;
    pub(in super::super) const TIME: u32 = 3;
    // `NumberDataPoint`
    pub(in super::super) const AS_DOUBLE: u32 = 4;
    pub(in super::super) const AS_INT: u32 = 6;
    pub(in super::super) const NUMBER_ATTRIBUTES: u32 = 7;
}
