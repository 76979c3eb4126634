//! Reports the state of the process to the service manager by systemd's protocol, sd_notify(3).

use crate::config::Lookup;
use otlp_transport::Clock;
use rustix::time::{ClockId, clock_gettime};
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

/// The socket of the service manager, if there is one.
pub(crate) struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// Interval of the watchdog: the service manager expects a message at least this often.
    watchdog: Option<Duration>,
}

// === impl ServiceManager ===

impl ServiceManager {
    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub(crate) fn from_env(lookup: &dyn Lookup) -> Self {
        let socket = lookup.env("NOTIFY_SOCKET").filter(|name| !name.is_empty()).and_then(|name| {
            let opened = open(&name);
            opened.inspect_err(|error| tracing::warn!(%error, "NOTIFY_SOCKET cannot be used")).ok()
        });
        let is_own = |pid: String| pid == std::process::id().to_string();
        let micros = lookup.env("WATCHDOG_USEC").filter(|_| lookup.env("WATCHDOG_PID").is_none_or(is_own));
        let micros = micros.and_then(|micros| micros.parse().ok()).filter(|&micros| micros > 0);
        Self { socket, watchdog: micros.map(Duration::from_micros) }
    }

    /// Reports that every port is open; `status` is a line for the operator.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// Reports that a reload begins; [`ready`](Self::ready) reports its end.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        // With `Type=notify-reload` systemd matches the message with its request by this time.
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=reloading"));
    }

    /// Reports that the process ends, within `time` at most.
    pub(crate) fn stopping(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.tell(&format!("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC={micros}"));
    }

    /// Reports from now on, twice in each interval of the watchdog, that the process is alive. Must be called within a tokio
    /// runtime.
    pub(crate) fn keep_alive(self: &Arc<Self>, clock: Arc<dyn Clock>) {
        let (Some(watchdog), true) = (self.watchdog, self.socket.is_some()) else { return };
        let manager = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                manager.tell("WATCHDOG=1");
                clock.sleep(watchdog / 2).await;
            }
        });
    }

    /// Sends a message. A failure is logged and has no other effect.
    fn tell(&self, state: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::debug!(%error, state, "cannot tell the service manager");
        }
    }
}

/// Opens a socket, and parses the address: a path or, after `@`, an abstract name.
fn open(name: &str) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests;
