//! A network in memory, for tests in simulated time.

use otlp_transport::{BoxIo, Clock as _, Listener, Net, NetFuture, TokioClock, TransportContext};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::DuplexStream;

/// What is at an address.
#[derive(Clone)]
pub(super) enum Host {
    Refuses,
    /// Packets vanish.
    Silent,
    /// Handed the number of the connection and its far end.
    Serves(Arc<dyn Fn(usize, DuplexStream) + Send + Sync>),
}

/// The network, its names, and who connected when. To be used under `tokio::time::pause`.
#[derive(Clone)]
pub(super) struct SimNet(Arc<Inner>);

struct Inner {
    names: HashMap<String, Vec<SocketAddr>>,
    hosts: HashMap<String, Host>,
    start: Instant,
    connects: Mutex<Vec<(Duration, String)>>,
}

impl SimNet {
    pub(super) fn new(names: &[(&str, &[&str])], hosts: Vec<(&str, Host)>) -> Self {
        let addresses = |given: &[&str]| given.iter().map(|address| address.parse().unwrap()).collect();
        Self(Arc::new(Inner {
            names: names.iter().map(|(name, given)| ((*name).to_owned(), addresses(given))).collect(),
            hosts: hosts.into_iter().map(|(address, host)| (address.to_owned(), host)).collect(),
            start: TokioClock.now(),
            connects: Mutex::default(),
        }))
    }

    pub(super) fn context(&self) -> TransportContext {
        TransportContext { net: Arc::new(self.clone()), ..super::context() }
    }

    /// When, and to which address.
    pub(super) fn connects(&self) -> Vec<(Duration, String)> {
        self.0.connects.lock().clone()
    }
}

impl std::fmt::Debug for SimNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimNet")
    }
}

impl Net for SimNet {
    fn bind<'a>(&'a self, _: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(std::future::ready(Err(ErrorKind::Unsupported.into())))
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo> {
        Box::pin(async move {
            let number = {
                let mut connects = self.0.connects.lock();
                connects.push((TokioClock.now() - self.0.start, address.to_owned()));
                connects.len() - 1
            };
            match self.0.hosts.get(address) {
                None | Some(Host::Refuses) => Err(ErrorKind::ConnectionRefused.into()),
                Some(Host::Silent) => std::future::pending().await,
                Some(Host::Serves(serve)) => {
                    let (near, far) = tokio::io::duplex(1 << 20);
                    serve(number, far);
                    Ok(Box::new(near) as BoxIo)
                }
            }
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> NetFuture<'a, Vec<SocketAddr>> {
        let found = self.0.names.get(name).cloned();
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such host"));
        Box::pin(std::future::ready(found))
    }
}
