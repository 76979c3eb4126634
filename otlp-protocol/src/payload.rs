//! Bytes in several segments, passed between the layers without being copied.

use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;

/// A shared, immutable slice of a buffer, another name of [`bytes::Bytes`]. `clone`, `slice`, `split_to` and `split_off`
/// share the buffer and copy nothing.
pub type ZeroCopyBuffer = Bytes;

/// A sequence of [`Bytes`] segments, read from front to back. A payload of one segment allocates nothing. `Debug` shows the
/// length, not the content.
///
/// ```
/// use bytes::{Buf, Bytes};
/// use otlp_protocol::Payload;
///
/// let mut payload = Payload::from(Bytes::from_static(b"ab"));
/// payload.push(Bytes::from_static(b"cd"));
/// assert_eq!(payload.len(), 4);
/// assert_eq!(payload.to_contiguous(), "abcd");
/// ```
#[derive(Clone, Default)]
pub struct Payload {
    segments: Segments,
    len: usize,
}

#[derive(Clone)]
enum Segments {
    One(Bytes),
    Many(VecDeque<Bytes>),
}

impl Payload {
    /// Makes an empty payload.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the length of all segments, in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a segment; an empty one is dropped.
    pub fn push(&mut self, segment: Bytes) {
        self.insert(segment, VecDeque::push_back);
    }

    /// Puts a segment before the others; an empty one is dropped.
    pub fn push_front(&mut self, segment: Bytes) {
        self.insert(segment, VecDeque::push_front);
    }

    /// Appends all of `other`'s segments.
    pub fn append(&mut self, other: Self) {
        match other.segments {
            Segments::One(segment) => self.push(segment),
            Segments::Many(segments) => segments.into_iter().for_each(|segment| self.push(segment)),
        }
    }

    /// Iterates over the segments from front to back. No segment is empty.
    pub fn segments(&self) -> impl Iterator<Item = &Bytes> {
        let (one, many) = match &self.segments {
            Segments::One(segment) => (Some(segment).filter(|segment| !segment.is_empty()), None),
            Segments::Many(segments) => (None, Some(segments)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Returns the number of bytes that are not slices of `buffer`: of a part that was split off `buffer`, the copied and new
    /// bytes.
    pub fn len_outside(&self, buffer: &Bytes) -> usize {
        let range = buffer.as_ptr_range();
        let own = self.segments().filter(|segment| !range.contains(&segment.as_ptr()));
        own.map(Bytes::len).sum()
    }

    /// Returns the bytes in one slice. Copies only if there are several segments.
    pub fn to_contiguous(&self) -> Bytes {
        let mut segments = self.segments();
        match (segments.next(), segments.next()) {
            (None, _) => Bytes::new(),
            (Some(only), None) => only.clone(),
            _ => {
                let mut whole = BytesMut::with_capacity(self.len);
                self.segments().for_each(|segment| whole.extend_from_slice(segment));
                whole.freeze()
            }
        }
    }

    fn insert(&mut self, segment: Bytes, put: fn(&mut VecDeque<Bytes>, Bytes)) {
        if segment.is_empty() {
            return;
        }
        self.len += segment.len();
        match &mut self.segments {
            Segments::One(only) if only.is_empty() => *only = segment,
            Segments::One(only) => {
                let mut many = VecDeque::with_capacity(4);
                many.push_back(std::mem::take(only));
                put(&mut many, segment);
                self.segments = Segments::Many(many);
            }
            Segments::Many(many) => put(many, segment),
        }
    }
}

impl Default for Segments {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("len", &self.len).field("segments", &self.segments().count()).finish()
    }
}

impl From<Bytes> for Payload {
    fn from(segment: Bytes) -> Self {
        Self { len: segment.len(), segments: Segments::One(segment) }
    }
}

impl From<&Bytes> for Payload {
    fn from(segment: &Bytes) -> Self {
        segment.clone().into()
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl<const N: usize> From<&'static [u8; N]> for Payload {
    fn from(bytes: &'static [u8; N]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl FromIterator<Bytes> for Payload {
    fn from_iter<I: IntoIterator<Item = Bytes>>(segments: I) -> Self {
        let mut payload = Self::new();
        segments.into_iter().for_each(|segment| payload.push(segment));
        payload
    }
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        match &self.segments {
            Segments::One(segment) => segment,
            Segments::Many(segments) => segments.front().map_or(&[], |segment| segment),
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slice, segment) in slices.iter_mut().zip(self.segments()) {
            *slice = IoSlice::new(segment);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len, "cannot advance past the end of the payload");
        self.len -= count;
        match &mut self.segments {
            // An empty remainder would pin the buffer until the payload drops.
            Segments::One(segment) if count == segment.len() => *segment = Bytes::new(),
            Segments::One(segment) => segment.advance(count),
            Segments::Many(segments) => {
                while let Some(front) = segments.front_mut() {
                    if front.len() > count {
                        front.advance(count);
                        return;
                    }
                    count -= front.len();
                    segments.pop_front();
                }
            }
        }
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        assert!(count <= self.len, "cannot copy past the end of the payload");
        let front = match &mut self.segments {
            Segments::One(segment) => Some(segment),
            Segments::Many(segments) => segments.front_mut(),
        };
        // Bytes of one segment are shared, not copied.
        if let Some(front) = front
            && front.len() >= count
        {
            let shared = front.split_to(count);
            self.len -= count;
            if let Segments::Many(segments) = &mut self.segments
                && segments.front().is_some_and(Bytes::is_empty)
            {
                segments.pop_front();
            }
            return shared;
        }
        let mut copy = BytesMut::with_capacity(count);
        while copy.len() < count {
            let chunk = self.chunk();
            let take = chunk.len().min(count - copy.len());
            copy.extend_from_slice(&chunk[..take]);
            self.advance(take);
        }
        copy.freeze()
    }
}
