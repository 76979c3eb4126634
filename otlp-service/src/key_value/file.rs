//! The file of a store: a header, a record with all values, and a record for each later change. It is written anew, and replaced in
//! one step, when the later records are longer than the first.
//!
//! All numbers are little-endian. The checksums are CRC32C, and start from the random number in the header: bytes of a value cannot
//! be taken for a record.
//!
//! | bytes of the header | content | bytes of a record | content |
//! |---|---|---|---|
//! | 0..4 | magic `OKV1` | 0..4 | magic `OKR1` |
//! | 4..8 | random number | 4..8 | checksum of bytes 8..28 |
//! | 8..12 | checksum of bytes 0..8 | 8..16 | number of the record in the file |
//! | | | 16..24 | length of the content |
//! | | | 24..28 | checksum of the content |
//!
//! The content are changes: the length of the key (8 bytes), the length of the value and 1, or 0 for a key that is removed (8), the key,
//! and the value.
//!
//! # What holds after a crash, a power cut, or damage
//!
//! - A change whose write has returned is found. One write is under way at a time, so a crash leaves one unfinished record at most, at
//!   the end: it is left out. A last record that was damaged later cannot be told from it, and is left out, too.
//! - With any other damage, the file gets another name, and the store is empty.
//! - After a write that failed, and after opening, the whole file is written anew: nothing is appended to bytes that the device may not
//!   have.

use super::Changes;
use bytes::Bytes;
use otlp_transport::{Disk, DiskFile, replace_file};
use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The values of a store.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) map: BTreeMap<String, Bytes>,
    /// Size of all keys and values.
    pub(super) bytes: u64,
}

/// The file of a store. Methods block.
#[derive(Debug)]
pub(super) struct File {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// The file that changes are appended to; `None`: the next change writes the whole file.
    journal: Option<Journal>,
}

/// A file of which the device has all bytes.
#[derive(Debug)]
struct Journal {
    file: Box<dyn DiskFile>,
    nonce: u32,
    /// The number of the next record.
    next: u64,
    /// Length of the file when it was written anew.
    whole_bytes: u64,
    appended_bytes: u64,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) values: Values,
    /// Bytes of a record at the end that is not whole.
    pub(super) unfinished_bytes: u64,
    /// The new name of a file that was damaged.
    pub(super) damaged: Option<PathBuf>,
}

/// A file has damaged bytes before its end.
struct Damaged;

// === impl Values ===

impl Values {
    pub(super) fn size(key: &str, value: &Bytes) -> u64 {
        key.len() as u64 + value.len() as u64
    }

    pub(super) fn apply(&mut self, changes: &Changes) {
        for (key, value) in changes {
            let before = match value {
                Some(value) => {
                    self.bytes += Self::size(key, value);
                    self.map.insert(key.clone(), value.clone())
                }
                None => self.map.remove(key),
            };
            self.bytes -= before.map_or(0, |before| Self::size(key, &before));
        }
    }
}

// === impl File ===

impl File {
    /// Reads the file in a directory, if there is one. A file that is damaged gets another name.
    pub(super) fn open(disk: Arc<dyn Disk>, directory: &Path) -> io::Result<(Self, Found)> {
        let path = directory.join(NAME);
        let mut file = Self { disk, path, journal: None };
        let files = file.disk.list(directory)?;
        if !files.iter().any(|(name, _)| name == NAME) {
            return Ok((file, Found::default()));
        }
        let bytes = file.disk.read(&file.path, u64::MAX)?;
        let Ok((values, unfinished_bytes)) = decode(bytes.into()) else {
            let aside = file.path.with_extension("damaged");
            file.disk.rename(&file.path, &aside)?;
            file.disk.sync_directory(directory)?;
            return Ok((file, Found { damaged: Some(aside), ..Found::default() }));
        };
        // What the process before wrote last may not have reached the device. A disk that cannot be written can be read all the same.
        let _ = file.replace(&values.map, &Changes::new());
        Ok((file, Found { values, unfinished_bytes, damaged: None }))
    }

    /// Writes changes of these values, and waits until the device has them.
    ///
    /// # Errors
    /// If the file cannot be written. The file has the values before or after the changes then.
    pub(super) fn write(&mut self, values: &BTreeMap<String, Bytes>, changes: &Changes) -> io::Result<()> {
        match self.journal.take().filter(|journal| !journal.is_long()) {
            Some(mut journal) => {
                journal.append(changes)?;
                self.journal = Some(journal);
                Ok(())
            }
            None => self.replace(values, changes),
        }
    }

    /// Replaces the file by a file of these values, and a record of these changes.
    fn replace(&mut self, values: &BTreeMap<String, Bytes>, changes: &Changes) -> io::Result<()> {
        let nonce = fastrand::u32(..);
        let mut bytes = header(nonce);
        record(&mut bytes, nonce, 0, values.iter().map(|(key, value)| (key, Some(value))));
        if !changes.is_empty() {
            record(&mut bytes, nonce, 1, changes.iter().map(|(key, value)| (key, value.as_ref())));
        }
        replace_file(&*self.disk, &self.path, &bytes)?;
        // The changes are written, also if the file cannot be opened.
        self.journal = self.disk.open(&self.path).ok().map(|file| Journal {
            file,
            nonce,
            next: if changes.is_empty() { 1 } else { 2 },
            whole_bytes: bytes.len() as u64,
            appended_bytes: 0,
        });
        Ok(())
    }
}

// === impl Journal ===

impl Journal {
    /// True if the file is to be written anew.
    fn is_long(&self) -> bool {
        self.appended_bytes > self.whole_bytes.max(MIN_APPENDED_BYTES)
    }

