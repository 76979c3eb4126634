//! A pool of connections to one endpoint.
//!
//! HTTP/2: few connections, each with many requests. A new connection is opened only if the streams of all others are in
//! use. HTTP/1.1: one request at a time on each connection. The connection used last is reused first, so that the others
//! become idle and close.
//!
//! Connecting is single-flight: on HTTP/2 all waiters share one attempt to connect; on both versions they share its
//! failure. The attempt goes on if the request that caused it is dropped. No lock is held across an await or while a
//! waiter is answered.

mod connections;

pub use connections::PooledConnection;

use crate::client::activity::Activity;
use crate::client::connect::{Connector, Opened};
use crate::client::http2;
use crate::client::proxy::ProxyUrl;
use crate::client::stats::ClientStats;
use crate::counter;
use crate::{ClientLimits, Clock, ExportError};
use connections::{Choice, Held, Http2Entry, State};
use futures_util::FutureExt;
use otlp_protocol::{ErrorKind, Retry};
use parking_lot::Mutex;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Connections to one endpoint. Clones share the pool. After the last clone is dropped, connections close after their
/// last request.
#[derive(Clone)]
pub struct ConnectionPool(Arc<Shared>);

struct Shared {
    connector: Connector,
    limits: ClientLimits,
    clock: Arc<dyn Clock>,
    stats: Arc<ClientStats>,
    state: Mutex<State>,
}

/// Counts a connection as open until dropped.
struct OpenConnection(Arc<ClientStats>);

type Waiter = oneshot::Sender<Result<PooledConnection, ExportError>>;

// === impl ConnectionPool ===

impl ConnectionPool {
    /// Makes a pool without connections.
    pub(crate) fn new(
        connector: Connector,
        limits: ClientLimits,
        clock: Arc<dyn Clock>,
        stats: Arc<ClientStats>,
    ) -> Self {
        let state = Mutex::new(State::new(connector.multiplexes(), &limits));
        Self(Arc::new(Shared { connector, limits, clock, stats, state }))
    }

    /// Returns a connection with capacity for a request: an open connection, a new one, or the first that becomes free.
    /// Cancel-safe. Must be called within a tokio runtime, which then runs the connection.
    ///
    /// # Errors
    /// If the server cannot be reached, or `max_waiting` requests wait already. Retryable, except if the server's
    /// certificate is not trusted.
    pub async fn get(&self) -> Result<PooledConnection, ExportError> {
        let shared = &self.0;
        let waiting = {
            let mut state = shared.state.lock();
            match state.choose(shared.clock.now()) {
                Choice::Take(held) => return Ok(PooledConnection::new(shared.clone(), held)),
                Choice::Full => return Err(shared.refuse()),
                Choice::Wait => {}
            }
            let (waiter, waiting) = oneshot::channel();
            state.waiters.push_back(waiter);
            Shared::connect_for_waiters(shared, &mut state);
            waiting
        };
        waiting.await.unwrap_or_else(|_| Err(shared.gone()))
    }

    /// Returns a connection as [`get`](Self::get) does, and closes idle HTTP/1.1 connections first.
    async fn get_fresh(&self) -> Result<PooledConnection, ExportError> {
        let stale = self.0.state.lock().take_idle();
        drop(stale);
        self.get().await
    }

    /// Returns the endpoint's name for messages.
    pub(crate) fn name(&self) -> &str {
        self.0.connector.name()
    }

    /// Returns the proxy that takes requests with their whole URL, and the address for that URL.
    pub(crate) fn forwarding(&self) -> Option<(&ProxyUrl, &str)> {
        self.0.connector.forwarding()
    }

    /// Returns the counters of the connections, shared with the client's other pools.
    pub fn stats(&self) -> &Arc<ClientStats> {
        &self.0.stats
    }
}

