//! The limit of shown items in a second, without a clock or a stream.

use crate::exporter::show::Allowance;
use otlp_protocol::Signal;
use std::time::{Duration, Instant};

/// Counts of shown and not shown items in the current second.
#[derive(Debug)]
pub(super) struct Pace {
    max: Allowance,
    sampling: Sampling,
    ends: Option<Instant>,
    left: Allowance,
    /// Batches of each signal in this second.
    batches: Vec<(Signal, u64)>,
    /// Items of each signal that were not shown since the last line about them.
    untold: Vec<(Signal, u64)>,
    is_due: bool,
}

/// Sampling of batches in a second, for each signal, like zap's sampler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sampling {
    /// The number of batches that are always shown.
    pub(super) initial: u64,
    /// Sampling of further batches: every n-th batch is shown; 0: no batch.
    pub(super) thereafter: u64,
}

// === impl Pace ===

impl Pace {
    pub(super) fn new(max: Allowance, sampling: Sampling) -> Self {
        let (batches, untold) = (Vec::new(), Vec::new());
        Self { max, sampling, ends: None, left: max, batches, untold, is_due: false }
    }

    /// Reserves the allowance for a batch of `lines` lines.
    pub(super) fn admit(&mut self, now: Instant, signal: Signal, lines: u64) -> Allowance {
        if self.ends.is_none_or(|ends| now >= ends) {
            self.ends = now.checked_add(SECOND);
            self.left = self.max;
            self.batches.clear();
        }
        let number = add(&mut self.batches, signal, 1);
        let Sampling { initial, thereafter } = self.sampling;
        let is_sampled = match number.saturating_sub(initial) {
            0 => true,
            after => thereafter > 0 && after % thereafter == 0,
        };
        if !is_sampled || self.left.lines == 0 || self.left.entries == 0 {
            return Allowance::default();
        }
        let taken = Allowance { lines: lines.min(self.left.lines), entries: lines.min(self.left.entries) };
        self.left.lines -= taken.lines;
        self.left.entries -= taken.entries;
        taken
    }

    /// Gives the unused allowance back, and counts items that were not shown. Returns the time at which a line about them is due, if
    /// no line is scheduled yet.
    pub(super) fn settle(&mut self, signal: Signal, unused: Allowance, not_shown: u64) -> Option<Instant> {
        self.left.lines = (self.left.lines + unused.lines).min(self.max.lines);
        self.left.entries = (self.left.entries + unused.entries).min(self.max.entries);
        if not_shown == 0 {
            return None;
        }
        add(&mut self.untold, signal, not_shown);
        if std::mem::replace(&mut self.is_due, true) { None } else { self.ends }
    }

    /// Takes the counts of items that were not shown.
    pub(super) fn take_untold(&mut self) -> Vec<(Signal, u64)> {
        self.is_due = false;
        std::mem::take(&mut self.untold)
    }
}

/// Adds to the count of a signal, and returns the new count.
fn add(counts: &mut Vec<(Signal, u64)>, signal: Signal, more: u64) -> u64 {
    match counts.iter_mut().find(|(counted, _)| *counted == signal) {
        Some((_, count)) => {
            *count = count.saturating_add(more);
            *count
        }
        None => {
            counts.push((signal, more));
            more
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
