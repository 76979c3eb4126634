//! Listening sockets that go from one set of servers to the next without being closed.
//!
//! A handover is a [`Net`] for the servers of a new configuration. Where they listen on an address on which servers of the old
//! configuration listen, both share the socket; its connections are accepted by the old server until the handover is
//! [activated](Handover::activate), and by the new one from then on. So no connection is refused, and a handover that is
//! dropped before its activation changes nothing. Connections to a new address wait in the backlog until the activation.

use super::{Address, BoxIo, Listener, Net, NetFuture};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::watch;

/// The listening sockets of a process part, by address. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Sockets(Arc<Shared>);

/// The network of one configuration, whose listeners are inactive until the handover is activated.
#[derive(Clone, Debug)]
pub struct Handover(Arc<State>);

#[derive(Debug)]
struct Shared {
    net: Arc<dyn Net>,
    open: Mutex<HashMap<String, Weak<Socket>>>,
    last_id: AtomicU64,
}

#[derive(Debug)]
struct State {
    sockets: Arc<Shared>,
    /// Ids of sockets that a listener of this handover has: two servers of one configuration share none.
    claimed: Mutex<HashSet<u64>>,
    /// Number of times that a component has asked for an address with port 0.
    asked: Mutex<HashMap<String, u32>>,
    listeners: Mutex<Listeners>,
}

#[derive(Debug, Default)]
struct Listeners {
    is_active: bool,
    waiting: Vec<(Weak<Socket>, u64, Arc<str>)>,
}

/// The network as one component of a configuration sees it.
#[derive(Debug)]
struct ComponentNet {
    component: Arc<str>,
    handover: Handover,
}

/// A listening socket.
struct Socket {
    id: u64,
    listener: Box<dyn Listener>,
    /// Id of the listener that accepts.
    active: watch::Sender<u64>,
    /// The component whose listener accepts.
    component: Mutex<Arc<str>>,
}

/// One server's listener on a socket.
struct SharedListener {
    id: u64,
    /// Taken when the listener is dropped.
    socket: Option<Arc<Socket>>,
    handover: Arc<State>,
}

// === impl Sockets ===

impl Sockets {
    /// No sockets yet; they are opened on `net`.
    pub fn new(net: Arc<dyn Net>) -> Self {
        Self(Arc::new(Shared { net, open: Mutex::default(), last_id: AtomicU64::new(0) }))
    }

    /// A handover to a new configuration.
    pub fn handover(&self) -> Handover {
        Handover(Arc::new(State {
            sockets: self.0.clone(),
            claimed: Mutex::default(),
            asked: Mutex::default(),
            listeners: Mutex::default(),
        }))
    }
}

// === impl Handover ===

impl Handover {
    /// The network for a component. The same address is the same socket in each configuration; an address with port 0 is so
    /// for the same component.
    pub fn net(&self, component: impl Into<Arc<str>>) -> Arc<dyn Net> {
        Arc::new(ComponentNet { component: component.into(), handover: self.clone() })
    }

    /// Leaves the sockets on which a component accepts now to that component, which goes on as it is: for other components
    /// of this handover their addresses are in use.
    pub fn keep(&self, component: &str) {
        let open = self.0.sockets.open.lock();
        for socket in open.values().filter_map(Weak::upgrade) {
            if **socket.component.lock() == *component {
                self.0.claimed.lock().insert(socket.id);
            }
        }
    }

    /// Lets the listeners of this handover accept, in place of those that shared their sockets so far.
    pub fn activate(&self) {
        let mut listeners = self.0.listeners.lock();
        listeners.is_active = true;
        for (socket, id, component) in listeners.waiting.drain(..) {
            if let Some(socket) = socket.upgrade() {
                socket.activate(id, component);
            }
        }
    }
}

// === impl State ===

impl State {
    /// A socket's name: two components may each have a socket of a port that the system chooses.
    fn key(&self, component: &str, address: &str) -> String {
        if Address::unix_path(address).is_some() || !address.ends_with(":0") {
            return address.to_owned();
        }
        let key = format!("{component} {address}");
        let mut asked = self.asked.lock();
        let times = asked.entry(key.clone()).or_default();
        *times += 1;
        format!("{key} {times}")
    }

    async fn listen(self: &Arc<Self>, component: &Arc<str>, address: &str) -> io::Result<SharedListener> {
        let key = self.key(component, address);
        let known = self.sockets.known(&key);
        let socket = match known {
            Some(socket) => socket,
            None => self.sockets.open(&key, address).await?,
        };
        let listener = SharedListener { id: self.sockets.next_id(), socket: None, handover: self.clone() };
        self.claim(listener, socket, component.clone())
    }

