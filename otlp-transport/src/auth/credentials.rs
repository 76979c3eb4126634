//! Credentials that clients add to requests.

use crate::{ConfigError, ExportError};
use http::{HeaderMap, HeaderValue};
use otlp_protocol::Origin;
use std::fmt;

/// Adds credentials to a client's requests, by [`ClientConfig::credentials`](crate::ClientConfig::credentials).
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use otlp_protocol::Origin;
/// use otlp_transport::{Credentials, ExportError};
///
/// /// Names the cluster.
/// #[derive(Debug)]
/// struct Cluster(HeaderValue);
///
/// impl Credentials for Cluster {
///     fn apply(&self, headers: &mut HeaderMap, _origin: Option<&Origin>) -> Result<(), ExportError> {
///         headers.insert("x-cluster", self.0.clone());
///         Ok(())
///     }
///
///     fn is_secret(&self) -> bool {
///         false
///     }
/// }
/// ```
pub trait Credentials: fmt::Debug + Send + Sync + 'static {
    /// Adds headers to a request, or removes headers. `origin`: the origin of its batch, as far as the receiver kept it.
    /// Values are marked sensitive.
    ///
    /// # Errors
    /// If a value is missing without which the request must not be sent.
    fn apply(&self, headers: &mut HeaderMap, origin: Option<&Origin>) -> Result<(), ExportError>;

    /// True if the credentials hold secrets. On cleartext connections to other machines, gRPC clients refuse secrets, and
    /// HTTP clients log a warning.
    fn is_secret(&self) -> bool;
}

/// Makes a header value that debug output does not show.
pub(super) fn sensitive(key: &'static str, bytes: &[u8]) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_bytes(bytes).map_err(|_| {
        ConfigError::new(
            key,
            "the value has characters that a header cannot carry, such as control characters",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
