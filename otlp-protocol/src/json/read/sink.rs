//! Protobuf as it is written from the outside in, when lengths are known only at the end of what they stand before.
//!
//! Each length gets one byte at first. What turns out to be 128 bytes or longer needs more: such gaps are noted, and
//! made wider in one go at the very end. So each byte is moved at most once after it is written, however deep it lies,
//! and most are in their place already.

/// Protobuf on its way into a buffer.
#[derive(Debug)]
pub(super) struct Sink<'o> {
    pub(super) out: &'o mut Vec<u8>,
    start: usize,
    /// Lengths that need more than the byte they have.
    gaps: Vec<Gap>,
    /// How many bytes the gaps need more.
    missing: usize,
}

/// A length that is not known yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    at: usize,
    missing: usize,
}

/// A length, and where the byte stands that is too small for it.
#[derive(Debug)]
struct Gap {
    at: usize,
    len: usize,
}

// === impl Sink ===

impl<'o> Sink<'o> {
    /// A sink that appends to `out`.
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, gaps: Vec::new(), missing: 0 }
    }

    /// Bytes so far, as they will be.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.out.len() - self.start + self.missing
    }

    /// Begins what a length stands before.
    #[inline]
    pub(super) fn open(&mut self) -> Open {
        let open = Open { at: self.out.len(), missing: self.missing };
        self.out.push(0);
        open
    }

    /// Ends it.
    #[inline]
    pub(super) fn close(&mut self, open: Open) {
        let len = self.out.len() - open.at - 1 + (self.missing - open.missing);
        if len < 0x80 {
            self.out[open.at] = len as u8;
        } else {
            self.missing += width(len) - 1;
            self.gaps.push(Gap { at: open.at, len });
        }
    }

    /// Widens the gaps, the last first.
    pub(super) fn finish(mut self) {
        self.gaps.sort_unstable_by_key(|gap| gap.at);
        let mut end = self.out.len();
        let mut to = end + self.missing;
        self.out.resize(to, 0);
        for &Gap { at, len } in self.gaps.iter().rev() {
            let moved = end - (at + 1);
            self.out.copy_within(at + 1..end, to - moved);
            to -= moved + width(len);
            end = at;
            let mut rest = len;
            for byte in &mut self.out[to..to + width(len)] {
                *byte = rest as u8 & 0x7f | u8::from(rest >= 0x80) << 7;
                rest >>= 7;
            }
        }
    }
}

fn width(len: usize) -> usize {
    crate::wire::varint_len(len as u64)
}
