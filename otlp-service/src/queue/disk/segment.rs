//! Segments: files of records, with the sums of what is left in them.

use super::properties::{fields, put};
use super::record::{HEADER_BYTES, Header, Kind, MAGIC, MAX_NUMBER, checksum, u32_at, u64_at};
use otlp_protocol::Count;
use otlp_transport::DiskFile;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

/// The name of a segment's file: its place in the order of making, its first sequence number, and a random number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// Records of a segment that was made later replace those of the same numbers in an earlier.
    pub(super) ordinal: u64,
    /// Segments are read in this order.
    pub(super) first: u64,
    /// What checksums start from.
    pub(super) nonce: u32,
}

/// A segment, as the index has it.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) name: Name,
    /// Length of the file, as far as it is committed.
    pub(super) len: u64,
    /// Changes when the file is written anew, with other offsets.
    pub(super) edition: u32,
    pub(super) totals: Totals,
}

/// Sums of a segment's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// The number behind that of the last record.
    pub(super) next: u64,
    /// Milliseconds since 1970: when the first and the last record were stored.
    pub(super) oldest: u64,
    pub(super) newest: u64,
    /// What is left to deliver, by pipeline.
    pub(super) left: Vec<Left>,
}

/// Records of one pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) pipeline: Arc<str>,
    pub(crate) records: u64,
    pub(crate) items: u64,
    /// Of the files.
    pub(crate) bytes: u64,
}

// === impl Name ===

impl Name {
    /// Returns the name of the file.
    pub(super) fn file(&self) -> String {
        format!("{:08x}-{:016x}-{:08x}{SUFFIX}", self.ordinal, self.first, self.nonce)
    }

    /// Returns the name of the file while a segment is being written anew.
    pub(super) fn new_file(&self) -> String {
        format!("{}{NEW_SUFFIX}", self.file())
    }

    /// True if a file was being written anew.
    pub(super) fn is_new(file: &str) -> bool {
        file.strip_suffix(NEW_SUFFIX).and_then(Self::parse).is_some()
    }

    /// Parses the name of a file; `None` if the file is no segment.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let mut parts = file.strip_suffix(SUFFIX)?.split('-').map(|part| u64::from_str_radix(part, 16).ok());
        let (ordinal, first, nonce) = (parts.next()??, parts.next()??, parts.next()??);
        let name = Self { ordinal, first, nonce: u32::try_from(nonce).ok()? };
        (ordinal.max(first) <= MAX_NUMBER && name.file() == file).then_some(name)
    }
}

// === impl Segment ===

impl Segment {
    /// The numbers of its records.
    pub(super) fn range(&self) -> Range<u64> {
        self.name.first..self.totals.next.max(self.name.first)
    }
}

// === impl Totals ===

impl Totals {
    /// The sums of no records, the first of which will have the number `first`.
    pub(super) fn none(first: u64) -> Self {
        Self { next: first, ..Self::default() }
    }

    /// Adds a record.
    pub(super) fn add(&mut self, header: &Header, pipeline: &Arc<str>) {
        if self.oldest == 0 {
            self.oldest = header.stored_at;
        }
        self.newest = self.newest.max(header.stored_at);
        self.next = header.sequence + 1;
        let place = self.left.iter().position(|left| left.pipeline == *pipeline);
        let place = place.unwrap_or_else(|| {
            self.left.push(Left { pipeline: pipeline.clone(), ..Left::default() });
            self.left.len() - 1
        });
        let left = &mut self.left[place];
        left.records += 1;
        left.items += header.count.items;
        left.bytes += header.record_len();
    }

    /// Returns the number of records.
    pub(super) fn records(&self) -> u64 {
        self.left.iter().map(|left| left.records).sum()
    }

