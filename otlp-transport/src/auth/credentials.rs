//! How we prove who we are: what a client adds to each request.

use crate::{ConfigError, ExportError};
use http::{HeaderMap, HeaderValue};
use otlp_protocol::Origin;
use std::fmt;

/// Adds to a client's requests what proves who we are.
pub trait Credentials: fmt::Debug + Send + Sync + 'static {
    /// Adds to, or takes from, the headers of one request. `origin`: where its batch came from, as far as it was kept.
    /// Values are marked as sensitive.
    ///
    /// # Errors
    /// If the request must not be sent without something that is not there.
    fn apply(&self, headers: &mut HeaderMap, origin: Option<&Origin>) -> Result<(), ExportError>;

    /// Whether it carries secrets, which belong on no cleartext connection that leaves the machine.
    fn is_secret(&self) -> bool;
}

/// A header value that is not shown.
pub(super) fn sensitive(key: &'static str, bytes: &[u8]) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_bytes(bytes)
        .map_err(|_| ConfigError::new(key, "there are characters in it that a header cannot carry"))?;
    value.set_sensitive(true);
    Ok(value)
}
