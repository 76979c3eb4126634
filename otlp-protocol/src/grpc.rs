//! gRPC status codes and message framing: a flag byte, the length in big endian, the message.
//!
//! An OTLP call is unary: the bodies of request and response are exactly one frame. [`FrameReader`] checks that, without I/O.

use std::cmp::Ordering;

/// Length of the header before each gRPC message, in bytes.
pub const FRAME_HEADER_LEN: usize = 5;

/// The header of a gRPC message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// True if the message is compressed with the encoding in the header `grpc-encoding`.
    pub compressed: bool,
    /// Length of the message that follows, in bytes.
    pub len: u32,
}

/// Checks the body of a unary call, piece by piece: it must be exactly one message within a limit.
///
/// The reader keeps the header and a count, not the body.
///
/// ```
/// use otlp_protocol::{FRAME_HEADER_LEN, FrameHeader, FrameReader};
///
/// let mut frame = FrameReader::new(1 << 20);
/// let mut body = Vec::new();
/// for piece in [&b"\0\0\0"[..], b"\0\x02\x0a", b"\0"] {
///     frame.push(piece)?;
///     body.extend_from_slice(piece);
/// }
/// assert_eq!(frame.expected(), Some(7));
/// assert_eq!(frame.finish()?, FrameHeader::new(false, 2));
/// assert_eq!(body[FRAME_HEADER_LEN..], *b"\x0a\0");
/// # Ok::<(), otlp_protocol::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameReader {
    max_len: usize,
    /// Received bytes of the header; the rest is zero.
    header: [u8; FRAME_HEADER_LEN],
    /// Number of received bytes, with the header.
    seen: usize,
}

/// Fault in the framing of a gRPC body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The flag byte is neither 0 nor 1.
    #[error("gRPC frame: invalid compression flag {0}")]
    Flag(u8),
    /// The length in the header is over the limit.
    #[error("gRPC frame: the message of {len} bytes is over the limit ({limit})")]
    TooLong {
        /// Length of the message, in bytes.
        len: u32,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body ends before the message does.
    #[error("gRPC frame: truncated, the body ends inside the message")]
    Truncated,
    /// Bytes follow the message of a unary call.
    #[error("gRPC frame: bytes after the message of a unary call")]
    TrailingBytes,
}

/// A gRPC status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "gRPC's own names")]
#[repr(u8)]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

// === impl FrameHeader ===

impl FrameHeader {
    /// Makes the header of a message of `len` bytes.
    pub const fn new(compressed: bool, len: u32) -> Self {
        Self { compressed, len }
    }

    /// Parses a header. The length comes from the peer: check it against a limit before allocating memory.
    ///
    /// # Errors
    /// [`FrameError::Flag`].
    pub fn parse(bytes: [u8; FRAME_HEADER_LEN]) -> Result<Self, FrameError> {
        let [flag, a, b, c, d] = bytes;
        let len = u32::from_be_bytes([a, b, c, d]);
        match flag {
            0 | 1 => Ok(Self { compressed: flag == 1, len }),
            _ => Err(FrameError::Flag(flag)),
        }
    }

    /// Encodes the header.
    pub const fn encode(self) -> [u8; FRAME_HEADER_LEN] {
        let [a, b, c, d] = self.len.to_be_bytes();
        [self.compressed as u8, a, b, c, d]
    }
}

// === impl FrameReader ===

impl FrameReader {
    /// Makes a reader of one message of at most `max_len` bytes on the wire, where it may be compressed.
    pub const fn new(max_len: usize) -> Self {
        Self { max_len, header: [0; FRAME_HEADER_LEN], seen: 0 }
    }

    /// Adds the next piece of the body, of any length.
    ///
    /// # Errors
    /// [`FrameError::Flag`] and [`FrameError::TooLong`] on the piece that completes the header,
    /// [`FrameError::TrailingBytes`] on the piece that goes beyond the message. Later calls return the same error.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FrameError> {
        let missing = self.header.get_mut(self.seen..).unwrap_or_default();
        missing.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        self.seen = self.seen.saturating_add(piece.len());
        match self.header()? {
            Some(header) if self.seen > total(header) => Err(FrameError::TrailingBytes),
            _ => Ok(()),
        }
    }

    /// Returns the length of the body, with the header; `None` until the header is complete, and after an error.
    pub fn expected(&self) -> Option<usize> {
        self.header().ok().flatten().map(total)
    }

    /// Returns the header of the message after the end of the body.
    ///
    /// # Errors
    /// The error of [`push`](Self::push), or [`FrameError::Truncated`].
    pub fn finish(self) -> Result<FrameHeader, FrameError> {
        let header = self.header()?.ok_or(FrameError::Truncated)?;
        match self.seen.cmp(&total(header)) {
            Ordering::Less => Err(FrameError::Truncated),
            Ordering::Equal => Ok(header),
            Ordering::Greater => Err(FrameError::TrailingBytes),
        }
    }

    fn header(&self) -> Result<Option<FrameHeader>, FrameError> {
        if self.seen < FRAME_HEADER_LEN {
            return Ok(None);
        }
        let header = FrameHeader::parse(self.header)?;
        match header.len as usize > self.max_len {
            true => Err(FrameError::TooLong { len: header.len, limit: self.max_len }),
            false => Ok(Some(header)),
        }
    }
}

// === impl Code ===

impl Code {
    /// Returns the code with a number; `None` above 16.
    pub fn from_number(number: u32) -> Option<Self> {
        ALL_CODES.get(number as usize).copied()
    }
}

fn total(header: FrameHeader) -> usize {
    FRAME_HEADER_LEN.saturating_add(header.len as usize)
}

const ALL_CODES: [Code; 17] = [
    Code::Ok,
    Code::Cancelled,
    Code::Unknown,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::AlreadyExists,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unauthenticated,
];

#[cfg(test)]
mod tests;
