//! Signals of the process: a signal drains, reloads, or is only logged. No signal loses telemetry that was accepted, except
//! the signals that cannot be caught and those that ask for a core dump.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Signals that were received and that the process acts on.
pub(crate) struct Signals {
    received: Receiver<Received>,
    /// True if the next of TERM, INT and QUIT is the second one.
    stop_asked: bool,
    /// True if HUP came while a reload was under way.
    reload_asked: bool,
}

/// Request of a signal to a running gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Drain. The name of the signal.
    End(&'static str),
    /// Reload.
    Reload,
}

/// Effect of SIGHUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnHangup {
    /// Drains: the terminal that showed the output is gone.
    Drain,
    /// Reloads the configuration.
    Reload,
}

/// A signal that was received.
#[derive(Clone, Copy)]
struct Received {
    name: &'static str,
    action: Action,
}

/// Effect of a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Drains; the second signal of this kind stops at once.
    Stop,
    /// Drains, and never shortens a drain.
    Drain,
    /// Reloads the configuration; during a drain, nothing.
    Reload,
    /// Writes a line to the log.
    Ignore,
}

// === impl OnHangup ===

impl OnHangup {
    /// Returns the effect for a process with or without a configuration, whose output goes to a terminal or elsewhere.
    pub(crate) fn of(has_config: bool, has_terminal: bool) -> Self {
        if !has_config && has_terminal { Self::Drain } else { Self::Reload }
    }
}

// === impl Signals ===

impl Signals {
    /// Catches signals from now on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the system refuses a handler for TERM or INT.
    pub(crate) fn listen(on_hangup: OnHangup) -> io::Result<Self> {
        let (sender, received) = channel(QUEUED_SIGNALS);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (name, kind, action) in table(on_hangup) {
            // `nohup` starts processes with HUP ignored, and so it stays.
            if kind == SignalKind::hangup() && is_ignored(&status, kind) {
                continue;
            }
            match signal(kind) {
                Ok(signal) => drop(tokio::spawn(forward(signal, Received { name, action }, sender.clone()))),
                Err(error) if action == Action::Stop => return Err(error),
                Err(error) => tracing::debug!(%error, "cannot catch {name}"),
            }
        }
        Ok(Self { received, stop_asked: false, reload_asked: false })
    }

    /// Waits for a signal that begins the drain, or that asks for a reload. Dropping the future loses no signal.
    pub(crate) async fn asked(&mut self) -> Asked {
        if std::mem::take(&mut self.reload_asked) {
            return Asked::Reload;
        }
        let Received { name, action } = self.next().await;
        if action == Action::Reload {
            return Asked::Reload;
        }
        self.stop_asked = action == Action::Stop;
        Asked::End(name)
    }

    /// Waits for a signal that begins the drain, and returns its name. A reload that is asked for meanwhile is the next that
    /// [`asked`](Self::asked) returns. Dropping the future loses no signal.
    pub(crate) async fn end_asked(&mut self) -> &'static str {
        loop {
            let Received { name, action } = self.next().await;
            if action == Action::Reload {
                self.reload_asked = true;
                continue;
            }
            self.stop_asked = action == Action::Stop;
            return name;
        }
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
            Action::Stop | Action::Drain | Action::Reload => drop(sender.send(received).await),
        }
    }
}

/// Every signal whose default is to end the process, except KILL, those of crashes, and ABRT, TRAP and SYS, which ask
/// for a core dump.
fn table(on_hangup: OnHangup) -> Vec<(&'static str, SignalKind, Action)> {
    let hangup = match on_hangup {
        OnHangup::Drain => Action::Drain,
        OnHangup::Reload => Action::Reload,
    };
    let mut table = vec![
        ("SIGTERM", SignalKind::terminate(), Action::Stop),
        ("SIGINT", SignalKind::interrupt(), Action::Stop),
        ("SIGQUIT", SignalKind::quit(), Action::Stop),
        ("SIGHUP", SignalKind::hangup(), hangup),
        ("SIGUSR1", SignalKind::user_defined1(), Action::Ignore),
        ("SIGUSR2", SignalKind::user_defined2(), Action::Ignore),
        ("SIGALRM", SignalKind::alarm(), Action::Ignore),
        ("SIGIO", SignalKind::io(), Action::Ignore),
        ("SIGPIPE", SignalKind::pipe(), Action::Ignore),
    ];
    if cfg!(target_os = "linux") {
        // Sent at the soft limit of CPU time; KILL follows at the hard limit.
        table.push(("SIGXCPU", SignalKind::from_raw(24), Action::Drain));
        table.push(("SIGPWR", SignalKind::from_raw(30), Action::Drain));
        // Without a handler a write over the limit of a file's size ends the process; with one the write fails.
        table.push(("SIGXFSZ", SignalKind::from_raw(25), Action::Ignore));
        let other = [16, 26, 27].into_iter().chain(FIRST_REAL_TIME..=LAST_REAL_TIME);
        table.extend(other.map(|number| ("a signal", SignalKind::from_raw(number), Action::Ignore)));
    }
    table
}

/// Returns true if the process was started with a signal ignored, by `/proc/self/status`.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}

const QUEUED_SIGNALS: usize = 8;
/// Lower numbers are signals that the C library uses itself: two with glibc, three with musl.
const FIRST_REAL_TIME: i32 = if cfg!(target_env = "musl") { 35 } else { 34 };
const LAST_REAL_TIME: i32 = 64;

#[cfg(test)]
mod tests;
