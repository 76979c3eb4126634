//! The receiver `otlp`: servers that speak OTLP.

use super::{Inlets, Receiver, Running};
use crate::component::Needs;
use crate::gateway::StartError;
use crate::spec::ServerSpec;
use crate::telemetry::{Registration, register_server};
use futures_util::future::join_all;
use otlp_protocol::HopId;
use otlp_transport::{Address, OriginConfig, RouteHandle, Routes, Server, TransportContext};
use std::borrow::Cow;
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
    server: Server,
    /// Metrics and routes go with the server.
    handles: (Vec<Registration>, Vec<RouteHandle>),
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
    let routes = Routes::new();
    let mut handles = Vec::new();
    for signal in inlets.signals() {
        let Some(inlet) = inlets.to(signal, strategy.name()) else { continue };
        let own = http_paths.iter().find(|(known, _)| *known == signal);
        let path = own.map_or(signal.http_path.into(), |(_, path)| Cow::Owned(path.clone()));
        handles.push(routes.add(signal, path, inlet));
    }
    let name = format!("{}/{}", inlets.receiver(), strategy.name());
    let bound = strategy.bind(context, config, routes).await;
    let server = bound.map_err(|source| StartError::Bind { component: name.clone(), source })?;
    let metrics = register_server(inlets.metrics(), inlets.receiver(), strategy.name(), server.stats());
    Ok(OtlpServer { name, server, handles: (metrics, handles) })
}

// === impl OtlpServers ===

impl Running for OtlpServers {
    fn leave(&self) {
        self.0.iter().for_each(|running| running.server.leave());
    }

    async fn drain(self, deadline: Instant) {
        let drained = self.0.into_iter().map(|OtlpServer { server, handles, .. }| async move {
            server.drain(deadline).await;
            drop(handles);
        });
        join_all(drained).await;
    }

    fn endpoints(&self) -> Vec<(String, Address)> {
        self.0.iter().map(|running| (running.name.clone(), running.server.local_addr())).collect()
    }
}
