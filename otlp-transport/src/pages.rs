//! Pages for operators, probes and scrapers: documents over HTTP/1.1, `GET` and `HEAD` only.
//!
//! Simple rather than fast, since no telemetry passes here. Each connection carries one request and is closed after
//! [`CONNECTION_TIME`] at the latest. At most [`MAX_CONNECTIONS`] are open, and a new connection closes the oldest, so
//! that a probe is answered even if many connections send nothing.

mod body;

use crate::tls::{Alpn, TlsAcceptor};
use crate::{Address, BoxIo, ConfigError, Listener, ServerTlsConfig, Sleep, TransportContext};
use body::Document;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};

/// A document, made on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The `content-type`.
    pub content_type: &'static str,
    /// The document.
    pub body: String,
}

/// A document that is made part by part while it is sent, so that the whole document is never in memory.
pub struct PartedPage {
    /// The `content-type`.
    pub content_type: String,
    /// Returns the next part, `None` after the last. Must not block; a part of 64 KiB is a good size.
    pub parts: Box<dyn FnMut() -> Option<Bytes> + Send>,
}

/// What a server of pages sends.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyPage {
    /// A whole document.
    Whole(Page),
    /// A document that is made while it is sent. Compressed if the request accepts gzip.
    Parted(PartedPage),
}

/// Settings of a server of pages.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PagesConfig {
    /// Address to listen on, as `host:port`.
    pub endpoint: String,
    /// TLS. Default `None`: cleartext.
    pub tls: Option<ServerTlsConfig>,
}

/// A request for a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageRequest<'a> {
    /// The path.
    pub path: &'a str,
    /// The query, without the `?`. Empty if there is none.
    pub query: &'a str,
    /// The header `accept`. Empty if there is none.
    pub accept: &'a str,
}

/// Serves pages until dropped.
#[derive(Debug)]
pub struct PagesServer {
    local_addr: Address,
    acceptor: AbortHandle,
}

/// Serves the page that `pages` returns for a request, or 404 for `None`. `pages` must not block.
///
/// # Errors
/// If the server cannot listen on the endpoint (`host:port`), or the files of TLS cannot be used.
pub async fn serve_pages<P: Into<AnyPage>>(
    context: &TransportContext,
    config: impl Into<PagesConfig>,
    pages: impl Fn(&PageRequest<'_>) -> Option<P> + Send + Sync + 'static,
) -> Result<PagesServer, ConfigError> {
    let PagesConfig { endpoint, tls } = config.into();
    let tls = tls.map(|tls| TlsAcceptor::new(context, &tls, Alpn::Http1)).transpose()?;
    let cannot_listen = |error| ConfigError::cannot_listen(&endpoint, error);
    let listener = context.net.bind(&endpoint).await.map_err(cannot_listen)?;
    let local_addr = listener.local_addr().map_err(cannot_listen)?;
    let served = Served { pages: Box::new(move |request| pages(request).map(Into::into)), tls };
    let acceptor = tokio::spawn(accept(listener, context.clone(), Arc::new(served)).boxed()).abort_handle();
    Ok(PagesServer { local_addr, acceptor })
}

/// What all connections of a server share.
struct Served {
    pages: Box<Pages>,
    tls: Option<TlsAcceptor>,
}

// === impl PagesConfig ===

impl From<&str> for PagesConfig {
    fn from(endpoint: &str) -> Self {
        Self { endpoint: endpoint.into(), tls: None }
    }
}

// === impl PartedPage ===

impl std::fmt::Debug for PartedPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartedPage").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

// === impl AnyPage ===

impl From<Page> for AnyPage {
    fn from(page: Page) -> Self {
        Self::Whole(page)
    }
}

impl From<PartedPage> for AnyPage {
    fn from(page: PartedPage) -> Self {
        Self::Parted(page)
    }
}

// === impl PageRequest ===

impl<'a> PageRequest<'a> {
    /// Returns the decoded value of a parameter of the query: `""` if the parameter has no value, `None` if the query has no
    /// such parameter.
    ///
    /// ```
    /// use otlp_transport::PageRequest;
    ///
    /// let mut request = PageRequest::default();
    /// request.query = "pipeline=traces%2Fhot&verbose";
    /// assert_eq!(request.parameter("pipeline").as_deref(), Some("traces/hot"));
    /// assert_eq!(request.parameter("verbose").as_deref(), Some(""));
    /// assert_eq!(request.parameter("path"), None);
    /// ```
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut parameters = self.query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")));
        let (_, value) = parameters.find(|(known, _)| *known == name)?;
        Some(percent_decode_str(value).decode_utf8_lossy())
    }
}

