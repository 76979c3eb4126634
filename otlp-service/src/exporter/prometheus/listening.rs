//! The servers of pages of a process, by address: after a reload the new exporter of an address answers on the server of the old one.

use super::Shared;
use super::format::Format;
use super::page::Parts;
use otlp_transport::{
    Address, AnyPage, ConfigError, PageRequest, PagesConfig, PagesServer, PartedPage, TransportContext,
    serve_pages,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

/// The exporters that share a server. The newest answers.
type Exporters = Mutex<Vec<Arc<Shared>>>;

/// A server and its exporters.
struct Listening {
    server: PagesServer,
    exporters: Arc<Exporters>,
}

/// An exporter's use of a server. The server ends with the last of its uses.
pub(super) struct Served {
    listening: Arc<Listening>,
    exporter: Arc<Shared>,
}

/// By network and address.
static SERVERS: LazyLock<tokio::sync::Mutex<Servers>> = LazyLock::new(tokio::sync::Mutex::default);

type Servers = HashMap<(usize, String), Weak<Listening>>;

// === impl Served ===

impl Served {
    /// Serves the page of an exporter.
    ///
    /// # Errors
    /// If the server cannot listen. A server with TLS is not shared.
    pub(super) async fn start(
        context: &TransportContext,
        config: PagesConfig,
        exporter: Arc<Shared>,
    ) -> Result<Self, ConfigError> {
        let key = (Arc::as_ptr(&context.net).addr(), config.endpoint.clone());
        let is_shared = config.tls.is_none() && !config.endpoint.ends_with(":0");
        let mut servers = SERVERS.lock().await;
        servers.retain(|_, listening| listening.strong_count() > 0);
        let known = servers.get(&key).and_then(Weak::upgrade).filter(|_| is_shared);
        let listening = match known {
            Some(listening) => listening,
            None => {
                let exporters: Arc<Exporters> = Arc::default();
                let answering = Arc::clone(&exporters);
                let server = serve_pages(context, config, move |request| page(&answering, request)).await?;
                let listening = Arc::new(Listening { server, exporters });
                if is_shared {
                    servers.insert(key, Arc::downgrade(&listening));
                }
                listening
            }
        };
        listening.exporters.lock().push(Arc::clone(&exporter));
        Ok(Self { listening, exporter })
    }

    pub(super) fn local_addr(&self) -> Address {
        self.listening.server.local_addr()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.listening.exporters.lock().retain(|exporter| !Arc::ptr_eq(exporter, &self.exporter));
    }
}

/// The page `/metrics` of the newest exporter.
fn page(exporters: &Exporters, request: &PageRequest<'_>) -> Option<AnyPage> {
    let exporter = exporters.lock().last().cloned().filter(|_| request.path == "/metrics")?;
    let format = Format::negotiate(request.accept, exporter.has_open_metrics);
    let mut parts = Parts::new(exporter, format);
    let page = PartedPage { content_type: format.content_type(), parts: Box::new(move || parts.next()) };
    Some(page.into())
}
