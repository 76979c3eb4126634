//! gRPC message framing: a flag byte, a big-endian length, the message.

/// Bytes before each gRPC message.
pub const FRAME_HEADER_LEN: usize = 5;

/// The header of a gRPC message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether the message is compressed with the encoding named in `grpc-encoding`.
    pub compressed: bool,
    /// Length of the message that follows, in bytes.
    pub len: u32,
}

/// Why a gRPC body is not exactly one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The flag byte is neither 0 nor 1.
    #[error("gRPC frame: flag {0} is neither 0 nor 1")]
    Flag(u8),
    /// The body ends before the message does.
    #[error("gRPC frame: the body ends before its message does")]
    Truncated,
    /// Bytes follow the message of a unary call.
    #[error("gRPC frame: more than one message on a unary call")]
    TrailingBytes,
}

impl FrameHeader {
    /// The header of a message of `len` bytes.
    pub const fn new(compressed: bool, len: u32) -> Self {
        Self { compressed, len }
    }

    /// Reads the five bytes of a header. The length is the peer's claim: check it against a limit, allocate nothing by it.
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

    /// The five bytes of the header.
    pub const fn encode(self) -> [u8; FRAME_HEADER_LEN] {
        let [a, b, c, d] = self.len.to_be_bytes();
        [self.compressed as u8, a, b, c, d]
    }
}
