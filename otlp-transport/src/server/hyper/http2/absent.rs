//! Stand-in for HTTP/2 without the feature `grpc`: HTTP/2 connections are closed.

use super::stream::Stream;
use crate::server::Protocol;
use crate::server::connection::{Life, Terms};
use crate::server::engine::Service;
use crate::server::refusals::Reason;
use crate::tls::Alpn;
use std::error::Error;
use std::sync::Arc;

/// Settings of HTTP/2: none.
pub(super) struct Settings;

/// HTTP versions that servers of OTLP/HTTP accept in ALPN.
pub(in crate::server) const ALPN: Alpn = Alpn::Http1;

/// Counts, logs and closes an HTTP/2 connection.
pub(super) async fn serve<S: Service>(
    _settings: &Settings,
    _service: &Arc<S>,
    _stream: Stream,
    life: &Life<'_>,
) {
    let what = "received HTTP/2, which is not compiled in: send HTTP/1.1, or build with the feature `grpc`";
    life.is_refused(Reason::Protocol, what);
}

/// Returns `None`: no error is h2's.
pub(super) fn fault_of_peer(_cause: &(dyn Error + 'static)) -> Option<Option<String>> {
    None
}

pub(super) fn settings(_terms: &Terms, _protocol: Protocol, _may_be_slow: bool) -> Settings {
    Settings
}
