//! The lines of a ledger: those in use, and the one line that sums up all that were removed.

use super::metrics::register_line;
use super::{Account, Ledger, LedgerLine};
use crate::telemetry::{Registration, Registry};
use std::sync::{Arc, Weak};

/// Pipeline and destination of the line for all removed lines.
pub(super) const REMOVED: &str = "(removed)";

#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: Vec<Entry>,
    /// The totals of lines that are final.
    removed: LedgerLine,
    /// Removed lines that somebody may still count in.
    leaving: Vec<Arc<Account>>,
    removed_shown: Vec<Registration>,
}

#[derive(Debug)]
struct Entry {
    account: Arc<Account>,
    /// [`Line`]s of the account. An account that was never a line stays for good.
    users: usize,
    shown: Vec<Registration>,
}

/// A line of the ledger in use, shown as a metric. Once the last one of an account is dropped, the line's totals go to the
/// line of all removed ones.
pub(crate) struct Line {
    account: Arc<Account>,
    ledger: Ledger,
    registry: Registry,
}

// === impl Lines ===

impl Lines {
    pub(super) fn account(&mut self, pipeline: &str, destination: &str) -> Arc<Account> {
        self.entry(pipeline, destination).account.clone()
    }

    /// The lines in the order of their making; the removed ones last, as one.
    pub(super) fn snapshot(&mut self) -> Vec<LedgerLine> {
        let lines = self.lines.iter().map(|entry| entry.account.line());
        let mut lines: Vec<_> = lines.collect();
        lines.extend(self.removed());
        lines
    }

    /// The sum of all removed lines, if anything was counted there.
    pub(super) fn removed(&mut self) -> Option<LedgerLine> {
        let Self { removed: total, leaving, .. } = self;
        leaving.retain(|account| {
            // Nobody else can count any more.
            let is_final = Arc::strong_count(account) == 1;
            if is_final {
                total.add(&account.line());
            }
            !is_final
        });
        let mut all = total.clone();
        leaving.iter().for_each(|account| all.add(&account.line()));
        if all == LedgerLine::default() {
            return None;
        }
        (all.pipeline, all.destination) = (REMOVED.into(), REMOVED.into());
        Some(all)
    }

    fn entry(&mut self, pipeline: &str, destination: &str) -> &mut Entry {
        let known = self.lines.iter().position(|entry| entry.account.is_of(pipeline, destination));
        let place = known.unwrap_or_else(|| {
            let account = Arc::new(Account::new(pipeline, destination));
            self.lines.push(Entry { account, users: 0, shown: Vec::new() });
            self.lines.len() - 1
        });
        &mut self.lines[place]
    }

    /// Takes a user from an account; returns what was shown of it, if that was the last one.
    fn leave(&mut self, account: &Arc<Account>) -> Vec<Registration> {
        let Some(place) = self.lines.iter().position(|entry| Arc::ptr_eq(&entry.account, account)) else {
            return Vec::new();
        };
        self.lines[place].users -= 1;
        if self.lines[place].users > 0 {
            return Vec::new();
        }
        let Entry { account, shown, .. } = self.lines.remove(place);
        self.leaving.push(account);
        shown
    }
}

// === impl Line ===

impl Line {
    /// The line of a pipeline and a destination: it goes on if it is in use.
    pub(crate) fn new(ledger: &Ledger, registry: &Registry, pipeline: &str, destination: &str) -> Self {
        let mut lines = ledger.0.lock();
        let entry = lines.entry(pipeline, destination);
        entry.users += 1;
        if entry.shown.is_empty() {
            let account = entry.account.clone();
            entry.shown = register_line(registry, pipeline, destination, move || account.line());
        }
        let account = entry.account.clone();
        drop(lines);
        Self { account, ledger: ledger.clone(), registry: registry.clone() }
    }

    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut lines = self.ledger.0.lock();
        let shown = lines.leave(&self.account);
        if lines.removed_shown.is_empty() && lines.removed().is_some() {
            let ledger = Arc::downgrade(&self.ledger.0);
            let read = move || {
                let removed = Weak::upgrade(&ledger).and_then(|lines| lines.lock().removed());
                removed.unwrap_or_default()
            };
            lines.removed_shown = register_line(&self.registry, REMOVED, REMOVED, read);
        }
        drop(lines);
        drop(shown);
    }
}
