//! Which connections a pool has, and which of them a request gets. No I/O, no clock.

use super::Waiter;
use super::lease::Held;
use crate::ClientLimits;
use crate::client::connect::Greeting;
use crate::client::http2::{self, Activity, Sender};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A pool's connections and those who wait for one.
pub(super) struct State {
    /// HTTP/2 connections that take requests.
    pub(super) multiplexed: Vec<Slot>,
    /// HTTP/1.1 connections without a request, the one used last at the end.
    idle: Vec<Idle>,
    /// HTTP/1.1 connections, idle and busy.
    pub(super) open_http1: usize,
    /// Attempts under way.
    pub(super) connecting: usize,
    /// First come, first served.
    pub(super) waiters: VecDeque<Waiter>,
    /// Whether connections multiplex; `None` until ALPN has chosen on the first.
    multiplexes: Option<bool>,
    /// Whether somebody closes idle connections.
    expiring: bool,
    max_connections: Option<usize>,
    max_waiting: usize,
    max_age: Option<Duration>,
    idle_timeout: Duration,
}

/// An HTTP/2 connection.
pub(super) struct Slot {
    sender: Sender,
    pub(super) activity: Arc<Activity>,
    greeting: Greeting,
    opened: Instant,
}

struct Idle {
    held: Held,
    since: Instant,
}

/// What a request gets.
pub(super) enum Choice {
    Take(Held),
    Wait,
    /// Too many wait already.
    Full,
}

// === impl State ===

impl State {
    pub(super) fn new(multiplexes: Option<bool>, limits: &ClientLimits) -> Self {
        Self {
            multiplexed: Vec::new(),
            idle: Vec::new(),
            open_http1: 0,
            connecting: 0,
            waiters: VecDeque::new(),
            multiplexes,
            expiring: false,
            max_connections: limits.max_connections.map(|max| max.max(1)),
            max_waiting: limits.max_waiting,
            max_age: limits.max_connection_age,
            idle_timeout: limits.idle_timeout,
        }
    }

    /// An open connection with room, if there is one.
    pub(super) fn choose(&mut self, now: Instant) -> Choice {
        let max_age = self.max_age;
        // A connection may have been told to go away, or broken, without its task having run yet.
        self.multiplexed.retain_mut(|slot| !slot.is_aged(now, max_age) && http2::is_open(&mut slot.sender));
        let mut waiting = 0;
        for slot in &self.multiplexed {
            match slot.in_flight().checked_sub(slot.streams()) {
                None => return Choice::Take(slot.lease()),
                Some(excess) => waiting += excess,
            }
        }
        while let Some(Idle { held, since }) = self.idle.pop() {
            let expired = now.saturating_duration_since(since) >= self.idle_timeout;
            if !expired && !held.is_aged(now, self.max_age) && !held.is_closed() {
                return Choice::Take(held);
            }
            self.open_http1 -= 1;
        }
        if waiting + self.waiters.len() >= self.max_waiting {
            // Some may have given up.
            self.waiters.retain(|waiter| !waiter.is_closed());
            if waiting + self.waiters.len() >= self.max_waiting {
                return Choice::Full;
            }
        }
        match self.roomiest() {
            // h2 keeps the request until the server has a stream for it.
            Some(slot) if self.open() >= self.limit() => Choice::Take(slot.lease()),
            _ => Choice::Wait,
        }
    }

    /// Whether another connection would serve a waiter, and may be opened.
    pub(super) fn wants_connection(&self) -> bool {
        if self.open() + self.connecting >= self.limit() {
            return false;
        }
        let waiting = self.waiters.iter().filter(|waiter| !waiter.is_closed()).count();
        // While it is not known whether the first one multiplexes, one will do.
        self.connecting < if self.multiplexes == Some(false) { waiting } else { waiting.min(1) }
    }

    /// The HTTP/2 connection with the fewest requests beyond its streams.
    pub(super) fn roomiest(&self) -> Option<&Slot> {
        self.multiplexed.iter().min_by_key(|slot| slot.in_flight().saturating_sub(slot.streams()))
    }

    /// ALPN has chosen.
    pub(super) fn learn(&mut self, multiplexes: bool) {
        self.multiplexes = Some(multiplexes);
    }

    /// Keeps an idle connection; whether somebody must be set to close it in time.
    pub(super) fn keep(&mut self, held: Held, now: Instant) -> bool {
        self.idle.push(Idle { held, since: now });
        !std::mem::replace(&mut self.expiring, true)
    }

    /// Takes out what has been idle too long or was closed by the server, and says when to look again.
    pub(super) fn expire(&mut self, now: Instant) -> (Vec<Held>, Option<Instant>) {
        let (idle_timeout, mut expired) = (self.idle_timeout, Vec::new());
        for Idle { held, since } in std::mem::take(&mut self.idle) {
            if held.is_closed() || now.saturating_duration_since(since) >= idle_timeout {
                expired.push(held);
            } else {
                self.idle.push(Idle { held, since });
            }
        }
        self.open_http1 -= expired.len();
        self.expiring = !self.idle.is_empty();
        (expired, self.idle.first().map(|oldest| oldest.since + idle_timeout))
    }

    /// Takes out all idle connections.
    pub(super) fn take_idle(&mut self) -> Vec<Held> {
        let idle: Vec<_> = std::mem::take(&mut self.idle).into_iter().map(|idle| idle.held).collect();
        self.open_http1 -= idle.len();
        idle
    }

    /// Gives that connection no more requests.
    pub(super) fn retire(&mut self, activity: &Arc<Activity>) {
        self.multiplexed.retain(|slot| !Arc::ptr_eq(&slot.activity, activity));
    }

    fn open(&self) -> usize {
        self.open_http1 + self.multiplexed.len()
    }

    fn limit(&self) -> usize {
        let default = if self.multiplexes == Some(false) { DEFAULT_MAX_HTTP1 } else { DEFAULT_MAX_HTTP2 };
        self.max_connections.unwrap_or(default)
    }
}

// === impl Slot ===

impl Slot {
    pub(super) fn new(sender: Sender, greeting: Greeting, opened: Instant) -> Self {
        Self { sender, activity: Arc::new(Activity::new(opened)), greeting, opened }
    }

    /// Counts a request in.
    pub(super) fn lease(&self) -> Held {
        self.activity.in_flight.fetch_add(1, Ordering::Relaxed);
        let (sender, activity) = (self.sender.clone(), self.activity.clone());
        Held::Http2 { sender, activity, greeting: self.greeting.clone() }
    }

    fn is_aged(&self, now: Instant, max_age: Option<Duration>) -> bool {
        max_age.is_some_and(|max_age| now.saturating_duration_since(self.opened) >= max_age)
    }

    fn in_flight(&self) -> usize {
        self.activity.in_flight.load(Ordering::Relaxed)
    }

    /// Requests the server takes at once, under our own limit.
    fn streams(&self) -> usize {
        self.sender.current_max_send_streams().min(MAX_STREAMS)
    }
}

const DEFAULT_MAX_HTTP1: usize = 100;
const DEFAULT_MAX_HTTP2: usize = 4;
/// For servers that set no limit.
const MAX_STREAMS: usize = 1024;
