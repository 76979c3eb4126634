//! Content encodings of requests, as far as they are taken.

use crate::compression::{Codec, accepted_encodings, codec};
use crate::config::IDENTITY;
use crate::{ExportError, ServerConfig};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use otlp_protocol::{ErrorKind, Retry};

/// The encodings that are taken; `None`: all there are.
pub(super) struct Encodings(Option<Vec<String>>);

// === impl Encodings ===

impl Encodings {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self(config.encodings.clone())
    }

    /// What a body is compressed with, if it is.
    pub(super) fn of(&self, headers: &HeaderMap) -> Result<Option<&'static dyn Codec>, ExportError> {
        let Some(name) = headers.get(CONTENT_ENCODING) else { return self.taken(IDENTITY, None) };
        let name = String::from_utf8_lossy(name.as_bytes());
        let name = name.trim();
        if name.is_empty() || name.eq_ignore_ascii_case(IDENTITY) {
            return self.taken(IDENTITY, None);
        }
        let codec = codec(name).ok_or_else(|| self.refusal(name))?;
        self.taken(name, Some(codec))
    }

    fn taken(
        &self,
        name: &str,
        codec: Option<&'static dyn Codec>,
    ) -> Result<Option<&'static dyn Codec>, ExportError> {
        match &self.0 {
            Some(taken) if !taken.iter().any(|taken| taken.eq_ignore_ascii_case(name)) => {
                Err(self.refusal(name))
            }
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
