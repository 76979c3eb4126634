//! A body as a rope of [`Bytes`]: what crosses the layers without being copied.

use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::IoSlice;

/// A shared, immutable slice of a buffer: cloning, `slice`, `split_to` and `split_off` copy nothing.
///
/// It is `bytes::Bytes` under the name its users asked for: `buf.slice(2..5)` shares the buffer,
/// `buf.split_off(at)` cuts it in two.
pub type ZeroCopyBuffer = Bytes;

/// A rope of [`Bytes`] read from front to back; one segment costs no allocation.
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
#[derive(Clone, Debug, Default)]
pub struct Payload {
    segments: Segments,
    len: usize,
}

#[derive(Clone, Debug)]
enum Segments {
    One(Bytes),
    Many(VecDeque<Bytes>),
}

impl Payload {
    /// An empty payload.
    pub fn new() -> Self {
        Self::default()
    }

    /// Length in bytes over all segments.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes left.
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

    /// The segments, front to back; none is empty.
    pub fn segments(&self) -> impl Iterator<Item = &Bytes> {
        let (one, many) = match &self.segments {
            Segments::One(segment) => (Some(segment).filter(|segment| !segment.is_empty()), None),
            Segments::Many(segments) => (None, Some(segments)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// How many bytes are not in slices of `buffer`: of a part that was cut from it, what was copied or made anew.
    pub fn len_outside(&self, buffer: &Bytes) -> usize {
        let range = buffer.as_ptr_range();
        let own = self.segments().filter(|segment| !range.contains(&segment.as_ptr()));
        own.map(Bytes::len).sum()
    }

    /// The bytes in one piece. Free for a single segment; copies otherwise.
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

impl From<Bytes> for Payload {
    fn from(segment: Bytes) -> Self {
        Self { len: segment.len(), segments: Segments::One(segment) }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
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
        // A piece of one segment, or all of it, is shared.
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