// === impl PagesServer ===

impl PagesServer {
    /// Returns the address that the server listens on.
    pub fn local_addr(&self) -> Address {
        self.local_addr.clone()
    }
}

impl Drop for PagesServer {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

type Pages = dyn Fn(&PageRequest<'_>) -> Option<AnyPage> + Send + Sync;

async fn accept(listener: Box<dyn Listener>, context: TransportContext, served: Arc<Served>) {
    let mut connections = JoinSet::new();
    let mut by_age = VecDeque::with_capacity(MAX_CONNECTIONS);
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => by_age.retain(|open: &AbortHandle| !open.is_finished()),
            accepted = listener.accept() => match accepted {
                Ok((io, _)) => {
                    if by_age.len() == MAX_CONNECTIONS && let Some(oldest) = by_age.pop_front() {
                        oldest.abort();
                    }
                    let (served, too_late) = (Arc::clone(&served), context.clock.sleep(CONNECTION_TIME));
                    by_age.push_back(connections.spawn(serve(io, served, too_late).boxed()));
                }
                Err(_) => context.clock.sleep(ACCEPT_BACKOFF).await,
            },
        }
    }
}

async fn serve(io: BoxIo, served: Arc<Served>, too_late: Sleep) {
    tokio::select! {
        () = served.connection(io) => {}
        () = too_late => {}
    }
}

// === impl Served ===

impl Served {
    async fn connection(&self, io: BoxIo) {
        let io = match &self.tls {
            None => io,
            Some(tls) => match tls.accept(io).await {
                Ok(accepted) => accepted.io,
                Err(_) => return,
            },
        };
        let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(self.answer(&request))));
        let mut http = http1::Builder::new();
        http.keep_alive(false).half_close(true).max_buf_size(MAX_REQUEST_BYTES);
        // An error of one peer affects no other connection.
        drop(http.serve_connection(TokioIo::new(io), service).await);
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Document> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = Response::new(Document::default());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let asked = PageRequest {
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            accept: text(ACCEPT).unwrap_or_default(),
        };
        let not_found = || Page { status: 404, content_type: "text/plain", body: "no such page\n".into() };
        match (self.pages)(&asked).unwrap_or_else(|| not_found().into()) {
            AnyPage::Whole(page) => whole(page),
            AnyPage::Parted(page) => parted(page, request.headers()),
        }
    }
}

/// Answers with a whole document. hyper sends the length of a HEAD answer and omits the document.
fn whole(page: Page) -> Response<Document> {
    let mut response = Response::new(Document::from(page.body));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    response
}

fn parted(page: PartedPage, request: &HeaderMap) -> Response<Document> {
    let accepted = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codec = if accepted.into_iter().any(body::accepts_gzip) { crate::codec("gzip") } else { None };
    let compressor = codec.and_then(|codec| codec.compressor());
    let mut response = Response::new(Document::parted(page.parts, compressor));
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(&page.content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if compressor.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Connections open at a time.
const MAX_CONNECTIONS: usize = 64;

/// Time from accepting a connection to the end of the answer.
const CONNECTION_TIME: Duration = Duration::from_secs(10);

/// Limit on a request's head, in bytes.
const MAX_REQUEST_BYTES: usize = 16 << 10;

/// Pause after a failure to accept, such as a lack of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
