//! Requests in files: their format, compression and framing are found by their bytes.
//!
//! | bytes | are |
//! |---|---|
//! | JSON texts, one after the other, each of one or several lines | a request each: also JSON lines of the Collector's exporter `file` |
//! | a length of four bytes, big endian, then as many bytes, and so on | a request each, in protobuf or JSON, perhaps compressed by zstd: the exporter `file` with `format: proto` or `compression` |
//! | a gRPC message: a flag, a length, a request | one request in protobuf |
//! | other bytes | one request in protobuf |
//!
//! Each of these may be compressed by gzip or zstd as a whole. Requests of length 0 are skipped.

mod framing;
mod guess;
mod json_texts;

use framing::Framing;
use guess::{Guess, by_key, of_protobuf};
use json_texts::JsonTexts;
use otlp_protocol::bytes::Bytes;
use otlp_protocol::json::JsonLimits;
use otlp_protocol::{Body, BufferPool, Charge, Signal, ValidateLimits};
use otlp_transport::codec;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// Encoding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OTLP/JSON.
    Json,
    /// Protobuf.
    Protobuf,
}

/// One request of a file, without compression and framing.
#[derive(Debug)]
pub(crate) struct Record {
    /// Number of the request in the file, from 1.
    pub(crate) number: u64,
    /// Position of the request in the file, after decompression of the file.
    pub(crate) offset: u64,
    /// Encoding of `bytes`.
    pub(crate) format: Format,
    /// The encoded request.
    pub(crate) bytes: Bytes,
}

/// A fault in a file, or in one of its requests.
#[derive(Debug)]
pub(crate) struct InputError {
    /// Number of the request; `None` if the fault is in the file itself.
    pub(crate) request: Option<u64>,
    /// The fault, with its position.
    pub(crate) problem: String,
}

/// A fault inside a request.
#[derive(Debug)]
pub(crate) struct RequestFault {
    /// The fault, with its path and its position in the request.
    pub(crate) problem: String,
    /// Position in the request, in bytes, if the fault is at a position.
    pub(crate) offset: Option<usize>,
}

/// The requests of a file, in order.
pub(crate) struct Input {
    source: Box<dyn BufRead + Send>,
    /// Name of the whole file's compression.
    compression: Option<&'static str>,
    framing: Framing,
    offset: u64,
    number: u64,
    is_at_end: bool,
}

// === impl Input ===

impl Input {
    /// Opens a file; `-` is stdin.
    ///
    /// # Errors
    /// If the file cannot be read, or decompressed.
    pub(crate) fn open(path: &Path) -> Result<Self, InputError> {
        let source: Box<dyn Read + Send> = if is_stdin(path) {
            Box::new(io::stdin())
        } else {
            let file =
                File::open(path).map_err(|error| InputError::of_file(format!("cannot open: {error}")))?;
            Box::new(file)
        };
        Self::new(source)
    }

    /// Reads the first bytes of `source`, and finds out what they are.
    ///
    /// # Errors
    /// If `source` cannot be read or decompressed.
    pub(crate) fn new(mut source: Box<dyn Read + Send>) -> Result<Self, InputError> {
        let mut head = read_up_to(&mut source, HEAD_BYTES)?;
        let compression = compression_of(&head);
        if let Some(name) = compression {
            head.extend(read_up_to(&mut source, MAX_COMPRESSED_BYTES)?);
            if head.len() >= MAX_COMPRESSED_BYTES {
                let problem = format!("compressed files may have {MAX_COMPRESSED_BYTES} bytes at most");
                return Err(InputError::of_file(problem));
            }
            let plain = decompress(name, &head, MAX_PLAIN_BYTES).map_err(InputError::of_file)?;
            let framing = Framing::of(plain.get(..HEAD_BYTES).unwrap_or(&plain));
            return Ok(Self::framed(Box::new(Cursor::new(plain)), compression, framing));
        }
        let framing = Framing::of(&head);
        Ok(Self::framed(Box::new(Cursor::new(head).chain(BufReader::new(source))), None, framing))
    }

    fn framed(source: Box<dyn BufRead + Send>, compression: Option<&'static str>, framing: Framing) -> Self {
        Self { source, compression, framing, offset: 0, number: 0, is_at_end: false }
    }

    /// Describes compression and framing: `gzip, JSON`.
    pub(crate) fn description(&self) -> String {
        let compression = self.compression.map(|name| format!("{name}, ")).unwrap_or_default();
        format!("{compression}{}", self.framing.description())
    }

