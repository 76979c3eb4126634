//! A simulated network: names, and endpoints that are well, slow, or dead.

use super::number;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry};
use otlp_transport::{
    Attempt, BalanceConfig, BalancedClient, BoxAttempt, BoxIo, Client, ClientConfig, ClientStats,
    ClientStrategy, Clock, ConfigError, DnsConfig, DnsResolver, ExportError, ExportResult, FixedResolver,
    Listener, Net, NetFuture, ResolvedEndpoint, TokioClock, TransportContext,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The network, shared by all who are on it.
#[derive(Clone, Debug, Default)]
pub(super) struct World(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    endpoints: HashMap<String, Endpoint>,
    /// What the one name there is resolves to.
    addresses: Option<Vec<SocketAddr>>,
    /// Clients made, and those that are still there.
    clients: usize,
    open: Arc<()>,
    /// Requests that arrived, with how often.
    arrived: HashMap<u64, u32>,
}

#[derive(Debug)]
struct Endpoint {
    behaviour: Behaviour,
    arrived: Vec<u64>,
    attempts: u64,
}

/// What an endpoint does about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Takes it, after this long.
    Takes(Duration),
    /// Takes it, after one to so many times this long.
    Varies(Duration, u32),
    /// Cannot be reached.
    Dead,
    /// Never answers.
    Silent,
    /// Asks for time.
    Busy(Duration),
    /// Refuses it for good.
    Refuses,
}

// === impl World ===

impl World {
    /// What an endpoint does from now on.
    pub(super) fn set(&self, address: &str, behaviour: Behaviour) {
        let mut state = self.0.lock();
        let endpoint = state.endpoints.entry(address.to_owned());
        endpoint.or_insert(Endpoint { behaviour, arrived: Vec::new(), attempts: 0 }).behaviour = behaviour;
    }

    /// What the name resolves to from now on; `None` is a failure.
    pub(super) fn resolve_to(&self, addresses: Option<&[&str]>) {
        let parse = |addresses: &[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().addresses = addresses.map(parse);
    }

    /// The requests that arrived at an endpoint.
    pub(super) fn arrived_at(&self, address: &str) -> Vec<u64> {
        self.0.lock().endpoints[address].arrived.clone()
    }

    /// The requests that an endpoint was sent, whatever became of them.
    pub(super) fn attempts_at(&self, address: &str) -> u64 {
        self.0.lock().endpoints[address].attempts
    }

    /// How many requests arrived at all, and how many of them more than once.
    pub(super) fn arrived(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.arrived.len(), state.arrived.values().filter(|&&times| times > 1).count())
    }

    /// How many clients of an endpoint were made.
    pub(super) fn clients(&self) -> usize {
        self.0.lock().clients
    }

    /// How many of them are still there.
    pub(super) fn open_clients(&self) -> usize {
        Arc::strong_count(&self.0.lock().open) - 1
    }

    pub(super) fn context(&self) -> TransportContext {
        TransportContext { net: Arc::new(self.clone()), ..TransportContext::tcp(1 << 20) }
    }

    /// A client of the endpoints that the one name resolves to.
    pub(super) fn client_by_dns(&self, config: BalanceConfig) -> BalancedClient {
        let resolver = DnsResolver::new(&self.context(), DnsConfig::new("backends"));
        self.client(config, Box::new(resolver))
    }

    /// A client of endpoints with these weights.
    pub(super) fn client_of(&self, config: BalanceConfig, endpoints: &[(&str, u32)]) -> BalancedClient {
        let resolved = endpoints.iter().map(|&(endpoint, weight)| {
            let mut resolved = ResolvedEndpoint::new(endpoint);
            resolved.weight = weight;
            resolved
        });
        self.client(config, Box::new(FixedResolver::new(resolved.collect())))
    }

    pub(super) fn client(
        &self,
        config: BalanceConfig,
        resolver: Box<dyn otlp_transport::Resolver>,
    ) -> BalancedClient {
        let transport = Arc::new(self.clone());
        BalancedClient::new(&self.context(), transport, ClientConfig::new(""), config, resolver).unwrap()
    }

    async fn take(&self, address: &str, batch: &Batch) -> ExportResult {
        let number = number(batch);
        let behaviour = {
            let mut state = self.0.lock();
            let endpoint = state.endpoints.get_mut(address).unwrap();
            endpoint.attempts += 1;
            endpoint.behaviour
        };
        match behaviour {
            Behaviour::Takes(_) | Behaviour::Varies(..) => {
                tokio::time::sleep(behaviour.time(number)).await;
                let mut state = self.0.lock();
                state.endpoints.get_mut(address).unwrap().arrived.push(number);
                *state.arrived.entry(number).or_default() += 1;
                Ok(Accepted::FULL)
            }
            Behaviour::Dead => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "cannot connect"))
            }
            Behaviour::Silent => {
                let timeout = TokioClock.now() + Duration::from_secs(5);
                let until = batch.deadline.map_or(timeout, |deadline| timeout.min(deadline));
                tokio::time::sleep_until(until.into()).await;
                Err(ExportError::new(ErrorKind::Timeout, Retry::Backoff, "no answer"))
            }
            Behaviour::Busy(wait) => {
                Err(ExportError::new(ErrorKind::Unavailable, Retry::After(wait), "busy"))
            }
            Behaviour::Refuses => Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "not OTLP")),
        }
    }
}

impl Behaviour {
    fn time(self, number: u64) -> Duration {
        match self {
            Self::Takes(time) => time,
            Self::Varies(time, times) => time * (1 + (number.wrapping_mul(0x9e37_79b9) >> 16) as u32 % times),
            _ => Duration::ZERO,
        }
    }
}

impl ClientStrategy for World {
    fn counted_client(
        &self,
        _: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError> {
        if config.endpoint.contains(' ') {
            return Err(ConfigError::new("endpoint", "a space"));
        }
        let address = config.connect_to.unwrap_or(config.endpoint);
        let mut state = self.0.lock();
        state.clients += 1;
        let attempt = BoxAttempt::new(Connection { world: self.clone(), address, _open: state.open.clone() });
        Ok(Client::new(attempt, stats))
    }
}

struct Connection {
    world: World,
    address: String,
    _open: Arc<()>,
}

impl Attempt for Connection {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.world.take(&self.address, batch).await
    }
}

impl Net for World {
    fn bind<'a>(&'a self, _: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::Unsupported.into())))
    }

    fn connect<'a>(&'a self, _: &'a str) -> NetFuture<'a, BoxIo> {
        Box::pin(std::future::ready(Err(io::ErrorKind::Unsupported.into())))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> NetFuture<'a, Vec<SocketAddr>> {
        assert_eq!(name, "backends:4317");
        let answer = self.0.lock().addresses.clone().ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(answer))
    }
}
