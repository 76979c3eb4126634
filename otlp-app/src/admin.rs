//! The admin socket of `otlp run --admin PATH`: a Unix socket for the user of the process alone, with a protocol of JSON lines.
//!
//! A connection sends one request, a line of JSON, and gets lines of JSON. `docs/app.md` documents the protocol. What the
//! gateway can do without its configuration, such as copies of telemetry, is off without the socket.

mod line;
mod pace;
mod private;
mod protocol;
mod secrets;
mod tap;

pub(crate) use protocol::{Received, Request, VERSION, request_of};

use crate::exit::Failure;
use line::Connection;
use otlp_service::{Counter, Registry, TelemetrySubject};
use otlp_transport::{Clock, Listener, TransportContext};
use parking_lot::Mutex;
use protocol::Answer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

/// A socket that listens and does not answer yet. Dropping it removes the socket.
pub(crate) struct AdminSocket {
    listener: Box<dyn Listener>,
    clock: Arc<dyn Clock>,
}

/// The admin socket of a running gateway. Dropping it removes the socket and closes its connections.
pub(crate) struct Admin {
    accepting: AbortHandle,
    connections: Arc<Mutex<JoinSet<()>>>,
    clock: Arc<dyn Clock>,
}

/// Facts that every connection needs.
#[derive(Clone)]
struct Served {
    subject: TelemetrySubject,
    clock: Arc<dyn Clock>,
}

// === impl AdminSocket ===

impl AdminSocket {
    /// Listens at `path`, with permissions for the user of the process alone. A socket that an ended process has left behind
    /// is replaced.
    ///
    /// # Errors
    /// If another process listens there, or the socket cannot be made.
    pub(crate) async fn bind(path: &str, context: &TransportContext) -> Result<Self, Failure> {
        let bound = private::bind(path, &*context.net).await;
        let listener = bound.map_err(|error| {
            Failure::Runtime(format!(
                "the admin socket {path} cannot be made: {error}; give another --admin PATH"
            ))
        })?;
        Ok(Self { listener, clock: context.clock.clone() })
    }

    /// Answers requests about a gateway from now on.
    pub(crate) fn serve(self, subject: TelemetrySubject, registry: &Registry) -> Admin {
        let Self { listener, clock } = self;
        let help = "Connections to the admin socket over its limit.";
        let refused = registry.counter("otlp_admin_refused_connections", help, &[]);
        let served = Served { subject, clock: clock.clone() };
        let connections: Arc<Mutex<JoinSet<()>>> = Arc::default();
        let accepting = tokio::spawn(accept(listener, served, connections.clone(), refused)).abort_handle();
        Admin { accepting, connections, clock }
    }
}

// === impl Admin ===

impl Admin {
    /// Accepts no further connections, and waits until the last lines are sent, for a second at most. The gateway was drained
    /// before.
    pub(crate) async fn finish(self) {
        self.accepting.abort();
        let mut connections = std::mem::take(&mut *self.connections.lock());
        let ended = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            () = ended => {}
            () = self.clock.sleep(MAX_FINISH) => {}
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves connections until the task is aborted.
async fn accept(
    listener: Box<dyn Listener>,
    served: Served,
    connections: Arc<Mutex<JoinSet<()>>>,
    refused: Counter,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the admin socket cannot accept connections");
                served.clock.sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let permit = room.clone().try_acquire_owned();
        let mut connections = connections.lock();
        while connections.try_join_next().is_some() {}
        let Ok(permit) = permit else {
            refused.add(1);
            // The connection is closed without an answer: it might not be read.
            continue;
        };
        let served = served.clone();
        connections.spawn(async move {
            serve(Connection::new(stream), served).await;
            drop(permit);
        });
    }
}

/// Answers the request of a connection.
async fn serve(mut connection: Connection, served: Served) {
    let request = tokio::select! {
        request = connection.request() => request,
        () = served.clock.sleep(REQUEST_TIMEOUT) => Err("no request came within 10 s".to_owned()),
    };
    let answered = match request.and_then(|line| Request::read(&line)) {
        Ok(request) if request.command == "edges" => {
            connection.send(&Answer::Edges(&served.subject.edges()).line()).await
        }
        Ok(request) if request.command == "tap" => tap::run(&mut connection, &request, &served).await,
        Ok(request) => {
            let error = format!("there is no command {}; commands: edges, tap", request.command);
            connection.send(&Answer::Error(&error).line()).await
        }
        Err(error) => connection.send(&Answer::Error(&error).line()).await,
    };
    if let Err(error) = answered {
        tracing::debug!(%error, "a connection to the admin socket ended");
    }
}

/// Connections at a time.
const MAX_CONNECTIONS: usize = 8;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_FINISH: Duration = Duration::from_secs(1);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
