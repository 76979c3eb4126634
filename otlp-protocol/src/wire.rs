//! The protobuf wire format: a bounded cursor over `&[u8]`, UTF-8 checks, and functions that append fields.

use std::fmt;

/// Wire type of a field: the low three bits of its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// A varint: integers, booleans, enums.
    Varint = 0,
    /// Eight bytes, little endian.
    Fixed64 = 1,
    /// A length and that many bytes.
    Len = 2,
    /// Start of a (long deprecated) group.
    StartGroup = 3,
    /// End of a group.
    EndGroup = 4,
    /// Four bytes, little endian.
    Fixed32 = 5,
}

/// Fault in the encoding, at the position of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside a field.
    #[error("truncated: the message ends inside a field")]
    Truncated,
    /// A varint of more than ten bytes, or over 64 bits.
    #[error("invalid varint: more than 64 bits")]
    VarintOverflow,
    /// A length past the end of the enclosing message.
    #[error("invalid length: past the end of the enclosing message")]
    LengthPastEnd,
    /// Field number 0 or above 2^29 - 1.
    #[error("invalid field number: out of range")]
    FieldNumber,
    /// Wire type 6 or 7, which do not exist.
    #[error("invalid wire type")]
    WireType,
    /// A tag or a length of more than five bytes, which C++, Python and Ruby refuse.
    #[error("invalid tag or length: more than five bytes")]
    Overlong,
    /// A group that is not closed, or closed twice.
    #[error("invalid group: its start and end do not match")]
    Group,
    /// Groups that are nested deeper than the limit.
    #[error("groups are nested too deep")]
    GroupDepth,
}

/// A position in a message. Every read is bounded by the slice. Nothing is allocated. `Debug` shows no content.
#[derive(Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The most groups inside one another.
pub(crate) const MAX_GROUP_DEPTH: usize = 100;

// === impl Cursor ===

impl<'a> Cursor<'a> {
    /// Makes a cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Returns the number of bytes read so far.
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// True if everything has been read.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Reads a field's number and wire type.
    ///
    /// # Errors
    /// If the tag is truncated, longer than five bytes, or names an impossible field or wire type.
    #[inline]
    pub fn tag(&mut self) -> Result<(u32, WireType), WireError> {
        count_work(1);
        let raw = match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                u64::from(byte)
            }
            _ => self.short_varint()?,
        };
        let wire_type = match raw & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Len,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            5 => WireType::Fixed32,
            _ => return Err(WireError::WireType),
        };
        let number = raw >> 3;
        if number == 0 || number > MAX_FIELD_NUMBER {
            return Err(WireError::FieldNumber);
        }
        Ok((number as u32, wire_type))
    }

    /// Reads a varint of at most ten bytes and 64 bits.
    ///
    /// # Errors
    /// If it is truncated or does not fit.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        if let Some(&byte) = self.bytes.get(self.at)
            && byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(byte));
        }
        self.long_varint()
    }

    /// Reads a tag or a length.
    #[inline(never)]
    pub(crate) fn short_varint(&mut self) -> Result<u64, WireError> {
        let start = self.at;
        let value = self.long_varint()?;
        if self.at - start > MAX_SHORT_VARINT { Err(WireError::Overlong) } else { Ok(value) }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, WireError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut value = 0u64;
        for (index, &byte) in rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                if index == 9 && byte > 1 {
                    return Err(WireError::VarintOverflow);
                }
                self.at += index + 1;
                return Ok(value);
            }
        }
        Err(if rest.len() < 10 { WireError::Truncated } else { WireError::VarintOverflow })
    }

    /// Reads a length and that many bytes.
    ///
    /// # Errors
    /// If the length is malformed or runs past the end.
    #[inline]
    pub fn len_delimited(&mut self) -> Result<&'a [u8], WireError> {
        let len = match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                u64::from(byte)
            }
            _ => self.short_varint()?,
        };
        let rest = self.bytes.len() - self.at;
        if len > rest as u64 {
            return Err(WireError::LengthPastEnd);
        }
        let start = self.at;
        self.at += len as usize;
        Ok(&self.bytes[start..self.at])
    }

    /// Reads four bytes, little endian.
    ///
    /// # Errors
    /// If there are fewer.
    #[inline]
    pub fn fixed32(&mut self) -> Result<u32, WireError> {
        let bytes =
            self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or(WireError::Truncated)?;
        self.at += 4;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// Reads eight bytes, little endian.
    ///
    /// # Errors
    /// If there are fewer.
    #[inline]
    pub fn fixed64(&mut self) -> Result<u64, WireError> {
        let bytes =
            self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or(WireError::Truncated)?;
        self.at += 8;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Skips `count` bytes.
    ///
    /// # Errors
    /// If there are fewer.
    #[inline]
    pub fn skip_bytes(&mut self, count: usize) -> Result<(), WireError> {
        if self.bytes.len() - self.at < count {
            return Err(WireError::Truncated);
        }
        self.at += count;
        Ok(())
    }

    /// Skips the value of the field whose tag was just read. Skips a group with everything in it.
    ///
    /// # Errors
    /// If the value is malformed.
    #[inline]
    pub fn skip_value(&mut self, number: u32, wire_type: WireType) -> Result<(), WireError> {
        match wire_type {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.skip_bytes(8),
            WireType::Len => self.len_delimited().map(drop),
            WireType::Fixed32 => self.skip_bytes(4),
            WireType::StartGroup => self.skip_group(number, MAX_GROUP_DEPTH),
            WireType::EndGroup => Err(WireError::Group),
        }
    }

    /// Skips the group `number`, whose start tag was just read. At most `max_depth` groups may be inside one another, with the
    /// group itself. Iterative, so that nesting costs no stack.
    #[inline(never)]
    pub(crate) fn skip_group(&mut self, number: u32, max_depth: usize) -> Result<(), WireError> {
        if max_depth == 0 {
            return Err(WireError::GroupDepth);
        }
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let (number, wire_type) = self.tag()?;
            match wire_type {
                WireType::StartGroup if open.len() >= max_depth => return Err(WireError::GroupDepth),
                WireType::StartGroup => open.push(number),
                WireType::EndGroup if number != innermost => return Err(WireError::Group),
                WireType::EndGroup => {
                    open.pop();
                }
                _ => self.skip_value(number, wire_type)?,
            }
        }
        Ok(())
    }
}

