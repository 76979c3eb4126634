//! Reads the records of a segment in their order, past damaged bytes and past bytes that cannot be read.

use super::record::{HEADER_BYTES, Header, MAGIC, checksum};
use bytes::Bytes;
use otlp_transport::DiskFile;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// A place in a segment, from which records are read.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) nonce: u32,
    pub(super) offset: u64,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Found {
    Record(Record),
    Damage(Damage),
}

/// Bytes that are no record, or records whose content is damaged or cut. Damage that is longer than what is read at a time comes in
/// several pieces.
#[derive(Debug)]
pub(super) struct Damage {
    pub(super) bytes: Range<u64>,
    /// Some of the bytes could not be read: the device may have them all the same.
    pub(super) is_unread: bool,
}

/// A sound record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) properties: Bytes,
    pub(super) body: Bytes,
    /// All of the record, header included.
    pub(super) raw: Bytes,
    /// What the record takes in the file.
    pub(super) bytes: Range<u64>,
}

// === impl Scanner ===

impl Scanner {
    /// Reads about `max_bytes` bytes of records, at least one record, up to `end`, and moves behind them. Returns nothing at the
    /// end.
    ///
    /// # Errors
    /// If the bytes cannot be read. The place is the same as before.
    pub(super) fn read(&mut self, end: u64, max_bytes: usize) -> io::Result<Vec<Found>> {
        let file = self.file.clone();
        self.read_by(end, max_bytes, |offset, buffer| match file.read_at(offset, buffer)? {
            read if read < buffer.len() => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the segment is shorter than before"))
            }
            _ => Ok(()),
        })
    }

    /// Reads as [`read`](Self::read) does, but takes bytes that cannot be read for damaged ones.
    pub(super) fn read_around(&mut self, end: u64, max_bytes: usize) -> Vec<Found> {
        let file = self.file.clone();
        let mut unread = Vec::new();
        let found = self.read_by(end, max_bytes, |offset, buffer| {
            fill_around(&*file, offset, buffer, &mut unread);
            Ok(())
        });
        let mut found = found.unwrap_or_default();
        for found in &mut found {
            if let Found::Damage(damage) = found {
                let meets =
                    |hole: &Range<u64>| hole.start < damage.bytes.end && damage.bytes.start < hole.end;
                damage.is_unread = unread.iter().any(meets);
            }
        }
        found
    }

    fn read_by(
        &mut self,
        end: u64,
        max_bytes: usize,
        mut fill: impl FnMut(u64, &mut [u8]) -> io::Result<()>,
    ) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut want = max_bytes.max(HEADER_BYTES) as u64;
        while found.is_empty() && self.offset < end {
            let mut buffer = vec![0; want.min(end - self.offset) as usize];
            fill(self.offset, &mut buffer)?;
            match self.parse(&Bytes::from(buffer), end, &mut found) {
                Some(longer) => want = longer,
                None => break,
            }
        }
        Ok(found)
    }

    /// Takes the whole records at the start of `bytes`. Returns the length of the first if it is longer than `bytes`.
    fn parse(&mut self, bytes: &Bytes, end: u64, found: &mut Vec<Found>) -> Option<u64> {
        let mut at = 0;
        let is_last = self.offset + bytes.len() as u64 == end;
        let longer = loop {
            let rest = &bytes[at..];
            if rest.is_empty() || (rest.len() < HEADER_BYTES && !is_last) {
                break None;
            }
            let start = self.offset + at as u64;
            let Some(header) = Header::decode(rest, self.nonce) else {
                let len = self.next_header(rest, is_last);
                damaged(found, start..start + len as u64);
                at += len;
                continue;
            };
            let record_len = header.record_len();
            if record_len > rest.len() as u64 {
                if start + record_len <= end {
                    break (at == 0).then_some(record_len);
                }
                // The record is longer than the file: it was cut, unless records follow.
                let len = self.next_header(rest, is_last);
                damaged(found, start..start + len as u64);
                at += len;
                continue;
            }
            let raw = bytes.slice(at..at + record_len as usize);
            let body_at = HEADER_BYTES + header.properties_len as usize;
            let bytes = start..start + record_len;
            if header.content_checksum == checksum(self.nonce, [&raw[HEADER_BYTES..]]) {
                let (properties, body) = (raw.slice(HEADER_BYTES..body_at), raw.slice(body_at..));
                found.push(Found::Record(Record { header, properties, body, raw, bytes }));
            } else {
                damaged(found, bytes);
            }
            at += record_len as usize;
        };
        self.offset += at as u64;
        longer
    }

    /// Returns the place of the next sound header behind the first byte, or of the bytes that may be the start of a header.
    fn next_header(&self, bytes: &[u8], is_last: bool) -> usize {
        let places = memchr::memmem::find_iter(bytes.get(1..).unwrap_or_default(), &MAGIC);
        let mut sound =
            places.map(|at| at + 1).filter(|&at| Header::decode(&bytes[at..], self.nonce).is_some());
        let undecided =
            if is_last { bytes.len() } else { bytes.len().saturating_sub(HEADER_BYTES - 1).max(1) };
        sound.next().unwrap_or(undecided)
    }
}

/// Adds damaged bytes, to those before them if these are damaged too.
fn damaged(found: &mut Vec<Found>, bytes: Range<u64>) {
    if let Some(Found::Damage(last)) = found.last_mut()
        && last.bytes.end == bytes.start
    {
        last.bytes.end = bytes.end;
        return;
    }
    found.push(Found::Damage(Damage { bytes, is_unread: false }));
}

/// Fills a buffer block by block. Blocks that cannot be read are filled with zeros, which are no record, and told in `unread`.
fn fill_around(file: &dyn DiskFile, offset: u64, buffer: &mut [u8], unread: &mut Vec<Range<u64>>) {
    let mut at = 0;
    while at < buffer.len() {
        let start = offset + at as u64;
        let len = (BLOCK_BYTES - start % BLOCK_BYTES).min((buffer.len() - at) as u64) as usize;
        let block = &mut buffer[at..at + len];
        if !matches!(file.read_at(start, block), Ok(read) if read == len) {
            block.fill(0);
            unread.push(start..start + len as u64);
        }
        at += len;
    }
}

/// Devices fail to read whole blocks.
const BLOCK_BYTES: u64 = 4096;
