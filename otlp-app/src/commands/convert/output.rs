//! The file that is written: complete or not there.

use otlp_protocol::bytes::Bytes;
use otlp_protocol::{BufferPool, Payload};
use otlp_transport::codec;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

/// A file, a device or stdout. A file has another name until it is complete, and is removed if it does not get there.
pub(super) struct Output {
    sink: Box<dyn Write>,
    /// The file's name until it is complete, and then.
    names: Option<(PathBuf, PathBuf)>,
    /// Encoding of the file.
    compression: Option<&'static str>,
    /// Content that is still to be compressed.
    plain: Vec<u8>,
}

// === impl Output ===

impl Output {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let compression = match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Some("gzip"),
            Some("zst") => Some("zstd"),
            _ => None,
        };
        let direct = |sink: Box<dyn Write>| Self { sink, names: None, compression, plain: Vec::new() };
        if super::is_stdin(path) {
            return Ok(direct(Box::new(BufWriter::new(stdout()))));
        }
        // The file behind a link is replaced, not the link.
        let complete = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let existing = std::fs::metadata(&complete).ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            // Devices and pipes are written as they are; a directory is an error.
            let sink = OpenOptions::new().write(true).open(&complete)?;
            return Ok(direct(Box::new(BufWriter::new(sink))));
        }
        let mut name = complete.clone().into_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let unfinished = PathBuf::from(name);
        // Another user may have made such a file in a shared directory: that file is not followed or written.
        let file = OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
        let names = Some((unfinished, complete));
        let output = Self { sink: Box::new(BufWriter::new(file)), names, compression, plain: Vec::new() };
        if let (Some(existing), Some((unfinished, _))) = (existing, &output.names) {
            std::fs::set_permissions(unfinished, existing.permissions())?;
        }
        Ok(output)
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.compression.is_none() {
            return self.sink.write_all(bytes);
        }
        if self.plain.len().saturating_add(bytes.len()) > MAX_PLAIN_BYTES {
            let problem = format!("a compressed file may have {MAX_PLAIN_BYTES} bytes of content at most");
            return Err(io::Error::other(problem));
        }
        self.plain.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what is left, and gives the file its name.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if let Some(name) = self.compression {
            let Some(compressor) = codec(name).and_then(|codec| codec.compressor()) else {
                return Err(io::Error::other(format!(
                    "{name} is not compiled in: build with the feature `{name}`"
                )));
            };
            let plain = Payload::from(Bytes::from(std::mem::take(&mut self.plain)));
            let compressed = compressor.compress(&plain, &BufferPool::new(0)).map_err(io::Error::other)?;
            self.sink.write_all(&compressed)?;
        }
        self.sink.flush()?;
        match self.names.take() {
            Some((unfinished, complete)) => std::fs::rename(unfinished, complete),
            None => Ok(()),
        }
    }
}

impl Drop for Output {
    /// Removes a file that is not complete.
    fn drop(&mut self) {
        if let Some((unfinished, _)) = self.names.take() {
            let _ = std::fs::remove_file(unfinished);
        }
    }
}

/// The most bytes of a compressed file's content.
const MAX_PLAIN_BYTES: usize = 1 << 30;
