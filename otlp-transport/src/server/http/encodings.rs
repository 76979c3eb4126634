//! Content encodings that requests may have.

use crate::compression::{Codec, accepted_encodings, codec};
use crate::config::IDENTITY;
use crate::{ExportError, ServerConfig};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use otlp_protocol::{ErrorKind, Retry};

/// The accepted encodings; `None`: all supported ones.
pub(super) struct Encodings(Option<Vec<String>>);

// === impl Encodings ===

impl Encodings {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self(config.encodings.clone())
    }

    /// Returns the codec of a body: the one encoding other than `identity` in all lines of `content-encoding`. RFC 9110
    /// §8.4 allows several encodings in turn, which are refused.
    pub(super) fn of(&self, headers: &HeaderMap) -> Result<Option<&'static dyn Codec>, ExportError> {
        let mut found = None;
        for line in headers.get_all(CONTENT_ENCODING) {
            let line = String::from_utf8_lossy(line.as_bytes());
            let names = line.split(',').map(str::trim);
            for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(IDENTITY)) {
                let codec = codec(name).ok_or_else(|| self.refusal(name))?;
                if found.replace(codec).is_some() {
                    return Err(several());
                }
            }
        }
        match found {
            None => self.taken(IDENTITY, None),
            Some(codec) => self.taken(codec.name(), Some(codec)),
        }
    }

    fn taken(
        &self,
        name: &str,
        codec: Option<&'static dyn Codec>,
    ) -> Result<Option<&'static dyn Codec>, ExportError> {
        match &self.0 {
            Some(taken) if !taken.iter().any(|taken| is_one(taken, name)) => Err(self.refusal(name)),
            _ => Ok(codec),
        }
    }

    fn refusal(&self, name: &str) -> ExportError {
        let taken = match &self.0 {
            Some(taken) => &taken.join(","),
            None => accepted_encodings(),
        };
        let message = format!("content-encoding {name:?} is not served: send one of {taken}");
        ExportError::new(ErrorKind::UnsupportedEncoding, Retry::Never, message)
    }
}

/// True if two names mean one encoding.
fn is_one(taken: &str, name: &str) -> bool {
    taken.eq_ignore_ascii_case(name) || codec(taken).is_some_and(|codec| codec.name() == name)
}

fn several() -> ExportError {
    let message = "content-encoding names several encodings: compress a body once";
    ExportError::new(ErrorKind::UnsupportedEncoding, Retry::Never, message)
}

#[cfg(test)]
mod tests;
