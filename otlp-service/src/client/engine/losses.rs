//! Counters of the telemetry that was sent and lost.

use super::kind::Kind;
use super::sync::atomic::{AtomicU64, Ordering};
use std::fmt;

/// Reason for the loss of spans, log records or metric points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The finished entries that wait to be sent had reached their limit.
    QueueFull,
    /// Too many spans were open at the same time.
    OpenSpansLimit,
    /// The program has more than 65,536 places that record spans and events of `tracing`.
    CallsitesLimit,
    /// The destination could not be reached, or failed until the time limit of an export.
    SendFailed,
    /// The destination refused the items.
    Refused,
    /// The time limit of an export passed without an answer.
    TimedOut,
    /// Recorded after the shutdown, or not sent before the shutdown's time limit.
    Shutdown,
    /// Recorded before a fork and not sent: the parent process sends them.
    Fork,
}

/// Items that a client sent and lost, since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStats {
    /// Spans.
    pub spans: ItemStats,
    /// Log records.
    pub logs: ItemStats,
    /// Metric points.
    pub points: ItemStats,
    /// Instrumentation scopes beyond the limit of 1,024, whose items are in the default scope.
    pub refused_scopes: u64,
}

/// Items of one signal that a client sent and lost.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ItemStats {
    sent: u64,
    lost: [u64; LossReason::ALL.len()],
}

/// The counters of an engine.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    sent: [AtomicU64; Kind::ALL.len()],
    lost: [[AtomicU64; LossReason::ALL.len()]; Kind::ALL.len()],
}

// === impl LossReason ===

impl LossReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::OpenSpansLimit,
        Self::CallsitesLimit,
        Self::SendFailed,
        Self::Refused,
        Self::TimedOut,
        Self::Shutdown,
        Self::Fork,
    ];

    /// Returns the name of the reason, in `snake_case`.
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::OpenSpansLimit => "open_spans_limit",
            Self::CallsitesLimit => "callsites_limit",
            Self::SendFailed => "send_failed",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Shutdown => "shutdown",
            Self::Fork => "fork",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl ItemStats ===

impl ItemStats {
    /// Returns the number of items that a destination accepted.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns the number of items that were lost for a reason.
    pub fn lost(&self, reason: LossReason) -> u64 {
        self.lost[reason as usize]
    }

    /// Returns the number of items that were lost for any reason.
    pub fn lost_in_all(&self) -> u64 {
        self.lost.iter().sum()
    }
}

impl fmt::Debug for ItemStats {
    /// The counters that are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"sent", &self.sent);
        let lost = LossReason::ALL.iter().filter(|&&reason| self.lost(reason) > 0);
        map.entries(lost.map(|&reason| (reason.name(), self.lost(reason)))).finish()
    }
}

// === impl Losses ===

impl Losses {
    #[cold]
    pub(crate) fn add(&self, kind: Kind, reason: LossReason, items: u64) {
        self.lost[kind.index()][reason as usize].fetch_add(items, Ordering::Relaxed);
    }

    pub(crate) fn add_sent(&self, kind: Kind, items: u64) {
        self.sent[kind.index()].fetch_add(items, Ordering::Relaxed);
    }

    /// Returns the number of items of all kinds that were lost.
    pub(crate) fn in_all(&self) -> u64 {
        self.lost.iter().flatten().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn stats(&self, kind: Kind) -> ItemStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ItemStats {
            sent: load(&self.sent[kind.index()]),
            lost: LossReason::ALL.map(|reason| load(&self.lost[kind.index()][reason as usize])),
        }
    }
}
