//! What the process does on each signal: drain, or go on. None loses what was accepted, except those that cannot be
//! caught and those that ask for a core dump.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The signals that were received and ask for the end of the process.
pub(crate) struct Signals {
    received: Receiver<Received>,
    /// Whether the next of TERM, INT and QUIT is the second one.
    stop_asked: bool,
}

/// A signal that asks for the end.
#[derive(Clone, Copy)]
struct Received {
    name: &'static str,
    action: Action,
}

/// What a signal does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Drains; the second one of this kind stops at once.
    Stop,
    /// Drains, and never shortens a drain.
    Drain,
    /// Nothing: a line in the log.
    Ignore,
}

// === impl Signals ===

impl Signals {
    /// Catches signals from now on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the system refuses a handler for TERM or INT.
    pub(crate) fn listen() -> io::Result<Self> {
        let (sender, received) = channel(QUEUED_SIGNALS);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (name, kind, action) in table() {
            // As `nohup` wants it.
            if kind == SignalKind::hangup() && is_ignored(&status, kind) {
                continue;
            }
            match signal(kind) {
                Ok(signal) => drop(tokio::spawn(forward(signal, Received { name, action }, sender.clone()))),
                Err(error) if action == Action::Stop => return Err(error),
                Err(error) => tracing::debug!(%error, "cannot catch {name}"),
            }
        }
        Ok(Self { received, stop_asked: false })
    }

    /// Waits for a signal that begins the drain; its name.
    pub(crate) async fn end_asked(&mut self) -> &'static str {
        let Received { name, action } = self.next().await;
        self.stop_asked = action == Action::Stop;
        name
    }

    /// Waits for a signal that ends the delay before the drain: one of TERM, INT and QUIT.
    pub(crate) async fn delay_ended(&mut self) -> &'static str {
        loop {
            let Received { name, action } = self.next().await;
            if action == Action::Stop {
                self.stop_asked = true;
                return name;
            }
        }
    }

    /// Waits for a signal that ends the drain: the second one of TERM, INT and QUIT.
    pub(crate) async fn end_now_asked(&mut self) {
        loop {
            let Received { name, action } = self.next().await;
            if action == Action::Stop && self.stop_asked {
                return;
            }
            self.stop_asked |= action == Action::Stop;
            tracing::info!("{name}: draining already");
        }
    }

    async fn next(&mut self) -> Received {
        match self.received.recv().await {
            Some(received) => received,
            // No handler is left that could send.
            None => std::future::pending().await,
        }
    }
}

async fn forward(mut signal: Signal, received: Received, sender: Sender<Received>) {
    while signal.recv().await.is_some() {
        match received.action {
            Action::Ignore => tracing::info!("{} is ignored", received.name),
            Action::Stop | Action::Drain => drop(sender.send(received).await),
        }
    }
}

/// Every signal whose default is to end the process, except KILL, those of crashes, and ABRT, TRAP and SYS, which ask
/// for a core dump.
fn table() -> Vec<(&'static str, SignalKind, Action)> {
    let mut table = vec![
        ("SIGTERM", SignalKind::terminate(), Action::Stop),
        ("SIGINT", SignalKind::interrupt(), Action::Stop),
        ("SIGQUIT", SignalKind::quit(), Action::Stop),
        ("SIGHUP", SignalKind::hangup(), Action::Drain),
        ("SIGUSR1", SignalKind::user_defined1(), Action::Ignore),
        ("SIGUSR2", SignalKind::user_defined2(), Action::Ignore),
        ("SIGALRM", SignalKind::alarm(), Action::Ignore),
        ("SIGIO", SignalKind::io(), Action::Ignore),
        ("SIGPIPE", SignalKind::pipe(), Action::Ignore),
    ];
    if cfg!(target_os = "linux") {
        // Past the soft limit of CPU time; KILL follows at the hard limit.
        table.push(("SIGXCPU", SignalKind::from_raw(24), Action::Drain));
        table.push(("SIGPWR", SignalKind::from_raw(30), Action::Drain));
        // Without a handler a write over the limit of a file's size ends the process; with one the write fails.
        table.push(("SIGXFSZ", SignalKind::from_raw(25), Action::Ignore));
        let other = [16, 26, 27].into_iter().chain(FIRST_REAL_TIME..=LAST_REAL_TIME);
        table.extend(other.map(|number| ("a signal", SignalKind::from_raw(number), Action::Ignore)));
    }
    table
}

/// Whether the process was started with a signal ignored, by `/proc/self/status`.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

const QUEUED_SIGNALS: usize = 8;
/// Below are signals that the C library uses itself: two with glibc, three with musl.
const FIRST_REAL_TIME: i32 = if cfg!(target_env = "musl") { 35 } else { 34 };
const LAST_REAL_TIME: i32 = 64;

#[cfg(test)]
mod tests;
