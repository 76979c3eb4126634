//! Writers of the forms on disk, with sound checksums around any content.

/// A record of a segment.
pub(super) struct Record {
    pub(super) sequence: u64,
    pub(super) stored_at: u64,
    pub(super) items: u64,
    pub(super) entries: u64,
    pub(super) plain_len: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// The record ends as the sums of a segment do.
    pub(super) has_tail: bool,
    pub(super) properties: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Record {
    pub(super) fn encode(mut self, nonce: u32) -> Vec<u8> {
        if self.has_tail {
            let len = HEADER_BYTES + self.properties.len() + 8;
            self.body = [&b"OQR1"[..], &(len as u32).to_le_bytes()].concat();
        }
        let content = [self.properties.as_slice(), &self.body].concat();
        let mut header = vec![0; HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| header[at..at + value.len()].copy_from_slice(value);
        put(0, b"OQR1");
        put(8, &self.sequence.to_le_bytes());
        put(16, &self.stored_at.to_le_bytes());
        put(24, &self.items.to_le_bytes());
        put(32, &self.entries.to_le_bytes());
        put(40, &(self.properties.len() as u32).to_le_bytes());
        put(44, &(self.body.len() as u32).to_le_bytes());
        put(48, &self.plain_len.to_le_bytes());
        put(52, &crc32c::crc32c_append(nonce, &content).to_le_bytes());
        put(56, &[self.kind, self.flags]);
        let checksum = crc32c::crc32c_append(nonce, &header[8..]);
        header[4..8].copy_from_slice(&checksum.to_le_bytes());
        header.extend(content);
        header
    }
}

/// A cursor with these settled numbers.
pub(super) fn cursor(generation: u64, ranges: &[(u64, u64)]) -> Vec<u8> {
    let mut content = generation.to_le_bytes().to_vec();
    for (start, end) in ranges {
        content.extend([start.to_le_bytes(), end.to_le_bytes()].concat());
    }
    [&b"OQC1"[..], &crc32c::crc32c(&content).to_le_bytes(), &content].concat()
}

/// An entry of a journal.
pub(super) fn entry(start: u64, end: u64) -> Vec<u8> {
    let entry = [start.to_le_bytes(), end.to_le_bytes()].concat();
    [&entry[..], &crc32c::crc32c(&entry).to_le_bytes()].concat()
}

/// Appends a property.
pub(super) fn field(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
}

/// The random number in the name of a segment; 0 for other files.
pub(super) fn nonce(file: &str) -> u32 {
    let nonce = file.split('.').next().and_then(|name| name.rsplit('-').next());
    nonce.and_then(|nonce| u32::from_str_radix(nonce, 16).ok()).unwrap_or_default()
}

const HEADER_BYTES: usize = 64;