    fn claim(
        &self,
        mut listener: SharedListener,
        socket: Arc<Socket>,
        component: Arc<str>,
    ) -> io::Result<SharedListener> {
        if !self.claimed.lock().insert(socket.id) {
            return Err(io::Error::new(
                ErrorKind::AddrInUse,
                "another component of the configuration listens on it",
            ));
        }
        let mut listeners = self.listeners.lock();
        if listeners.is_active {
            socket.activate(listener.id, component);
        } else {
            listeners.waiting.push((Arc::downgrade(&socket), listener.id, component));
        }
        listener.socket = Some(socket);
        Ok(listener)
    }
}

// === impl Shared ===

impl Shared {
    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn known(&self, key: &str) -> Option<Arc<Socket>> {
        self.open.lock().get(key).and_then(Weak::upgrade)
    }

    async fn open(&self, key: &str, address: &str) -> io::Result<Arc<Socket>> {
        let listener = match self.net.bind(address).await {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return self.same_place(address, error).await;
            }
            Err(error) => return Err(error),
        };
        let (active, component) = (watch::Sender::new(0), Mutex::new("".into()));
        let socket = Arc::new(Socket { id: self.next_id(), listener, active, component });
        let mut open = self.open.lock();
        open.retain(|_, socket| socket.strong_count() > 0);
        open.insert(key.to_owned(), Arc::downgrade(&socket));
        Ok(socket)
    }

    /// The socket that is in the way of an address which is in use, if the address is another spelling of the socket's.
    async fn same_place(&self, address: &str, error: io::Error) -> io::Result<Arc<Socket>> {
        let Some((host, port)) = address.rsplit_once(':') else { return Err(error) };
        let own: Vec<_> = self.open.lock().values().filter_map(Weak::upgrade).collect();
        let of_port = own.into_iter().filter_map(|socket| {
            let local = socket.listener.local_addr().ok()?.tcp()?;
            (local.port().to_string() == port).then_some((socket, local))
        });
        let of_port: Vec<(Arc<Socket>, SocketAddr)> = of_port.collect();
        let wanted = self.net.resolve(address).await.unwrap_or_default();
        let is_any = matches!(host, "" | "0.0.0.0" | "[::]");
        let same = |(_, local): &&(Arc<Socket>, SocketAddr)| {
            wanted.contains(local) || is_any && local.ip().is_unspecified() && local.is_ipv6()
        };
        if let Some((socket, _)) = of_port.iter().find(same) {
            return Ok(socket.clone());
        }
        let Some((_, local)) = of_port.first() else { return Err(error) };
        let message = format!(
            "{error}: the running configuration listens on {local}; a reload cannot move a port to another host while it does, \
             a restart can"
        );
        Err(io::Error::new(ErrorKind::AddrInUse, message))
    }
}

// === impl Socket ===

impl Socket {
    fn activate(&self, id: u64, component: Arc<str>) {
        *self.component.lock() = component;
        self.active.send_replace(id);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("local_addr", &self.listener.local_addr().ok()).finish_non_exhaustive()
    }
}

// === impl ComponentNet ===

impl Net for ComponentNet {
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async move {
            let listener = self.handover.0.listen(&self.component, address).await?;
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo> {
        self.handover.0.sockets.net.connect(address)
    }

    fn resolve<'a>(&'a self, name: &'a str) -> NetFuture<'a, Vec<SocketAddr>> {
        self.handover.0.sockets.net.resolve(name)
    }
}

// === impl SharedListener ===

impl Listener for SharedListener {
    fn accept(&self) -> NetFuture<'_, (BoxIo, Address)> {
        Box::pin(async move {
            let Some(socket) = &self.socket else { return std::future::pending().await };
            let mut active = socket.active.subscribe();
            loop {
                // The sender lives as long as the socket.
                drop(active.wait_for(|active| *active == self.id).await);
                tokio::select! {
                    biased;
                    _ = active.wait_for(|active| *active != self.id) => {}
                    accepted = socket.listener.accept() => return accepted,
                }
            }
        })
    }

    fn local_addr(&self) -> io::Result<Address> {
        match &self.socket {
            Some(socket) => socket.listener.local_addr(),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl Drop for SharedListener {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        self.handover.claimed.lock().remove(&socket.id);
        // Closed under the lock: who finds it gone can open the address again.
        let open = self.handover.sockets.open.lock();
        drop(socket);
        drop(open);
    }
}

#[cfg(test)]
mod tests;
