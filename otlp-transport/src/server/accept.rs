//! Accepts connections, as many as may be open, and survives what goes wrong with that. Idle connections make room for
//! new ones.

use super::ServerStats;
use super::connection::Serve;
use super::refusals::Reason;
use crate::{Address, BoxIo, Listener};
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
        let mut draining = pin!(serve.terms.draining());
        let mut backoff = MIN_BACKOFF;
        loop {
            tokio::select! {
                biased;
                () = &mut draining => break,
                Some(_) = self.connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((io, peer)) => {
                        backoff = MIN_BACKOFF;
                        self.admit(io, peer);
                        if serve.connections.is_full() {
                            // Those that are told to make room have to run for that.
                            tokio::task::yield_now().await;
                        }
                    }
                    Err(error) => {
                        let is_of_peer = serve.terms.refusals.accept(&error);
                        if is_of_peer {
                            continue;
                        }
                        // Out of file descriptors, an idle connection gives up its own.
                        serve.connections.evict();
                        serve.terms.clock.sleep(backoff).await;
                        backoff = (2 * backoff).min(MAX_BACKOFF);
                    }
                },
            }
        }
        let Self { listener, mut connections, .. } = self;
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    fn admit(&mut self, io: BoxIo, peer: Address) {
        let Serve { terms, connections, .. } = &*self.serve;
        let Some(slot) = connections.admit() else {
            let max = connections.max();
            let what = format_args!("{max} connections are open, which is the limit, and none is idle");
            return terms.refusals.connection(Reason::ConnectionLimit, Some(&peer), what);
        };
        let open = Open::new(&terms.stats);
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

/// Out of file descriptors, the next one is free when some connection closes.
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_millis(100);