    fn append(&mut self, changes: &Changes) -> io::Result<()> {
        let mut bytes = Vec::new();
        record(&mut bytes, self.nonce, self.next, changes.iter().map(|(key, value)| (key, value.as_ref())));
        self.file.append(&[IoSlice::new(&bytes)])?;
        self.file.sync()?;
        self.next += 1;
        self.appended_bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Encodes the header of a file.
fn header(nonce: u32) -> Vec<u8> {
    let mut bytes = [FILE_MAGIC, nonce.to_le_bytes()].concat();
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// Adds a record of changes to a file.
fn record<'a>(
    bytes: &mut Vec<u8>,
    nonce: u32,
    number: u64,
    changes: impl Iterator<Item = (&'a String, Option<&'a Bytes>)>,
) {
    let start = bytes.len();
    bytes.resize(start + RECORD_BYTES, 0);
    for (key, value) in changes {
        bytes.extend((key.len() as u64).to_le_bytes());
        bytes.extend(value.map_or(0, |value| value.len() as u64 + 1).to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.extend(value.map(|value| &value[..]).unwrap_or_default());
    }
    let (_, record) = bytes.split_at_mut(start);
    let (head, content) = record.split_at_mut(RECORD_BYTES);
    let checksum = crc32c::crc32c_append(nonce, content);
    head[..4].copy_from_slice(&RECORD_MAGIC);
    head[8..16].copy_from_slice(&number.to_le_bytes());
    head[16..24].copy_from_slice(&(content.len() as u64).to_le_bytes());
    head[24..].copy_from_slice(&checksum.to_le_bytes());
    let checksum = crc32c::crc32c_append(nonce, &head[8..]);
    head[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// Reads a file. Returns the values, and the length of a record at the end that is not whole.
fn decode(bytes: Bytes) -> Result<(Values, u64), Damaged> {
    let nonce = number(&bytes, 4).map(u32::from_le_bytes).ok_or(Damaged)?;
    let mut rest = bytes.strip_prefix(&header(nonce)[..]).map(|rest| bytes.slice_ref(rest)).ok_or(Damaged)?;
    let mut values = Values::default();
    let mut next = 0;
    while !rest.is_empty() {
        let Some((content, after)) = whole_record(&rest, nonce, next) else {
            // The first record was whole before the file got its name, and records are written one after the other.
            let is_unfinished = next > 0 && !has_record_head(&rest[1..], nonce);
            return if is_unfinished { Ok((values, rest.len() as u64)) } else { Err(Damaged) };
        };
        values.apply(&changes(content).ok_or(Damaged)?);
        rest = after;
        next += 1;
    }
    if next == 0 { Err(Damaged) } else { Ok((values, 0)) }
}

/// Returns the content of the record at the start, and what follows, if the record is whole.
fn whole_record(bytes: &Bytes, nonce: u32, next: u64) -> Option<(Bytes, Bytes)> {
    let (head, rest) = bytes.split_at_checked(RECORD_BYTES)?;
    let len = usize::try_from(u64::from_le_bytes(number(head, 16)?)).ok()?;
    let is_next = is_record_head(head, nonce) && number(head, 8).map(u64::from_le_bytes) == Some(next);
    let (content, after) = rest.split_at_checked(len)?;
    let checksum = number(head, 24).map(u32::from_le_bytes)?;
    let is_whole = is_next && crc32c::crc32c_append(nonce, content) == checksum;
    is_whole.then(|| (bytes.slice_ref(content), bytes.slice_ref(after)))
}

/// True if the head of a record begins somewhere in the bytes.
fn has_record_head(bytes: &[u8], nonce: u32) -> bool {
    memchr::memmem::find_iter(bytes, &RECORD_MAGIC).any(|at| is_record_head(&bytes[at..], nonce))
}

/// True if the bytes begin with a sound head of a record.
fn is_record_head(bytes: &[u8], nonce: u32) -> bool {
    let Some(head) = bytes.get(..RECORD_BYTES).filter(|head| head.starts_with(&RECORD_MAGIC)) else {
        return false;
    };
    number(head, 4).map(u32::from_le_bytes) == Some(crc32c::crc32c_append(nonce, &head[8..]))
}

/// Decodes the content of a record; `None` if it has no such form.
fn changes(mut content: Bytes) -> Option<Changes> {
    let mut changes = Changes::new();
    while !content.is_empty() {
        let key_bytes = usize::try_from(u64::from_le_bytes(number(&content, 0)?)).ok()?;
        let value_len = u64::from_le_bytes(number(&content, 8)?);
        let value_bytes = usize::try_from(value_len.saturating_sub(1)).ok()?;
        let (key, rest) = content.get(16..)?.split_at_checked(key_bytes)?;
        let (value, after) = rest.split_at_checked(value_bytes)?;
        // A slice would keep the whole file in memory.
        let value = (value_len > 0).then(|| Bytes::copy_from_slice(value));
        changes.insert(str::from_utf8(key).ok()?.to_owned(), value);
        content = content.slice_ref(after);
    }
    Some(changes)
}

/// Returns the bytes of a number.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Name of the file.
pub(super) const NAME: &str = "values";
const FILE_MAGIC: [u8; 4] = *b"OKV1";
const RECORD_MAGIC: [u8; 4] = *b"OKR1";
/// Length of the head of a record.
const RECORD_BYTES: usize = 28;
/// A small store is not written anew for each few changes.
const MIN_APPENDED_BYTES: u64 = 64 << 10;