/// True if `body[from..to]` is UTF-8. Most strings are short and ASCII: checking those takes two loads and a mask.
#[inline(always)]
pub(crate) fn is_utf8(body: &[u8], from: usize, to: usize) -> bool {
    is_ascii(body, from, to) || simdutf8::basic::from_utf8(&body[from..to]).is_ok()
}

/// Returns the position of the first byte of `text` that is not UTF-8.
#[cold]
pub(crate) fn first_invalid(text: &[u8]) -> usize {
    simdutf8::compat::from_utf8(text).err().map_or(text.len(), |error| error.valid_up_to())
}

/// True if `body[from..to]` is ASCII. Reads sixteen bytes at a time, and masks the bytes after a short string.
#[inline(always)]
fn is_ascii(body: &[u8], from: usize, to: usize) -> bool {
    let len = to - from;
    match body.get(from..from + 16) {
        Some(block) if len <= 16 => block_of(block) & HIGH_BITS[len] == 0,
        Some(block) if len <= 32 => (block_of(block) | block_of(&body[to - 16..to])) & HIGH_BITS[16] == 0,
        _ => body[from..to].is_ascii(),
    }
}

#[inline(always)]
fn block_of(bytes: &[u8]) -> u128 {
    bytes.try_into().map_or(u128::MAX, u128::from_le_bytes)
}

impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("position", &self.at).field("len", &self.bytes.len()).finish()
    }
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field's tag.
#[inline]
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: WireType) {
    put_varint(out, u64::from(number) << 3 | wire_type as u64);
}

/// Appends a length-delimited field.
#[inline]
pub fn put_len_delimited(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_tag(out, number, WireType::Len);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a varint field, unless the value is zero, the default of proto3.
#[inline]
pub fn put_uint(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_tag(out, number, WireType::Varint);
        put_varint(out, value);
    }
}

/// Returns the number of bytes that [`put_varint`] writes for `value`.
#[inline]
pub fn varint_len(value: u64) -> usize {
    // One byte for every seven bits, rounded up.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) / 64
}

/// Counts steps in tests: fields read, and bytes copied besides the output. Tests check that the work on a body is linear in
/// its length, whatever its content.
#[inline]
pub(crate) fn count_work(_steps: usize) {
    #[cfg(test)]
    tests::add(_steps);
}

/// The most bytes of a tag and a length: five and ten.
pub(crate) const MAX_TAG_AND_LENGTH: usize = 15;

/// The most bytes of a tag or a length when read: both fit 32 bits.
const MAX_SHORT_VARINT: usize = 5;

const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

/// Masks with the high bits of the first bytes, by the number of bytes.
const HIGH_BITS: [u128; 17] = {
    let mut masks = [0; 17];
    let mut len = 1;
    while len <= 16 {
        masks[len] = masks[len - 1] << 8 | 0x80;
        len += 1;
    }
    masks
};

#[cfg(test)]
mod tests;
