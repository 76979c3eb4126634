//! Output of protobuf whose lengths are known only after the messages are written.
//!
//! One byte is reserved for each length. A length of 128 or more needs more bytes: such gaps are recorded, and widened
//! together at the end. Each byte is moved at most once, however deep it is nested, and most bytes are not moved.

/// Output of protobuf into a buffer.
#[derive(Debug)]
pub(super) struct Sink<'o> {
    pub(super) out: &'o mut Vec<u8>,
    start: usize,
    /// Lengths that need more than one byte.
    gaps: Vec<Gap>,
    /// Number of bytes that the gaps need in addition.
    missing: usize,
}

/// A length that is not known yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenLength {
    at: usize,
    missing: usize,
}

/// A length, and the position of its reserved byte.
#[derive(Debug)]
struct Gap {
    at: usize,
    len: usize,
}

// === impl Sink ===

impl<'o> Sink<'o> {
    /// Makes a sink that appends to `out`.
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, gaps: Vec::new(), missing: 0 }
    }

    /// Returns the number of bytes so far, with the bytes that gaps will need.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.out.len() - self.start + self.missing
    }

    /// Begins a message with a length.
    #[inline]
    pub(super) fn open(&mut self) -> OpenLength {
        let open = OpenLength { at: self.out.len(), missing: self.missing };
        self.out.push(0);
        open
    }

    /// Ends a message.
    #[inline]
    pub(super) fn close(&mut self, open: OpenLength) {
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