    fn read(&mut self) -> Result<Option<Record>, InputError> {
        let request = Some(self.number + 1);
        let here = |problem: String| InputError { request, problem };
        let read = match self.framing {
            Framing::JsonTexts => JsonTexts::new(&mut *self.source).next(&mut self.offset),
            framing => framing::next(framing, &mut *self.source, &mut self.offset, self.number == 0),
        };
        let (start, bytes) = match read {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(fault) => {
                self.is_at_end = !fault.can_go_on;
                self.number += 1;
                return Err(here(fault.problem));
            }
        };
        self.number += 1;
        let bytes = match compression_of(&bytes) {
            Some(name) => decompress(name, &bytes, MAX_REQUEST_BYTES).map_err(here)?,
            None => bytes,
        };
        let format = if bytes.first() == Some(&b'{') { Format::Json } else { Format::Protobuf };
        Ok(Some(Record { number: self.number, offset: start, format, bytes }))
    }
}

impl Iterator for Input {
    type Item = Result<Record, InputError>;

    /// Returns the next request, or a fault. Requests after a fault follow if their start can be found.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_at_end {
            return None;
        }
        let read = self.read().transpose();
        self.is_at_end |= read.is_none();
        read
    }
}

// === impl Record ===

impl Record {
    /// Checks the request. Without `signal` the signal is found by the content.
    ///
    /// # Errors
    /// The first fault in the request, or that its signal cannot be told.
    pub(crate) fn body(&self, signal: Option<Signal>) -> Result<Body, InputError> {
        self.check(signal).map_err(|fault| InputError {
            request: Some(self.number),
            problem: format!("{}; the request begins at byte {}", fault.problem, self.offset),
        })
    }

    /// Checks the request as [`body`](Self::body) does, and returns the place of the fault.
    ///
    /// # Errors
    /// The first fault in the request, or that its signal cannot be told.
    pub(crate) fn check(&self, signal: Option<Signal>) -> Result<Body, RequestFault> {
        let unknown = |problem: &str| RequestFault { problem: problem.into(), offset: None };
        let fault = |signal: Signal, format: &str, error: &dyn fmt::Display, offset: usize| RequestFault {
            problem: format!("invalid {format} of {signal}: {error}"),
            offset: Some(offset),
        };
        match self.format {
            Format::Json => {
                let signal = signal.or_else(|| by_key(&self.bytes)).ok_or_else(|| unknown(NO_KEY))?;
                let read = Body::from_json(signal, &self.bytes, &JsonLimits::default());
                read.map_err(|error| fault(signal, "JSON", &error, error.offset))
            }
            Format::Protobuf => {
                let signal = match signal.map_or_else(|| of_protobuf(&self.bytes), Guess::Signal) {
                    Guess::Signal(signal) | Guess::Broken(signal) => signal,
                    Guess::Unclear => return Err(unknown(UNCLEAR)),
                };
                let checked = Body::check(signal, self.bytes.clone(), &ValidateLimits::default());
                checked.map_err(|error| fault(signal, "protobuf", &error, error.offset))
            }
        }
    }
}

// === impl InputError ===

impl InputError {
    fn of_file(problem: String) -> Self {
        Self { request: None, problem }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.request {
            Some(number) => write!(f, "request {number}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// True for the path `-`.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read_up_to(source: &mut dyn Read, limit: usize) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    match source.take(limit as u64).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(InputError::of_file(format!("cannot read: {error}"))),
    }
}

/// Returns the name of the encoding whose magic number `bytes` begin with.
fn compression_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

fn decompress(name: &'static str, wire: &[u8], max_bytes: usize) -> Result<Bytes, String> {
    let Some(codec) = codec(name) else {
        return Err(format!("{name} is not compiled in: build with the feature `{name}`"));
    };
    let plain = codec.decompress(wire, max_bytes, &mut Charge::none(), &BufferPool::new(0));
    plain.map_err(|error| error.to_string())
}

/// Bytes that show the format of a file.
const HEAD_BYTES: usize = 64;
/// The largest request read: JSON is two to three times as long as protobuf, whose limit is 64 MiB.
const MAX_REQUEST_BYTES: usize = 256 << 20;
/// The largest file that is compressed as a whole.
const MAX_COMPRESSED_BYTES: usize = 256 << 20;
/// The largest content of a file that is compressed as a whole.
const MAX_PLAIN_BYTES: usize = 1 << 30;
const NO_KEY: &str = "no request in OTLP/JSON: none of resourceSpans, resourceMetrics, resourceLogs, resourceProfiles is in it";
const UNCLEAR: &str = "the bytes are a valid request of several signals; name the signal by --signal";

#[cfg(test)]
mod tests;
