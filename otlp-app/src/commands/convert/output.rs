//! The file that is written: complete, or as it was.

use otlp_protocol::bytes::Bytes;
use otlp_protocol::{BufferPool, Payload};
use otlp_transport::codec;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write, stdout};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A file, a device or stdout. A file has another name until it is complete, and is removed if it does not get there.
pub(crate) struct Output {
    sink: Box<dyn Write + Send>,
    /// The file's names, until it is complete.
    names: Option<Names>,
    /// Encoding of the file.
    compression: Option<&'static str>,
    /// Content that is still to be compressed.
    plain: Vec<u8>,
}

/// Names of a file that is written or replaced as a whole.
#[derive(Clone)]
pub(crate) struct Names {
    unfinished: PathBuf,
    complete: PathBuf,
}

// === impl Names ===

impl Names {
    /// Returns the names of a regular file, which need not exist. `None` for stdout, devices, pipes and directories.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        if super::is_stdin(path) || path.metadata().is_ok_and(|existing| !existing.is_file()) {
            return None;
        }
        // The file behind a link is replaced, not the link.
        let complete = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut name = complete.clone().into_os_string();
        name.push(format!(".{}.part", std::process::id()));
        Some(Self { unfinished: name.into(), complete })
    }

    /// Makes the file that is not complete readable by its owner alone.
    pub(crate) fn make_private(&self) -> io::Result<()> {
        std::fs::set_permissions(&self.unfinished, std::fs::Permissions::from_mode(0o600))
    }

    /// Removes the file that is not complete.
    pub(crate) fn remove_unfinished(&self) {
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

// === impl Output ===

impl Output {
    /// Opens stdout, a device or a pipe, which are written as they are; a directory is an error.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let sink: Box<dyn Write + Send> = if super::is_stdin(path) {
            Box::new(BufWriter::new(stdout()))
        } else {
            Box::new(BufWriter::new(OpenOptions::new().write(true).open(path)?))
        };
        Ok(Self { sink, names: None, compression: compression_of(path), plain: Vec::new() })
    }

    /// Creates the file `path`, whose names are `names`.
    pub(crate) fn create(path: &Path, names: &Names) -> io::Result<Self> {
        // Another user may have made such a file in a shared directory: that file is not followed or written.
        let file = OpenOptions::new().write(true).create_new(true).open(&names.unfinished)?;
        let output = Self {
            sink: Box::new(BufWriter::new(file)),
            names: Some(names.clone()),
            compression: compression_of(path),
            plain: Vec::new(),
        };
        if let Ok(existing) = names.complete.metadata() {
            std::fs::set_permissions(&names.unfinished, existing.permissions())?;
        }
        Ok(output)
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
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
    pub(crate) fn finish(mut self) -> io::Result<()> {
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
        if let Some(Names { unfinished, complete }) = &self.names {
            std::fs::rename(unfinished, complete)?;
        }
        self.names = None;
        Ok(())
    }
}

impl Drop for Output {
    /// Removes a file that is not complete.
    fn drop(&mut self) {
        if let Some(names) = self.names.take() {
            names.remove_unfinished();
        }
    }
}

/// Returns the encoding of a file by its name.
fn compression_of(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?;
    let names = [("gz", "gzip"), ("zst", "zstd")];
    names.into_iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, name)| name)
}

/// The most bytes of a compressed file's content.
const MAX_PLAIN_BYTES: usize = 1 << 30;
