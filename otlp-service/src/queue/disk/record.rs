//! The form of a record in a segment: a header of 64 bytes, properties, and a body.
//!
//! All numbers are little-endian. Both checksums are CRC32C, and start from the random number in the name of the segment: a
//! sender that puts the bytes of a record into its telemetry does not know it, so damage cannot make them a record.
//!
//! | bytes | content |
//! |---|---|
//! | 0..4 | magic `OQR1` |
//! | 4..8 | checksum of bytes 8..64 |
//! | 8..16 | sequence number |
//! | 16..24 | time of storing, in milliseconds since 1970 |
//! | 24..32 | number of items |
//! | 32..40 | number of entries |
//! | 40..44 | length of the properties |
//! | 44..48 | length of the body as stored |
//! | 48..52 | length of the body before compression |
//! | 52..56 | checksum of properties and body |
//! | 56 | kind: a request of a signal, or a summary |
//! | 57 | flags |
//! | 58..64 | zeros |

use otlp_protocol::{Count, Signal};

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sequence: u64,
    /// Milliseconds since 1970.
    pub(super) stored_at: u64,
    pub(super) count: Count,
    pub(super) properties_len: u32,
    pub(super) body_len: u32,
    pub(super) plain_len: u32,
    pub(super) content_checksum: u32,
    pub(super) kind: Kind,
    /// The body may be joined with others.
    pub(super) is_mergeable: bool,
    /// The body is a zstd frame.
    pub(super) is_compressed: bool,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request of a signal.
    Request(Signal),
    /// The last record of a segment that is complete: the sums of its records.
    Summary,
}

// === impl Header ===

impl Header {
    /// Encodes the header for a segment with this random number.
    pub(super) fn encode(&self, nonce: u32) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &MAGIC);
        put(8, &self.sequence.to_le_bytes());
        put(16, &self.stored_at.to_le_bytes());
        put(24, &self.count.items.to_le_bytes());
        put(32, &self.count.entries.to_le_bytes());
        put(40, &self.properties_len.to_le_bytes());
        put(44, &self.body_len.to_le_bytes());
        put(48, &self.plain_len.to_le_bytes());
        put(52, &self.content_checksum.to_le_bytes());
        put(56, &[self.kind.code()]);
        let flags = [(self.is_mergeable, MERGEABLE), (self.is_compressed, COMPRESSED)];
        put(57, &[flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum()]);
        let checksum = crc32c::crc32c_append(nonce, &bytes[8..]);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Decodes the header at the start of `bytes`; `None` if there is none, or a damaged one.
    pub(super) fn decode(bytes: &[u8], nonce: u32) -> Option<Self> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        if bytes[..4] != MAGIC || u32_at(bytes, 4)? != crc32c::crc32c_append(nonce, &bytes[8..]) {
            return None;
        }
        let (flags, sequence) = (bytes[57], u64_at(bytes, 8)?);
        let count = Count { items: u64_at(bytes, 24)?, entries: u64_at(bytes, 32)? };
        if sequence > MAX_NUMBER || count.items.max(count.entries) > MAX_COUNT {
            return None;
        }
        Some(Self {
            sequence,
            stored_at: u64_at(bytes, 16)?,
            count,
            properties_len: u32_at(bytes, 40)?,
            body_len: u32_at(bytes, 44)?,
            plain_len: u32_at(bytes, 48)?,
            content_checksum: u32_at(bytes, 52)?,
            kind: Kind::of(bytes[56])?,
            is_mergeable: flags & MERGEABLE != 0,
            is_compressed: flags & COMPRESSED != 0,
        })
    }

    /// Returns the length of properties and body.
    pub(super) fn content_len(&self) -> u64 {
        u64::from(self.properties_len) + u64::from(self.body_len)
    }

    /// Returns the length of the whole record.
    pub(super) fn record_len(&self) -> u64 {
        HEADER_BYTES as u64 + self.content_len()
    }
}

// === impl Kind ===

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Request(signal) => Signal::ALL.iter().position(|known| *known == signal).unwrap_or(0) as u8,
            Self::Summary => SUMMARY,
        }
    }

    fn of(code: u8) -> Option<Self> {
        match code {
            SUMMARY => Some(Self::Summary),
            code => Signal::ALL.get(usize::from(code)).copied().map(Self::Request),
        }
    }
}

/// Returns the checksum of a record's content, which may be in several parts.
pub(super) fn checksum<'a>(nonce: u32, parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    parts.into_iter().fold(nonce, crc32c::crc32c_append)
}

/// Returns the number of the next segment or journal. The greatest is used again: names differ in the random number, and in the order
/// of records.
pub(super) fn after(number: u64) -> u64 {
    number.saturating_add(1).min(MAX_NUMBER)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// Numbers of records, segments and journals are not greater; so adding to them does not overflow.
pub(super) const MAX_NUMBER: u64 = 1 << 62;
/// A body has less than 4 GiB, and an item takes a byte at least; so sums do not overflow.
const MAX_COUNT: u64 = 1 << 32;
/// Length of a header, in bytes.
pub(super) const HEADER_BYTES: usize = 64;
/// The first bytes of each record. The last of them is the version of the form.
pub(super) const MAGIC: [u8; 4] = *b"OQR1";
/// Greater than the codes of signals.
const SUMMARY: u8 = 0xff;
const MERGEABLE: u8 = 1;
const COMPRESSED: u8 = 2;