impl fmt::Debug for ConnectionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionPool")
            .field("endpoint", &self.0.connector.name())
            .field("stats", &self.0.stats)
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// Starts as many attempts to connect as waiters need and the limit allows.
    fn connect_for_waiters(shared: &Arc<Self>, state: &mut State) {
        // Connections may be dropped outside of a runtime, where no task can be spawned.
        let Ok(runtime) = Handle::try_current() else { return };
        while state.wants_connection() {
            state.connecting += 1;
            let shared = shared.clone();
            let connect = async move {
                let opened = shared.connector.connect().await;
                Self::connected(&shared, opened);
            };
            runtime.spawn(connect.boxed());
        }
    }

    fn connected(shared: &Arc<Self>, opened: Result<Opened, ExportError>) {
        match opened {
            Ok(Opened::Http1(sender, connection, greeting)) => {
                let open = OpenConnection::count(&shared.stats);
                let drive = async move {
                    // The request in flight reports how the connection ended.
                    let _ = connection.await;
                    drop(open);
                };
                tokio::spawn(drive.boxed());
                {
                    let mut state = shared.state.lock();
                    state.connecting -= 1;
                    state.open_http1 += 1;
                    state.learn(false);
                }
                Self::hand_on(shared, Held::http1(sender, greeting, shared.clock.now()), None);
                // The first connection may have shown that each connection carries one request at a time; further waiters
                // then need connections of their own.
                Self::connect_for_waiters(shared, &mut shared.state.lock());
            }
            Ok(Opened::Http2(sender, connection, greeting)) => {
                let entry = Http2Entry::new(sender, greeting, shared.clock.now());
                Self::drive_http2(shared, *connection, entry.activity.clone());
                let served: Vec<_> = {
                    let mut state = shared.state.lock();
                    state.connecting -= 1;
                    state.learn(true);
                    let served = state.waiters.drain(..).map(|waiter| (waiter, entry.lease())).collect();
                    state.multiplexed.push(entry);
                    served
                };
                for (waiter, held) in served {
                    let _ = waiter.send(Ok(PooledConnection::new(shared.clone(), held)));
                }
            }
            Err(error) => Self::connect_failed(shared, error),
        }
    }

    /// Fails all waiters if there is no connection; otherwise waiters share the open connections.
    fn connect_failed(shared: &Arc<Self>, error: ExportError) {
        counter::count(&shared.stats.connect_failures);
        tracing::debug!(%error, "connecting failed");
        let mut state = shared.state.lock();
        state.connecting -= 1;
        if state.open_http1 > 0 {
            return;
        }
        let answers: Vec<_> = state
            .waiters
            .split_off(0)
            .into_iter()
            .map(|waiter| (waiter, state.roomiest().map(Http2Entry::lease).ok_or_else(|| error.clone())))
            .collect();
        drop(state);
        for (waiter, answer) in answers {
            let _ = waiter.send(answer.map(|held| PooledConnection::new(shared.clone(), held)));
        }
    }

    /// Takes back an HTTP/1.1 connection after a request.
    fn put_back(shared: &Arc<Self>, held: Held) {
        Self::hand_on(shared, held, shared.limits.max_connection_age);
    }

    /// Hands an HTTP/1.1 connection younger than `max_age` to the first waiter, or keeps the connection. A connection
    /// opened just now takes one request even if the limit is shorter.
    fn hand_on(shared: &Arc<Self>, mut held: Held, max_age: Option<Duration>) {
        // Without a runtime no task would close the idle connection.
        let Ok(runtime) = Handle::try_current() else { return Self::lost_http1(shared) };
        let now = shared.clock.now();
        loop {
            let waiter = {
                let mut state = shared.state.lock();
                if held.is_aged(now, max_age) || held.is_closed() {
                    state.open_http1 -= 1;
                    Self::connect_for_waiters(shared, &mut state);
                    return;
                }
                match state.waiters.pop_front() {
                    Some(waiter) => waiter,
                    None => {
                        if state.keep(held, now) {
                            let close = Self::close_idle(Arc::downgrade(shared), shared.clock.clone());
                            runtime.spawn(close.boxed());
                        }
                        return;
                    }
                }
            };
            match waiter.send(Ok(PooledConnection::new(shared.clone(), held))) {
                Err(Ok(mut unwanted)) => match unwanted.take() {
                    Some(back) => held = back,
                    None => return,
                },
                Ok(()) | Err(Err(_)) => return,
            }
        }
    }

    /// Records that an HTTP/1.1 connection broke off or was dropped.
    fn lost_http1(shared: &Arc<Self>) {
        let mut state = shared.state.lock();
        state.open_http1 -= 1;
        Self::connect_for_waiters(shared, &mut state);
    }

    /// Sends no more requests on an HTTP/2 connection; requests in flight go on.
    fn retire(&self, activity: &Arc<Activity>) {
        self.state.lock().retire(activity);
    }

    fn drive_http2(shared: &Arc<Self>, connection: http2::Http2Connection, activity: Arc<Activity>) {
        let open = OpenConnection::count(&shared.stats);
        let (weak, clock) = (Arc::downgrade(shared), shared.clock.clone());
        let keepalive = http2::Keepalive::new(&shared.limits);
        let drive = async move {
            if let Err(error) = connection.drive(keepalive, &activity, &*clock).await {
                tracing::debug!(%error, "connection ended");
            }
            drop(open);
            if let Some(shared) = weak.upgrade() {
                shared.retire(&activity);
            }
        };
        tokio::spawn(drive.boxed());
    }

    /// Closes idle connections at their time limit, until none is left.
    async fn close_idle(weak: Weak<Self>, clock: Arc<dyn Clock>) {
        loop {
            let Some(shared) = weak.upgrade() else { return };
            let (expired, next) = shared.state.lock().expire(clock.now());
            drop((expired, shared));
            match next {
                Some(next) => clock.sleep_until(next).await,
                None => return,
            }
        }
    }

    fn refuse(&self) -> ExportError {
        counter::count(&self.stats.refused_requests);
        let message =
            format!("{} requests already wait for a connection (max_waiting)", self.limits.max_waiting);
        ExportError::refused(ErrorKind::Exhausted, message)
    }

    /// Makes the error for an attempt to connect that ended with its runtime.
    fn gone(&self) -> ExportError {
        ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "the client is shutting down")
    }
}

// === impl OpenConnection ===

impl OpenConnection {
    fn count(stats: &Arc<ClientStats>) -> Self {
        counter::count(&stats.connects);
        counter::count(&stats.open_connections);
        Self(stats.clone())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::Relaxed);
    }
}
