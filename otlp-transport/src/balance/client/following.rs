//! Follows a resolver: endpoints come and go, each with its client.

use super::Shared;
use crate::user_info::without_secrets;
use crate::{
    Client, ClientConfig, ClientStats, ClientStrategy, ConfigError, ResolvedEndpoint, Resolver,
    TransportContext,
};
use futures_util::FutureExt;
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Makes the clients of endpoints.
pub(super) struct ClientFactory {
    context: TransportContext,
    transport: Arc<dyn ClientStrategy>,
    template: ClientConfig,
    /// Counters of the connections of all clients.
    stats: Arc<ClientStats>,
}

/// The task that follows the resolver.
pub(super) struct ResolverTask(AbortHandle);

// === impl Shared ===

impl Shared {
    async fn search(self: Arc<Self>, factory: ClientFactory, mut resolver: Box<dyn Resolver>) {
        loop {
            let found = resolver.next().await;
            let is_failure = found.is_err();
            self.follow(&factory, found);
            if is_failure {
                self.clock.sleep(PAUSE).await;
            }
        }
    }

    /// Replaces the endpoints by the endpoints found. An error or an empty list changes nothing.
    pub(super) fn follow(&self, factory: &ClientFactory, found: io::Result<Vec<ResolvedEndpoint>>) {
        let resolver = self.stats.resolver;
        match found {
            Ok(found) if !found.is_empty() => {
                self.stats.resolutions.fetch_add(1, Ordering::Relaxed);
                self.replace(factory, found);
            }
            Ok(_) => {
                self.stats.resolutions.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(resolver, "the resolver found no endpoints; the last endpoints stay in use");
            }
            Err(error) => {
                self.stats.failed_resolutions.fetch_add(1, Ordering::Relaxed);
                if let Some(count) = self.failed_resolutions.add(1, self.clock.now()) {
                    tracing::warn!(resolver, count, %error, "endpoints cannot be looked up; the last endpoints stay in use");
                }
            }
        }
        self.has_resolved.send_replace(true);
    }

    fn replace(&self, factory: &ClientFactory, mut found: Vec<ResolvedEndpoint>) {
        let max = self.limits.max_endpoints;
        // First, so that endpoints left out cost neither a client nor time under the lock.
        let left_out = keep_first(&mut found, max);
        let missing = self.set.lock().missing(&found);
        let (mut made, mut unusable) = (Vec::with_capacity(missing.len()), None);
        // Clients are made without the lock, since certificates may be read from files.
        for endpoint in missing {
            match factory.client(endpoint) {
                Ok(client) => made.push((endpoint.clone(), client)),
                Err(error) => unusable = Some((without_secrets(endpoint.address()), error)),
            }
        }
        if let Some((endpoint, error)) = unusable {
            tracing::warn!(endpoint, %error, "an endpoint cannot be used; others may be affected");
        }
        let mut set = self.set.lock();
        let update = set.update(found, max, |endpoint| {
            let index = made.iter().position(|(made, _)| made.reaches_like(endpoint))?;
            Some(made.swap_remove(index).1)
        });
        self.stats.show(set.stats());
        drop(set);
        self.stats.updates.fetch_add(u64::from(update.changed), Ordering::Relaxed);
        self.stats.left_out_endpoints.fetch_add(left_out + update.left_out, Ordering::Relaxed);
    }
}

// === impl ClientFactory ===

impl ClientFactory {
    /// Makes the factory; `stats` counts for all clients.
    pub(super) fn new(
        context: &TransportContext,
        transport: Arc<dyn ClientStrategy>,
        template: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Self {
        Self { context: context.clone(), transport, template, stats }
    }

    /// Makes a client of the endpoint, without connecting.
    pub(super) fn client(&self, resolved: &ResolvedEndpoint) -> Result<Client, ConfigError> {
        let mut config = self.template.clone();
        config.endpoint.clone_from(&resolved.endpoint);
        config.connect_to.clone_from(&resolved.connect_to);
        self.transport.counted_client(&self.context, config, self.stats.clone())
    }
}

// === impl ResolverTask ===

impl ResolverTask {
    /// Spawns the task.
    pub(super) fn spawn(
        runtime: &Handle,
        shared: Arc<Shared>,
        factory: ClientFactory,
        resolver: Box<dyn Resolver>,
    ) -> Self {
        Self(runtime.spawn(shared.search(factory, resolver).boxed()).abort_handle())
    }
}

impl Drop for ResolverTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps the first `max` endpoints of different addresses. Returns the number of endpoints left out.
fn keep_first(found: &mut Vec<ResolvedEndpoint>, max: usize) -> u64 {
    let mut seen = HashSet::new();
    let mut left_out = 0;
    found.retain(|endpoint| {
        let is_new = seen.insert(endpoint.address().to_owned());
        left_out += u64::from(is_new && seen.len() > max);
        is_new && seen.len() <= max
    });
    left_out
}

/// After a failure: a resolver that fails at once is asked ten times a second at most.
const PAUSE: Duration = Duration::from_millis(100);
/// Time between two log lines on failures of the resolver.
pub(super) const LOG_INTERVAL: Duration = Duration::from_secs(60);
