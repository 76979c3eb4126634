//! Without the feature `grpc`: connections that speak HTTP/2 are closed.

use super::stream::Stream;
use crate::server::Protocol;
use crate::server::connection::{Life, Terms};
use crate::server::engine::Service;
use crate::server::refusals::Reason;
use crate::tls::Alpn;
use std::error::Error;
use std::sync::Arc;

/// There are none.
pub(super) struct Settings;

/// What servers of OTLP/HTTP take in ALPN.
pub(in crate::server) const ALPN: Alpn = Alpn::Http1;

/// Closes a connection.
pub(super) async fn serve<S: Service>(
    _settings: &Settings,
    _service: &Arc<S>,
    _stream: Stream,
    life: &Life<'_>,
) {
    let what = "HTTP/2 came, which is not compiled in: send HTTP/1.1, or build with the feature `grpc`";
    life.is_refused(Reason::Protocol, what);
}

/// Finds nothing: no connection speaks HTTP/2.
pub(super) fn fault_of_peer(_cause: &(dyn Error + 'static)) -> Option<Option<String>> {
    None
}

pub(super) fn settings(_terms: &Terms, _protocol: Protocol, _may_be_slow: bool) -> Settings {
    Settings
}
