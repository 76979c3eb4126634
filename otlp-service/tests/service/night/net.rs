//! A network in memory: names, listeners, and peers with addresses of their own.

use otlp_transport::{Address, BoxIo, Listener, Net, NetFuture};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Accepted = io::Result<(BoxIo, Address)>;

/// The network as one host sees it. Clones are on the same host.
#[derive(Clone)]
pub(super) struct SimNet {
    wire: Arc<Mutex<Wire>>,
    host: [u8; 4],
}

#[derive(Default)]
struct Wire {
    listeners: HashMap<String, UnboundedSender<Accepted>>,
    last_port: HashMap<[u8; 4], u16>,
}

struct SimListener {
    address: Address,
    accepted: tokio::sync::Mutex<UnboundedReceiver<Accepted>>,
}

impl SimNet {
    pub(super) fn new(host: [u8; 4]) -> Self {
        Self { wire: Arc::default(), host }
    }

    /// The same network, seen from another host.
    pub(super) fn from(&self, host: [u8; 4]) -> Self {
        Self { wire: self.wire.clone(), host }
    }

    /// Makes the next accept at `name` fail as if there were no file descriptor left.
    pub(super) fn use_up_descriptors(&self, name: &str) {
        const EMFILE: i32 = 24;
        let _ = self.wire.lock().listeners[name].send(Err(io::Error::from_raw_os_error(EMFILE)));
    }
}

impl std::fmt::Debug for SimNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimNet")
    }
}

impl Net for SimNet {
    fn bind<'a>(&'a self, name: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        let port = name.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap();
        let (sender, receiver) = unbounded_channel();
        self.wire.lock().listeners.insert(name.to_owned(), sender);
        let address = Address::Tcp(SocketAddr::from((self.host, port)));
        let listener = SimListener { address, accepted: tokio::sync::Mutex::new(receiver) };
        Box::pin(std::future::ready(Ok(Box::new(listener) as Box<dyn Listener>)))
    }

    fn connect<'a>(&'a self, name: &'a str) -> NetFuture<'a, BoxIo> {
        let mut wire = self.wire.lock();
        let port = wire.last_port.entry(self.host).or_insert(50_000);
        *port += 1;
        let peer = Address::Tcp(SocketAddr::from((self.host, *port)));
        let (near, far) = tokio::io::duplex(1 << 20);
        let sent = wire.listeners.get(name).map(|listener| listener.send(Ok((Box::new(far), peer))));
        let result = match sent {
            Some(Ok(())) => Ok(Box::new(near) as BoxIo),
            _ => Err(ErrorKind::ConnectionRefused.into()),
        };
        Box::pin(std::future::ready(result))
    }
}

impl Listener for SimListener {
    fn accept(&self) -> NetFuture<'_, (BoxIo, Address)> {
        Box::pin(async move {
            match self.accepted.lock().await.recv().await {
                Some(accepted) => accepted,
                None => std::future::pending().await,
            }
        })
    }

    fn local_addr(&self) -> io::Result<Address> {
        Ok(self.address.clone())
    }
}
