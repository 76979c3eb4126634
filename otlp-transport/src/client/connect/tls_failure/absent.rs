//! Failures of TLS handshakes, where there is no TLS.

use std::io;

pub(super) fn describe(error: &io::Error, _host: &str) -> String {
    error.to_string()
}