    /// Encodes the record at the end of a complete segment, with a tail that tells its length.
    pub(super) fn encode(&self, nonce: u32, first: u64) -> Vec<u8> {
        let mut properties = Vec::new();
        put(&mut properties, NUMBERS, &[&self.oldest.to_le_bytes(), &self.newest.to_le_bytes()]);
        for left in &self.left {
            let counts = [left.records, left.items, left.bytes].map(u64::to_le_bytes);
            put(&mut properties, LEFT, &[&counts.concat(), left.pipeline.as_bytes()]);
        }
        let header = Header {
            sequence: self.next,
            stored_at: first,
            count: Count::default(),
            properties_len: properties.len() as u32,
            body_len: TAIL_BYTES as u32,
            plain_len: TAIL_BYTES as u32,
            content_checksum: 0,
            kind: Kind::Summary,
            is_mergeable: false,
            is_compressed: false,
        };
        let mut tail = MAGIC.to_vec();
        tail.extend_from_slice(&(header.record_len() as u32).to_le_bytes());
        let content_checksum = checksum(nonce, [&properties[..], &tail]);
        let header = Header { content_checksum, ..header };
        [&header.encode(nonce)[..], &properties, &tail].concat()
    }

    /// Reads the sums of a complete segment; `None` if the segment is not complete, or the sums are damaged.
    pub(super) fn read(file: &dyn DiskFile, name: &Name, len: u64) -> io::Result<Option<(Self, u64)>> {
        let mut tail = [0; TAIL_BYTES];
        let Some(at) = len.checked_sub(TAIL_BYTES as u64) else { return Ok(None) };
        if file.read_at(at, &mut tail)? < TAIL_BYTES || tail[..4] != MAGIC {
            return Ok(None);
        }
        let record_len = u32_at(&tail, 4).unwrap_or_default() as usize;
        let Some(at) = len.checked_sub(record_len as u64) else { return Ok(None) };
        if !(HEADER_BYTES..=MAX_SUMMARY_BYTES).contains(&record_len) {
            return Ok(None);
        }
        let mut record = vec![0; record_len];
        let read = file.read_at(at, &mut record)?;
        let (header, content) = record[..read].split_at(HEADER_BYTES.min(read));
        let totals = Header::decode(header, name.nonce).filter(|header| {
            header.kind == Kind::Summary
                && header.content_len() == content.len() as u64
                && header.content_checksum == checksum(name.nonce, [content])
        });
        Ok(totals.and_then(|header| Some((Self::decode(&header, content)?, at))))
    }

    fn decode(header: &Header, content: &[u8]) -> Option<Self> {
        let mut totals = Self::none(header.sequence);
        for field in fields(content.get(..header.properties_len as usize)?) {
            let (tag, value) = field?;
            match tag {
                NUMBERS => (totals.oldest, totals.newest) = (u64_at(value, 0)?, u64_at(value, 8)?),
                LEFT => totals.left.push(Left {
                    records: sum_at(value, 0)?,
                    items: sum_at(value, 8)?,
                    bytes: sum_at(value, 16)?,
                    pipeline: std::str::from_utf8(value.get(24..)?).ok()?.into(),
                }),
                _ => {}
            }
        }
        Some(totals)
    }
}

/// Decodes a sum; `None` if no segment can have that much.
fn sum_at(bytes: &[u8], at: usize) -> Option<u64> {
    u64_at(bytes, at).filter(|sum| *sum <= MAX_SUM)
}

/// Appends bytes in one piece.
pub(super) fn append(file: &dyn DiskFile, bytes: &[u8]) -> io::Result<()> {
    file.append(&[IoSlice::new(bytes)])
}

const SUFFIX: &str = ".log";
const NEW_SUFFIX: &str = ".new";
/// Magic, and the length of the record.
const TAIL_BYTES: usize = 8;
/// Sums of thousands of segments do not overflow.
const MAX_SUM: u64 = 1 << 48;
/// Some hundred pipelines with long names.
const MAX_SUMMARY_BYTES: usize = 1 << 20;

const NUMBERS: u8 = 1;
const LEFT: u8 = 2;
