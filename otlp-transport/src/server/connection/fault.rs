//! What a peer did wrong on a connection that hyper or h2 gave up.

use std::error::Error;

/// What the peer did wrong; `None` if the connection ended otherwise, as for the network or by the peer's own decision.
pub(super) fn of_peer(error: &hyper::Error) -> Option<String> {
    let h2 = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    if let Some(h2) = h2 {
        let is_ours = h2.is_library() && h2.reason().is_some_and(|reason| reason != h2::Reason::NO_ERROR);
        return is_ours.then(|| format!("HTTP/2: {h2}"));
    }
    (error.is_parse() && !error.is_incomplete_message()).then(|| format!("HTTP/1.1: {error}"))
}
