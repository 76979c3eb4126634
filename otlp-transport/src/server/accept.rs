//! Accepts connections, as many as may be open, and survives what goes wrong with that. Idle connections make room for
//! new ones.

use super::ServerStats;
use super::connection::Serve;
use super::refusals::Reason;
use crate::{Address, BoxIo, Listener};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

pub(super) struct Acceptor {
    listener: Box<dyn Listener>,
    serve: Arc<Serve>,
    /// Dropping it cuts off all connections.
    connections: JoinSet<()>,
}

impl Acceptor {
    pub(super) fn new(listener: Box<dyn Listener>, serve: Serve) -> Self {
        Self { listener, serve: Arc::new(serve), connections: JoinSet::new() }
    }

    /// Accepts until the server is drained, then waits for the connections to close.
    pub(super) async fn run(mut self) {
        let serve = Arc::clone(&self.serve);
        let (mut leaving, mut draining) = (pin!(serve.leaving()), pin!(serve.draining()));
        let mut has_left = false;
        let mut backoff = MIN_BACKOFF;
        loop {
            tokio::select! {
                biased;
                () = &mut draining => break,
                () = &mut leaving, if !has_left => {
                    has_left = true;
                    serve.left().await;
                }
                Some(_) = self.connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((io, peer)) => {
                        backoff = MIN_BACKOFF;
                        self.admit(io, peer);
                        if self.serve.connections().is_full() {
                            // Those that are told to make room have to run for that.
                            tokio::task::yield_now().await;
                        }
                    }
                    // The peer's doing: nothing to wait for.
                    Err(error) if is_of_one_connection(&error) => ServerStats::count(&self.serve.stats().accept_errors),
                    Err(error) => {
                        ServerStats::count(&self.serve.stats().accept_errors);
                        serve.refusals().note(Reason::Accept, 1, None, &error);
                        // Out of file descriptors, an idle connection gives up its own.
                        self.serve.connections().evict();
                        self.serve.clock().sleep(backoff).await;
                        backoff = (2 * backoff).min(MAX_BACKOFF);
                    }
                },
            }
        }
        let Self { listener, mut connections, .. } = self;
        drop(listener);
        serve.drained().await;
        while connections.join_next().await.is_some() {}
    }

    fn admit(&mut self, io: BoxIo, peer: Address) {
        let stats = self.serve.stats();
        let Some(slot) = self.serve.connections().admit() else {
            ServerStats::count(&stats.refused_connections);
            let max = self.serve.connections().max();
            let example = format_args!("{max} connections are open, which is the limit, and none is idle");
            self.serve.refusals().note(Reason::ConnectionLimit, 1, Some(&peer), example);
            return;
        };
        let open = Open::new(stats);
        let serve = Arc::clone(&self.serve);
        self.connections.spawn(async move {
            let _open = open;
            serve.connection(io, peer, slot).await;
        });
    }
}

/// Counts a connection for as long as it is open.
struct Open(Arc<ServerStats>);

impl Open {
    fn new(stats: &Arc<ServerStats>) -> Self {
        ServerStats::count(&stats.open_connections);
        Self(Arc::clone(stats))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

/// Out of file descriptors, the next one is free when some connection closes.
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_millis(100);
