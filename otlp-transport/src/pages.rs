//! Pages for operators and probes: small documents over HTTP/1.1, `GET` and `HEAD` only.
//!
//! Simple rather than fast, since no telemetry passes here. Each connection carries one request and is closed after
//! [`CONNECTION_TIME`] at the latest. At most [`MAX_CONNECTIONS`] are open, and a new connection closes the oldest, so
//! that a probe is answered even if many connections send nothing.

use crate::{Address, BoxIo, ConfigError, Listener, Sleep, TransportContext};
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
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
/// If the server cannot listen on the endpoint (`host:port`).
pub async fn serve_pages(
    context: &TransportContext,
    endpoint: &str,
    pages: impl Fn(&PageRequest<'_>) -> Option<Page> + Send + Sync + 'static,
) -> Result<PagesServer, ConfigError> {
    let cannot_listen = |error| ConfigError::cannot_listen(endpoint, error);
    let listener = context.net.bind(endpoint).await.map_err(cannot_listen)?;
    let local_addr = listener.local_addr().map_err(cannot_listen)?;
    let acceptor = tokio::spawn(accept(listener, context.clone(), Arc::new(pages)).boxed()).abort_handle();
    Ok(PagesServer { local_addr, acceptor })
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

type Pages = dyn Fn(&PageRequest<'_>) -> Option<Page> + Send + Sync;

async fn accept(listener: Box<dyn Listener>, context: TransportContext, pages: Arc<Pages>) {
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
                    let (pages, too_late) = (Arc::clone(&pages), context.clock.sleep(CONNECTION_TIME));
                    by_age.push_back(connections.spawn(serve(io, pages, too_late).boxed()));
                }
                Err(_) => context.clock.sleep(ACCEPT_BACKOFF).await,
            },
        }
    }
}

async fn serve(io: BoxIo, pages: Arc<Pages>, too_late: Sleep) {
    let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&*pages, &request))));
    let mut http = http1::Builder::new();
    http.keep_alive(false).half_close(true).max_buf_size(MAX_REQUEST_BYTES);
    tokio::select! {
        // An error of one peer affects no other connection.
        result = http.serve_connection(TokioIo::new(io), service) => drop(result),
        () = too_late => {}
    }
}

fn answer(pages: &Pages, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let not_found = || Page { status: 404, content_type: "text/plain", body: "no such page\n".into() };
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let asked = PageRequest {
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        accept: accept.unwrap_or_default(),
    };
    let page = pages(&asked).unwrap_or_else(not_found);
    // hyper sends the length of a HEAD answer and omits the document.
    let mut response = Response::new(Full::from(page.body));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
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
