//! The protobuf wire format: a bounded cursor over `&[u8]`, what text is, and the few writers we need. The only parser
//! primitive, which counts the work of reading in tests.

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

/// What is wrong with the encoding; where is the cursor's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside a field.
    #[error("the bytes end inside a field")]
    Truncated,
    /// A varint of more than ten bytes, or over 64 bits.
    #[error("a varint does not fit 64 bits")]
    VarintOverflow,
    /// A length that runs past the end of what encloses it.
    #[error("a length runs past the end of its message")]
    LengthPastEnd,
    /// Field number 0 or above 2^29 - 1.
    #[error("a field number is out of range")]
    FieldNumber,
    /// Wire type 6 or 7, which do not exist.
    #[error("there is no such wire type")]
    WireType,
    /// A tag or a length of more than five bytes: C++, Python and Ruby refuse such, padded or not.
    #[error("a tag or a length has more than five bytes")]
    Overlong,
    /// A group that is not closed, or closed twice.
    #[error("a group is not properly closed")]
    Group,
    /// Groups that are nested deeper than the limit.
    #[error("groups are nested too deep")]
    GroupDepth,
}

/// A position in a message. Every read is bounded by the slice; nothing is allocated.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Unknown groups deeper than this are refused.
pub(crate) const MAX_GROUP_DEPTH: usize = 100;

// === impl Cursor ===

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether everything has been read.
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

    /// Skips the value of the field whose tag was just read; a group with all that is in it.
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

    /// Skips the group of that number, whose tag was just read, with at most `max_depth` groups inside one another, the
    /// group itself among them. Iterative, so that nesting costs no stack.
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

/// Whether `body[from..to]` is UTF-8. Most strings are short and ASCII; that takes two loads and a mask.
#[inline(always)]
pub(crate) fn is_utf8(body: &[u8], from: usize, to: usize) -> bool {
    is_ascii(body, from, to) || simdutf8::basic::from_utf8(&body[from..to]).is_ok()
}

/// Where the first byte of `text` stands that is not UTF-8.
#[cold]
pub(crate) fn first_invalid(text: &[u8]) -> usize {
    simdutf8::compat::from_utf8(text).err().map_or(text.len(), |error| error.valid_up_to())
}

/// Short strings are looked at sixteen bytes at a time, with what follows them masked out.
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

/// Appends a varint field, unless it is zero: proto3's default.
#[inline]
pub fn put_uint(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_tag(out, number, WireType::Varint);
        put_varint(out, value);
    }
}

/// Bytes that [`put_varint`] writes for `value`.
#[inline]
pub fn varint_len(value: u64) -> usize {
    // One byte for each begun group of seven bits.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) / 64
}

/// Counts steps, in tests alone: fields read, and bytes copied beside the output. The time that a body takes must be linear
/// in its length, whatever is in it.
#[inline]
pub(crate) fn count_work(_steps: usize) {
    #[cfg(test)]
    tests::add(_steps);
}

/// A tag and a length: five bytes and ten at most.
pub(crate) const MAX_TAG_AND_LENGTH: usize = 15;

/// A tag or a length has this many bytes at most: both fit 32 bits.
const MAX_SHORT_VARINT: usize = 5;

const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

/// The high bit of each of the first so many bytes.
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
