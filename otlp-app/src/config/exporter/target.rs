//! Where an exporter sends, with the place in the file: what is compared with the gateway's own receivers.

use crate::config::component::Component;
use crate::config::source::Span;
use crate::own_addresses::Place;
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_transport::ClientConfig;

/// Where an exporter sends a signal.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The signal; `None`: all of them.
    pub(crate) signal: Option<&'static str>,
    /// How it is spoken to.
    pub(crate) protocol: Protocol,
    /// The place.
    pub(crate) place: Place,
    /// The setting's path below the component.
    pub(crate) path: String,
    /// The setting's place in the file.
    pub(crate) span: Span,
}

/// The targets of a client: the URLs of single signals, and `endpoint` for the others.
pub(super) fn of_client(protocol: Protocol, config: &ClientConfig, component: &Component) -> Vec<Target> {
    let own = |signal: Signal| config.signal_endpoints.iter().rev().find(|(name, _)| name == signal.name);
    let target = |signal: Signal| {
        let (path, endpoint) = match own(signal) {
            Some((name, url)) => (format!("{name}_endpoint"), url),
            None => ("endpoint".to_owned(), &config.endpoint),
        };
        Target::new(protocol, Some(signal.name), endpoint, path, component)
    };
    Signal::ALL.into_iter().filter_map(target).collect()
}

// === impl Target ===

impl Target {
    /// The target of an endpoint that `component` has at `path`; `None` if it is no place.
    pub(super) fn new(
        protocol: Protocol,
        signal: Option<&'static str>,
        endpoint: &str,
        path: String,
        component: &Component,
    ) -> Option<Self> {
        let span = component.settings.span_of(&path);
        Some(Self { signal, protocol, place: Place::of(endpoint)?, path, span })
    }
}
