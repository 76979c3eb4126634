//! The health service, `grpc.health.v1.Health`: the whole server under the empty name, and each signal's service. The
//! answer depends only on the server's phase.

use super::{Grpc, encoding, failure, framed, of_message, ok, reply};
use crate::server::Phase;
use crate::server::body::Gathered;
use crate::server::engine::{Reply, ReplyBody, Request, RequestBody};
use crate::server::peer::Peer;
use crate::{ExportError, Routes};
use bytes::{Buf as _, Bytes};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use otlp_protocol::wire::{Cursor, WireType};
use otlp_protocol::{Code, ErrorKind, FRAME_HEADER_LEN, Retry, RpcStatus};
use std::fmt::Display;
use std::sync::Arc;
use tokio::sync::watch;

pub(super) struct Health {
    phases: watch::Receiver<Phase>,
}

/// `HealthCheckResponse.ServingStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServingStatus {
    Serving = 1,
    NotServing = 2,
    /// The service is unknown; sent only to callers of `Watch`.
    ServiceUnknown = 3,
}

impl Grpc {
    /// Answers a request of the health service, whose message is a service's name.
    pub(super) async fn health<B: RequestBody>(&self, (mut request, peer): (Request<B>, Arc<Peer>)) -> Reply {
        match self.health_message(&mut request, &peer).await {
            Ok(message) => self.health.respond(&self.intake.routes, request.head.path(), &message),
            Err(error) => {
                self.intake.refusals.request(&error, &peer);
                failure::failure(&error)
            }
        }
    }

    /// Reads the message of a health check.
    async fn health_message<B: RequestBody>(
        &self,
        request: &mut Request<B>,
        peer: &Peer,
    ) -> Result<Bytes, ExportError> {
        let headers = &request.head.headers;
        let (encoding, deadline) = (encoding(headers)?, self.deadline(headers));
        let (header, gathered) = self.gather(&mut request.body, peer, deadline, MAX_BYTES).await?;
        let Gathered { mut bytes, mut charge, .. } = gathered;
        bytes.advance(FRAME_HEADER_LEN);
        match of_message(encoding, header)? {
            None => Ok(bytes),
            Some(codec) => {
                let buffers = &self.intake.context.buffers;
                Ok(codec.decompress(&bytes, MAX_BYTES, &mut charge, buffers)?)
            }
        }
    }
}

// === impl Health ===

impl Health {
    pub(super) fn new(phases: watch::Receiver<Phase>) -> Self {
        Self { phases }
    }

    /// Answers a request for a `path` that begins with [`PATH`].
    fn respond(&self, routes: &Routes, path: &str, message: &[u8]) -> Reply {
        let Some(service) = service(message) else {
            return failure::status(RpcStatus::new(
                Code::Internal,
                "the message is not a HealthCheckRequest",
            ));
        };
        let is_known =
            service.is_empty() || routes.iter().any(|route| is_of(route.signal.grpc_path, service));
        match path.strip_prefix(PATH) {
            Some("Check") if is_known => {
                let status = ServingStatus::of(*self.phases.borrow());
                reply(ReplyBody::Whole(status.message(), Some(ok())))
            }
            Some("Check") => failure::status(RpcStatus::new(Code::NotFound, "service not registered")),
            Some("Watch") => reply(ReplyBody::Stream(self.watch(is_known), Some(ok()))),
            _ => failure::status(RpcStatus::new(Code::Unimplemented, format!("{path} is not served"))),
        }
    }

    /// The status now and each time it changes. The drain ends it: watchers would keep connections open otherwise.
    fn watch(&self, is_known: bool) -> BoxStream<'static, Bytes> {
        let told: Option<ServingStatus> = None;
        let statuses = unfold((self.phases.clone(), told), move |(mut phases, told)| async move {
            loop {
                let phase = *phases.borrow_and_update();
                let status = if is_known { ServingStatus::of(phase) } else { ServingStatus::ServiceUnknown };
                if told != Some(status) {
                    return Some((status.message(), (phases, Some(status))));
                }
                if phase >= Phase::Retiring {
                    return None;
                }
                // An error means that the server is gone.
                phases.changed().await.ok()?;
            }
        });
        statuses.boxed()
    }
}

// === impl ServingStatus ===

impl ServingStatus {
    fn of(phase: Phase) -> Self {
        match phase {
            // Another server has taken the place of one that retires.
            Phase::Serving | Phase::Retiring => Self::Serving,
            Phase::Leaving | Phase::Draining => Self::NotServing,
        }
    }

    /// A `HealthCheckResponse`, framed: field 1 is a varint.
    fn message(self) -> Bytes {
        framed(&[0x08, self as u8])
    }
}

/// Field 1 of a `HealthCheckRequest`; `None` if the message is not one.
fn service(message: &[u8]) -> Option<&str> {
    let (mut cursor, mut service) = (Cursor::new(message), "");
    while !cursor.is_at_end() {
        match cursor.tag().ok()? {
            (1, WireType::Len) => service = std::str::from_utf8(cursor.len_delimited().ok()?).ok()?,
            (number, wire_type) => cursor.skip_value(number, wire_type).ok()?,
        }
    }
    Some(service)
}

/// True if a method's path belongs to `service`.
fn is_of(path: &str, service: &str) -> bool {
    path.trim_start_matches('/').rsplit_once('/').is_some_and(|(of_path, _)| of_path == service)
}

/// The refusal of a message of `len` bytes.
pub(super) fn too_large(len: impl Display) -> ExportError {
    let message = format!("the message of {len} bytes is over the {MAX_BYTES} of a health check");
    ExportError::new(ErrorKind::TooLarge, Retry::Never, message)
}

/// A health check names a service.
pub(super) const MAX_BYTES: usize = 4 << 10;
pub(super) const PATH: &str = "/grpc.health.v1.Health/";
