//! The framing of the requests in a file.

use super::MAX_REQUEST_BYTES;
use otlp_protocol::bytes::Bytes;
use std::io::{BufRead, Read};

/// Way in which a file holds requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// JSON texts, one after the other.
    JsonTexts,
    /// Requests with a length of four bytes before each.
    LengthPrefixed,
    /// One gRPC message.
    GrpcMessage,
    /// One request.
    Bare,
}

/// A fault in the framing of a request.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) problem: String,
    /// True if the next request can be found.
    pub(super) can_go_on: bool,
}

/// Position of a request in the file, and the request; `None` at the end.
pub(super) type Found = Result<Option<(u64, Bytes)>, Fault>;

// === impl Framing ===

impl Framing {
    /// Finds the framing by the first bytes of a file. No protobuf message begins with a byte below 8, since 0 is no field
    /// number: such a byte begins a length or is the flag of a gRPC message.
    pub(super) fn of(head: &[u8]) -> Self {
        if is_json(head) {
            return Self::JsonTexts;
        }
        match head {
            // The length of a gRPC message may end with a byte that a request begins with, too. The request of the message begins
            // with 10. As the second byte of a request behind a length, 10 would be the size of its first part, and behind that
            // part the request would end or have another part.
            [0, _, _, _, b'{' | 0x28, 0x0a, ..] => Self::GrpcMessage,
            [0, _, _, len, 0x0a, 0x0a, rest @ ..] if *len != 12 && rest.get(10) != Some(&0x0a) => {
                Self::GrpcMessage
            }
            [0..=7, _, _, _, 0x0a | b'{' | 0x28, ..] => Self::LengthPrefixed,
            // A gRPC message of length 0 ends here: these are the lengths of an empty request and of the next.
            [0, 0, 0, 0, 0, _, ..] => Self::LengthPrefixed,
            [0 | 1, _, _, _, _, ..] => Self::GrpcMessage,
            [0..=7, ..] => Self::LengthPrefixed,
            _ => Self::Bare,
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::JsonTexts => "JSON",
            Self::LengthPrefixed => "requests with a length of four bytes before each",
            Self::GrpcMessage => "a gRPC message",
            Self::Bare => "protobuf",
        }
    }
}

/// True if a JSON object begins. A line break is also the first byte of a protobuf request, so that a text is required to be
/// an object with a key, or an empty object.
fn is_json(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let Some(inside) = text.trim_ascii_start().strip_prefix(b"{") else { return false };
    let inside = inside.trim_ascii_start();
    matches!(inside, [] | [b'}', ..] | [b'"'])
        || matches!(inside, [b'"', second, ..] if second.is_ascii_graphic())
}

/// Reads the next request of another framing than JSON texts.
pub(super) fn next(framing: Framing, source: &mut dyn BufRead, offset: &mut u64, is_first: bool) -> Found {
    match framing {
        Framing::LengthPrefixed => prefixed(source, offset, is_first),
        Framing::GrpcMessage if is_first => grpc_message(source, offset),
        _ if is_first => bare(source, offset),
        _ => Ok(None),
    }
}

/// Skips requests of length 0: there is nothing in them, and their signal cannot be told.
fn prefixed(source: &mut dyn BufRead, offset: &mut u64, is_first: bool) -> Found {
    let (start, len) = loop {
        let start = *offset;
        let prefix = take(source, PREFIX_BYTES, offset)?;
        match prefix.first_chunk().map(|prefix| u32::from_be_bytes(*prefix) as usize) {
            Some(0) => {}
            Some(len) => break (start, len),
            None if !prefix.is_empty() => return Err(cut_off(start)),
            None if is_first => {
                let problem = "the file has only empty requests (of length 0)".into();
                return Err(Fault { problem, can_go_on: false });
            }
            None => return Ok(None),
        }
    };
    if len > MAX_REQUEST_BYTES {
        let problem = format!(
            "invalid length {len} of a request (at byte {start}): at most {MAX_REQUEST_BYTES} bytes are read"
        );
        return Err(Fault { problem, can_go_on: false });
    }
    let begin = *offset;
    let bytes = take(source, len, offset)?;
    if bytes.len() < len { Err(cut_off(begin)) } else { Ok(Some((begin, bytes.into()))) }
}

fn grpc_message(source: &mut dyn BufRead, offset: &mut u64) -> Found {
    let header = take(source, otlp_protocol::FRAME_HEADER_LEN, offset)?;
    let len = header.get(1..).and_then(|len| len.first_chunk()).map_or(0, |len| u32::from_be_bytes(*len));
    let begin = *offset;
    let (_, bytes) = bare(source, offset)?.unwrap_or_default();
    if bytes.len() == len as usize {
        return Ok(Some((begin, bytes)));
    }
    let problem = format!("a gRPC message of {len} bytes, followed by {} bytes", bytes.len());
    Err(Fault { problem, can_go_on: false })
}

fn bare(source: &mut dyn BufRead, offset: &mut u64) -> Found {
    let start = *offset;
    let bytes = take(source, MAX_REQUEST_BYTES + 1, offset)?;
    match bytes.len() {
        0 if start == 0 => Err(Fault { problem: "the file is empty".into(), can_go_on: false }),
        len if len > MAX_REQUEST_BYTES => Err(too_large(start)),
        _ => Ok(Some((start, bytes.into()))),
    }
}

/// Reads `len` bytes, or fewer if the file ends.
fn take(source: &mut dyn BufRead, len: usize, offset: &mut u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    source.take(len as u64).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    *offset += bytes.len() as u64;
    Ok(bytes)
}

fn cut_off(start: u64) -> Fault {
    let problem = format!("the file ends inside the request that begins at byte {start}");
    Fault { problem, can_go_on: false }
}

pub(super) fn too_large(start: u64) -> Fault {
    let problem = format!("the request at byte {start} is larger than {MAX_REQUEST_BYTES} bytes");
    Fault { problem, can_go_on: false }
}

pub(super) fn unreadable(error: &std::io::Error) -> Fault {
    Fault { problem: format!("cannot read: {error}"), can_go_on: false }
}

const PREFIX_BYTES: usize = 4;
