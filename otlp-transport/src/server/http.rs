//! OTLP/HTTP: protobuf bodies in POST requests, over HTTP/1.1 and HTTP/2.

mod reply;

use super::ServerStats;
use super::body::{Gather, next_piece};
use super::deadline::Patience;
use super::intake::{Intake, Wire};
use crate::compression::{Codec, accepted_encodings, codec};
use crate::{ExportError, Route};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use otlp_protocol::{Accepted, ErrorKind, Retry};
use std::sync::Arc;

/// The HTTP paths.
pub(super) struct Http {
    intake: Arc<Intake>,
}

impl Http {
    pub(super) fn new(intake: Arc<Intake>) -> Self {
        Self { intake }
    }

    /// Answers a request, whatever it is.
    pub(super) async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let stats = &self.intake.stats;
        let path = request.uri().path();
        let Some(route) = self.intake.routes.by_http_path(path) else {
            let message = format!("{path} is not served");
            return self.refuse(ExportError::new(ErrorKind::Unimplemented, Retry::Never, message));
        };
        if request.method() != Method::POST {
            stats.count_refusal(ErrorKind::Unimplemented);
            return reply::method_not_allowed();
        }
        match self.export(route, request).await {
            Ok(accepted) => {
                ServerStats::count(&stats.accepted_requests);
                reply::success(&accepted)
            }
            Err(error) => reply::failure(&error),
        }
    }

    /// Answers a request that is at odds with itself: which of two lengths is its body's?
    pub(super) fn refuse_ambiguous(&self) -> Response<Full<Bytes>> {
        let message = "a request has Content-Length or Transfer-Encoding, not both";
        reply::closing(self.refuse(ExportError::new(ErrorKind::InvalidData, Retry::Never, message)))
    }

    fn refuse(&self, error: ExportError) -> Response<Full<Bytes>> {
        self.intake.stats.count_refusal(error.kind());
        reply::failure(&error)
    }

    async fn export(&self, route: &Route, request: Request<Incoming>) -> Result<Accepted, ExportError> {
        let stats = &self.intake.stats;
        let admitted = async {
            let (head, body) = request.into_parts();
            let wire = self.read(&head.headers, body).await?;
            self.intake.admit(route.signal, wire).await
        };
        let admitted = admitted.await.inspect_err(|error| stats.count_refusal(error.kind()))?;
        let Some(batch) = admitted else { return Ok(Accepted::FULL) };
        self.intake.export(&route.export, batch).await
    }

    async fn read(&self, headers: &HeaderMap, mut body: Incoming) -> Result<Wire, ExportError> {
        check_content_type(headers)?;
        let codec = encoding(headers)?;
        let context = &self.intake.context;
        let limit = self.intake.limits.max_request_bytes;
        let too_large = || self.intake.too_large("the body");
        let expected = body.size_hint().exact();
        if expected.is_some_and(|expected| expected > limit as u64) {
            return Err(too_large());
        }
        let expected = expected.map(|expected| expected as usize);
        let mut patience = Patience::new(&*context.clock, self.intake.limits.body_timeout, None);
        let mut gather = Gather::new(&context.buffers, self.intake.charge()?);
        while let Some(piece) = next_piece(&mut body, &mut patience).await? {
            if gather.as_slice().len() + piece.len() > limit {
                return Err(too_large());
            }
            gather.push(piece, expected)?;
        }
        let (bytes, charge) = gather.finish();
        Ok(Wire { bytes, charge, codec })
    }
}

/// `application/x-protobuf`, in any case, perhaps with parameters.
fn check_content_type(headers: &HeaderMap) -> Result<(), ExportError> {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let media_type = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    if media_type.eq_ignore_ascii_case(reply::PROTOBUF.as_bytes()) {
        return Ok(());
    }
    let found = String::from_utf8_lossy(media_type);
    let message = format!("content-type {found:?} is not served: send {}", reply::PROTOBUF);
    Err(ExportError::new(ErrorKind::UnsupportedMediaType, Retry::Never, message))
}

/// What the body is compressed with, if it is.
fn encoding(headers: &HeaderMap) -> Result<Option<&'static dyn Codec>, ExportError> {
    let Some(name) = headers.get(CONTENT_ENCODING) else { return Ok(None) };
    let name = String::from_utf8_lossy(name.as_bytes());
    let name = name.trim();
    if name.is_empty() || name.eq_ignore_ascii_case("identity") {
        return Ok(None);
    }
    codec(name).map(Some).ok_or_else(|| {
        let message =
            format!("content-encoding {name:?} is not served: send one of {}", accepted_encodings());
        ExportError::new(ErrorKind::UnsupportedEncoding, Retry::Never, message)
    })
}
