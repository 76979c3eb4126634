//! Changes of files, each chosen by a few bytes of the input.

use super::PLACE;
use super::forms::{self, Record};
use otlp_transport::Disk;
use otlp_transport::testing::FaultyDisk;
use std::path::Path;

/// The unread bytes of the fuzz input. Each byte chooses an edit, a file or an offset.
pub(super) struct Edits<'a>(std::slice::Iter<'a, u8>);

impl<'a> Edits<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self(input.iter())
    }

    /// Makes as many changes as the input has, up to a limit. Returns true if some of them are none that damage makes.
    pub(super) fn make(mut self, disk: &FaultyDisk) -> bool {
        let (mut are_forged, is_damage) = (false, self.below(2) == 0);
        for _ in 0..MOST_EDITS {
            if self.0.len() == 0 {
                break;
            }
            let choice = if is_damage { DAMAGES[self.below(DAMAGES.len())] } else { self.below(12) };
            are_forged |= !DAMAGES.contains(&choice);
            self.edit(disk, choice);
        }
        are_forged
    }

    fn edit(&mut self, disk: &FaultyDisk, choice: usize) {
        let mut files = disk.list(Path::new(PLACE)).expect("a directory");
        files.retain(|(file, _)| file != "lock");
        files.sort();
        if choice == 0 {
            let (name, content) = self.made();
            return put(disk, &name, &content);
        }
        if files.is_empty() {
            return;
        }
        let (file, _) = files.swap_remove(self.below(files.len()));
        let mut content = disk.contents(Path::new(PLACE).join(&file)).expect("a file");
        match choice {
            1 => drop(disk.remove(&Path::new(PLACE).join(&file))),
            2 => put(disk, &self.name(forms::nonce(&file)), &content),
            3..6 => {
                let record = self.record().encode(forms::nonce(&file));
                let at = if self.below(2) == 0 { content.len() } else { self.place(&content) };
                content.splice(at..at, record);
                put(disk, &file, &content);
            }
            6 => {
                content.truncate(self.place(&content));
                put(disk, &file, &content);
            }
            7 => {
                content.extend(self.bytes());
                put(disk, &file, &content);
            }
            8 => {
                content.extend(forms::entry(self.number(), self.number()));
                put(disk, &file, &content);
            }
            9 => {
                let at = self.place(&content);
                let end = content.len().min(at + self.below(256));
                content.drain(at..end);
                put(disk, &file, &content);
            }
            _ => {
                let (at, flip) = (self.place(&content), self.byte());
                if let Some(byte) = content.get_mut(at) {
                    *byte ^= flip;
                }
                put(disk, &file, &content);
            }
        }
    }

    /// A new file: a segment, a cursor, or a journal.
    fn made(&mut self) -> (String, Vec<u8>) {
        match self.below(4) {
            0 => {
                let ranges: Vec<_> = (0..self.below(4)).map(|_| (self.number(), self.number())).collect();
                ("exporter.cursor".into(), forms::cursor(self.number(), &ranges))
            }
            1 => {
                let name = format!("exporter-{:08x}.acks", self.number());
                let entries = (0..self.below(4)).flat_map(|_| forms::entry(self.number(), self.number()));
                (name, entries.collect())
            }
            2 => (self.name(7), self.bytes()),
            _ => {
                let name = self.name(7);
                let records = (0..self.below(4)).flat_map(|_| self.record().encode(7));
                (name, records.collect())
            }
        }
    }

    fn name(&mut self, nonce: u32) -> String {
        let suffix = ["", "", "", ".new"][self.below(4)];
        format!("{:08x}-{:016x}-{nonce:08x}.log{suffix}", self.number(), self.number())
    }

    /// A record with sound checksums; often one that follows those that are there.
    fn record(&mut self) -> Record {
        let kind = [0, 1, 2, 3, 4, 0xff, 0xff, 0x80][self.below(8)];
        let is_wild = self.below(2) == 0;
        let mut properties = if self.below(2) == 0 { self.bytes() } else { self.fields() };
        if kind == 0xff && self.below(2) == 0 {
            properties = self.sums();
        }
        let body = self.bytes();
        Record {
            sequence: if is_wild { self.number() } else { self.below(16) as u64 },
            stored_at: self.number(),
            items: self.number(),
            entries: self.number(),
            plain_len: if is_wild { self.number() as u32 } else { body.len() as u32 },
            kind,
            flags: self.byte() & 3,
            has_tail: kind == 0xff,
            properties,
            body,
        }
    }

    /// Properties with sound lengths.
    fn fields(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..self.below(5) {
            let tag = self.below(10) as u8;
            let value = match self.below(3) {
                0 => b"127.0.0.1:4317".to_vec(),
                1 => [&2u32.to_le_bytes()[..], b"name"].concat(),
                _ => self.bytes(),
            };
            forms::field(&mut out, tag, &value);
        }
        out
    }

    /// The sums of a segment.
    fn sums(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        forms::field(&mut out, 1, &[self.number(), self.number()].map(u64::to_le_bytes).concat());
        for pipeline in ["logs", "", "other"].iter().take(self.below(4)) {
            let numbers = [self.number(), self.number(), self.number()].map(u64::to_le_bytes);
            forms::field(&mut out, 2, &[&numbers.concat()[..], pipeline.as_bytes()].concat());
        }
        out
    }

    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    fn place(&mut self, content: &[u8]) -> usize {
        (self.below(256) << 8 | self.below(256)) % (content.len() + 1)
    }

    fn number(&mut self) -> u64 {
        match self.byte() {
            small @ 0..32 => u64::from(small),
            choice => NUMBERS[usize::from(choice) % NUMBERS.len()],
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.below(80);
        self.0.by_ref().take(len).copied().collect()
    }
}

/// Replaces a file, or makes it.
fn put(disk: &FaultyDisk, file: &str, content: &[u8]) {
    let path = Path::new(PLACE).join(file);
    // There may be none.
    let _ = disk.remove(&path);
    disk.write_new(&path, content).expect("a disk with room");
}

/// Edits without a new checksum.
const DAMAGES: [usize; 6] = [1, 6, 7, 9, 10, 11];
const NUMBERS: [u64; 12] = [
    0,
    1,
    9,
    255,
    u32::MAX as u64,
    1 << 32,
    1 << 44,
    (1 << 62) - 1,
    1 << 62,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];
const MOST_EDITS: usize = 40;
