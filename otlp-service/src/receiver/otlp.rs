//! The receiver `otlp`: servers that speak OTLP.

use super::{Inlets, Receiver, Reroute, Running};
use crate::component::Needs;
use crate::gateway::StartError;
use crate::spec::ServerSpec;
use crate::telemetry::{Registration, register_server};
use futures_util::future::join_all;
use otlp_protocol::{HopId, Signal};
use otlp_transport::{Address, OriginConfig, RouteHandle, Routes, Server, TransportContext};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

/// A server for each protocol that it speaks.
pub struct OtlpReceiver {
    /// Its servers.
    pub servers: Vec<ServerSpec>,
}

/// The servers of an [`OtlpReceiver`], listening.
pub struct OtlpServers(Vec<OtlpServer>);

struct OtlpServer {
    name: String,
    transport: &'static str,
    server: Server,
    ways: Ways,
    /// The metrics go with the server.
    _metrics: Vec<Registration>,
}

/// The routes of a server, by signal, and its paths over HTTP. Cloning shares the routes.
#[derive(Clone)]
struct Ways {
    routes: Routes,
    http_paths: Vec<(Signal, String)>,
    open: Arc<Mutex<Vec<(Signal, RouteHandle)>>>,
}

// === impl OtlpReceiver ===

impl Receiver for OtlpReceiver {
    type Running = OtlpServers;

    async fn start(self, inlets: Inlets, context: &TransportContext) -> Result<OtlpServers, StartError> {
        // One for all servers: a batch that was at one of them was at the receiver.
        let hop = HopId::random();
        let mut servers = Vec::with_capacity(self.servers.len());
        for mut spec in self.servers {
            spec.config.hop = hop;
            inlets.receiver().clone_into(&mut spec.config.name);
            keep(&mut spec.config.origin, inlets.needs(), spec.keep_headers);
            servers.push(serve(spec, &inlets, context).await?);
        }
        Ok(OtlpServers(servers))
    }

    fn without_headers(&self) -> Vec<String> {
        let without = self.servers.iter().filter(|spec| !spec.keep_headers);
        without.map(|spec| spec.config.endpoint.clone()).collect()
    }

    fn listens_on(&self) -> Vec<String> {
        self.servers.iter().map(|spec| spec.config.endpoint.clone()).collect()
    }
}

/// Has a server keep what is needed of its requests.
fn keep(origin: &mut OriginConfig, needs: &Needs, keep_headers: bool) {
    origin.identity |= needs.identity;
    origin.peer |= needs.peer;
    let headers = if keep_headers { &*needs.headers } else { &[] };
    for name in headers {
        if !origin.headers.contains(name) {
            origin.headers.push(name.clone());
        }
    }
}

/// A server for the signals of the pipelines that name its receiver.
async fn serve(
    spec: ServerSpec,
    inlets: &Inlets,
    context: &TransportContext,
) -> Result<OtlpServer, StartError> {
    let ServerSpec { strategy, config, http_paths, .. } = spec;
    let (routes, transport) = (Routes::new(), strategy.name());
    let ways = Ways { routes: routes.clone(), http_paths, open: Arc::default() };
    ways.prepare(inlets, transport)();
    let name = format!("{}/{}", inlets.receiver(), transport);
    let bound = strategy.bind(context, config, routes).await;
    let server = bound.map_err(|source| StartError::Bind { component: name.clone(), source })?;
    let metrics = register_server(inlets.metrics(), inlets.receiver(), transport, server.stats());
    Ok(OtlpServer { name, transport, server, ways, _metrics: metrics })
}

// === impl Ways ===

impl Ways {
    /// Makes the inlets of signals that have no route yet; the function adds them, and removes the routes of signals that
    /// `inlets` has not.
    fn prepare(&self, inlets: &Inlets, transport: &str) -> Reroute {
        let wanted: Vec<_> = inlets.signals().collect();
        let known: Vec<_> = self.open.lock().iter().map(|(signal, _)| *signal).collect();
        let new = wanted.iter().filter(|signal| !known.contains(signal));
        let new: Vec<_> = new.filter_map(|&signal| Some((signal, inlets.to(signal, transport)?))).collect();
        let ways = self.clone();
        Box::new(move || {
            let mut open = ways.open.lock();
            open.retain(|(signal, _)| wanted.contains(signal));
            open.extend(new.into_iter().map(|(signal, inlet)| {
                let own = ways.http_paths.iter().find(|(known, _)| *known == signal);
                let path = own.map_or(signal.http_path.into(), |(_, path)| Cow::Owned(path.clone()));
                (signal, ways.routes.add(signal, path, inlet))
            }));
        })
    }
}

// === impl OtlpServers ===

impl Running for OtlpServers {
    fn leave(&self) {
        self.0.iter().for_each(|running| running.server.leave());
    }

    /// Adds and removes routes while the servers run: no connection is closed.
    fn reroute(&self, inlets: &Inlets) -> Option<Reroute> {
        let prepare = |running: &OtlpServer| running.ways.prepare(inlets, running.transport);
        let all: Vec<_> = self.0.iter().map(prepare).collect();
        Some(Box::new(move || all.into_iter().for_each(|reroute| reroute())))
    }

    async fn retire(&self) {
        join_all(self.0.iter().map(|running| running.server.retire())).await;
    }

    async fn drain(self, deadline: Instant) {
        // Metrics and routes go with the server.
        let drained = self.0.into_iter().map(|OtlpServer { server, ways, _metrics, .. }| async move {
            server.drain(deadline).await;
            drop(ways);
        });
        join_all(drained).await;
    }

    fn endpoints(&self) -> Vec<(String, Address)> {
        self.0.iter().map(|running| (running.name.clone(), running.server.local_addr())).collect()
    }
}
