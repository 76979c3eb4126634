//! A simulated network, name service and disk: endpoints that work, are slow, break off, or are dead.

use otlp_protocol::{Accepted, Batch, ErrorKind, Retry};
use otlp_transport::{
    Attempt, BoxAttempt, BoxIo, Client, ClientConfig, ClientStats, ClientStrategy, ConfigError, Disk,
    ExportError, ExportResult, Listener, Net, NetFuture, TransportContext,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The network, shared by everything on it.
#[derive(Clone, Debug, Default)]
pub(super) struct World(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    endpoints: HashMap<String, Endpoint>,
    /// The addresses of each name.
    names: HashMap<String, Vec<SocketAddr>>,
    files: HashMap<String, String>,
    calls: HashMap<u64, Fate>,
    /// Held by each client.
    open: Arc<()>,
}

#[derive(Debug, Default)]
struct Endpoint {
    behaviour: Behaviour,
    arrived: u64,
}

/// Deliveries of one call.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    attempts: u64,
    arrivals: u64,
    /// Arrivals whose connection broke off before the answer.
    broken: u64,
}

/// Behaviour of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Accepts a call after this time.
    Takes(Duration),
    /// Accepts a call after this time; one of four connections breaks off before the answer.
    BreaksOff(Duration),
    /// Cannot be reached.
    #[default]
    Dead,
    /// Does not answer within the time-out of an attempt.
    Silent,
    /// Asks for a delay.
    Busy(Duration),
}

/// Calls whose numbers this divides are refused for good.
pub(super) const REFUSED: u64 = 997;
const TIMEOUT: Duration = Duration::from_secs(5);

// === impl World ===

impl World {
    pub(super) fn context(&self) -> TransportContext {
        let (net, disk) = (Arc::new(self.clone()), Arc::new(self.clone()));
        TransportContext { net, disk, ..TransportContext::tcp(64 << 20) }
    }

    /// Sets the behaviour of an endpoint.
    pub(super) fn set(&self, address: &str, behaviour: Behaviour) {
        self.0.lock().endpoints.entry(address.to_owned()).or_default().behaviour = behaviour;
    }

    /// Sets the addresses of a name.
    pub(super) fn resolve(&self, name: &str, addresses: &[String]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().names.insert(name.to_owned(), addresses);
    }

    /// Writes a file.
    pub(super) fn write(&self, path: &str, content: impl Into<String>) {
        self.0.lock().files.insert(path.to_owned(), content.into());
    }

    /// Returns how often a call arrived.
    pub(super) fn arrivals(&self, number: u64) -> u64 {
        self.fate(number).arrivals
    }

    /// Returns how often a call arrived although its connection broke off.
    pub(super) fn broken(&self, number: u64) -> u64 {
        self.fate(number).broken
    }

    /// Returns the number of calls that an endpoint accepted.
    pub(super) fn arrived_at(&self, address: &str) -> u64 {
        self.0.lock().endpoints[address].arrived
    }

    /// Returns the number of clients of endpoints.
    pub(super) fn open_clients(&self) -> usize {
        Arc::strong_count(&self.0.lock().open) - 1
    }

    fn fate(&self, number: u64) -> Fate {
        self.0.lock().calls.get(&number).copied().unwrap_or_default()
    }

    /// Returns the behaviour of an endpoint towards the next attempt of a call.
    fn attempt(&self, address: &str, number: u64) -> Behaviour {
        let mut state = self.0.lock();
        let fate = state.calls.entry(number).or_default();
        fate.attempts += 1;
        let chance = fastrand::Rng::with_seed(number << 8 | fate.attempts).u8(0..4);
        match state.endpoints.get(address).map(|endpoint| endpoint.behaviour) {
            Some(Behaviour::BreaksOff(time)) if chance > 0 => Behaviour::Takes(time),
            found => found.unwrap_or_default(),
        }
    }

    /// Delivers a call after `time`, also if the caller goes away meanwhile.
    async fn deliver(&self, address: &str, number: u64, time: Duration, is_broken: bool) {
        let (world, address) = (self.clone(), address.to_owned());
        let delivery = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let mut state = world.0.lock();
            state.endpoints.entry(address).or_default().arrived += 1;
            let fate = state.calls.entry(number).or_default();
            fate.arrivals += 1;
            fate.broken += u64::from(is_broken);
        });
        delivery.await.unwrap();
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
        let connection = Connection { world: self.clone(), address, _open: self.0.lock().open.clone() };
        Ok(Client::new(BoxAttempt::new(connection), stats))
    }
}

struct Connection {
    world: World,
    address: String,
    _open: Arc<()>,
}

impl Attempt for Connection {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let body = batch.body().plain().to_contiguous();
        let number = u64::from_be_bytes(body[..].try_into().unwrap());
        let fail = |retry, kind, message| Err(ExportError::new(kind, retry, message));
        match self.world.attempt(&self.address, number) {
            Behaviour::Takes(time) if number > 0 && number % REFUSED == 0 => {
                tokio::time::sleep(time).await;
                fail(Retry::Never, ErrorKind::PermissionDenied, "not permitted")
            }
            Behaviour::Takes(time) => {
                self.world.deliver(&self.address, number, time, false).await;
                Ok(Accepted::FULL)
            }
            Behaviour::BreaksOff(_) if number > 0 && number % REFUSED == 0 => {
                fail(Retry::Never, ErrorKind::PermissionDenied, "not permitted")
            }
            Behaviour::BreaksOff(time) => {
                self.world.deliver(&self.address, number, time, true).await;
                fail(Retry::Backoff, ErrorKind::Unavailable, "the connection broke off")
            }
            Behaviour::Dead => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                fail(Retry::Backoff, ErrorKind::Unavailable, "cannot connect")
            }
            Behaviour::Silent => {
                tokio::time::sleep(TIMEOUT).await;
                fail(Retry::Backoff, ErrorKind::Timeout, "no answer")
            }
            Behaviour::Busy(delay) => fail(Retry::After(delay), ErrorKind::Unavailable, "busy"),
        }
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
        let found = self.0.lock().names.get(name).cloned().ok_or_else(|| io::Error::other("no such name"));
        Box::pin(std::future::ready(found))
    }
}

impl Disk for World {
    fn read(&self, path: &Path, _max_bytes: u64) -> io::Result<Vec<u8>> {
        let file = path.to_str().and_then(|path| self.0.lock().files.get(path).cloned());
        file.map(String::into_bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
