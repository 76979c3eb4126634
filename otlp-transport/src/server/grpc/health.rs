//! The health service, `grpc.health.v1.Health`: the whole server under the empty name, each signal's service, and the names of
//! the server's [`HealthSource`]. Without a source the answer depends only on the server's phase and on its routes.

use super::{Grpc, encoding, failure, framed, of_message, ok, reply};
use crate::server::Phase;
use crate::server::body::Gathered;
use crate::server::engine::{Reply, ReplyBody, Request, RequestBody};
use crate::server::intake::Intake;
use crate::server::peer::Peer;
use crate::{Clock, ExportError, HealthSource, Routes};
use bytes::{Buf as _, Bytes};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use otlp_protocol::wire::{Cursor, WireType};
use otlp_protocol::{Code, ErrorKind, FRAME_HEADER_LEN, Retry, RpcStatus};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Facts that the answers are made of.
#[derive(Clone)]
pub(super) struct Health {
    phases: watch::Receiver<Phase>,
    routes: Routes,
    source: Option<Arc<dyn HealthSource>>,
    clock: Arc<dyn Clock>,
}

/// A call of `Watch`.
struct Watching {
    health: Health,
    /// Notified when the routes change.
    changes: watch::Receiver<()>,
    service: String,
    /// The last status that was sent.
    told: Option<ServingStatus>,
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
            Ok(message) => self.health.respond(request.head.path(), &message),
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
    pub(super) fn new(intake: &Intake, phases: watch::Receiver<Phase>) -> Self {
        let (routes, source) = (intake.routes.clone(), intake.health.clone());
        Self { phases, routes, source, clock: Arc::clone(&intake.context.clock) }
    }

    /// Answers a request for a `path` that begins with [`PATH`].
    fn respond(&self, path: &str, message: &[u8]) -> Reply {
        let Some(service) = service(message) else {
            return failure::status(RpcStatus::new(
                Code::Internal,
                "the message is not a HealthCheckRequest",
            ));
        };
        match path.strip_prefix(PATH) {
            Some("Check") => match self.status(service) {
                ServingStatus::ServiceUnknown => {
                    failure::status(RpcStatus::new(Code::NotFound, "service not registered"))
                }
                status => reply(ReplyBody::Whole(status.message(), Some(ok()))),
            },
            Some("Watch") => reply(ReplyBody::Stream(self.watch(service), Some(ok()))),
            _ => failure::status(RpcStatus::new(Code::Unimplemented, format!("{path} is not served"))),
        }
    }

    fn status(&self, service: &str) -> ServingStatus {
        let is_routed =
            || service.is_empty() || self.routes.iter().any(|route| is_of(route.signal.grpc_path, service));
        let asked = self.source.as_ref().and_then(|source| source.is_serving(service));
        match asked.or_else(|| is_routed().then_some(true)) {
            None => ServingStatus::ServiceUnknown,
            Some(false) => ServingStatus::NotServing,
            Some(true) => ServingStatus::of(*self.phases.borrow()),
        }
    }

    /// The status now and each time it changes. The drain ends it: watchers would keep connections open otherwise.
    fn watch(&self, service: &str) -> BoxStream<'static, Bytes> {
        let (health, changes) = (self.clone(), self.routes.changes());
        let watching = Watching { health, changes, service: service.to_owned(), told: None };
        unfold(watching, |mut watching| async move {
            let status = watching.next().await?;
            Some((status.message(), watching))
        })
        .boxed()
    }
}

// === impl Watching ===

impl Watching {
    /// Waits for a status that was not sent yet; `None` at the end.
    async fn next(&mut self) -> Option<ServingStatus> {
        loop {
            // Marked as seen before they are read, so that no later change is missed.
            let phase = *self.health.phases.borrow_and_update();
            self.changes.borrow_and_update();
            let status = self.health.status(&self.service);
            if self.told != Some(status) {
                self.told = Some(status);
                return Some(status);
            }
            if phase >= Phase::Retiring {
                return None;
            }
            let Health { phases, source, clock, .. } = &mut self.health;
            tokio::select! {
                // An error means that the server is gone.
                changed = phases.changed() => changed.ok()?,
                _ = self.changes.changed() => {}
                () = clock.sleep(SOURCE_INTERVAL), if source.is_some() => {}
            }
        }
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

/// Time between two questions to a source in a call of `Watch`.
const SOURCE_INTERVAL: Duration = Duration::from_secs(1);
/// A health check names a service.
pub(super) const MAX_BYTES: usize = 4 << 10;
pub(super) const PATH: &str = "/grpc.health.v1.Health/";
