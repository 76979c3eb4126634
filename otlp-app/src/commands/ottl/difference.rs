//! The difference between two requests, item by item.

use otlp_protocol::{Body, SplitLimits, json, parts};

/// Items that differ, in order.
pub(super) struct Difference(Vec<Pair>);

/// An item before and after; one of both is absent for an item that was removed or added.
struct Pair {
    before: Option<String>,
    after: Option<String>,
}

// === impl Difference ===

impl Difference {
    /// Compares a request with what is left of it. Items keep their order. Where items are missing, an item in front of an equal pair
    /// counts as removed; other items that differ in the same place count as changed.
    pub(super) fn of(before: &Body, after: Option<&Body>) -> Self {
        let (before, after) = (items(before), after.map(items).unwrap_or_default());
        let mut pairs = Vec::new();
        let (mut left, mut right) = (before.into_iter().peekable(), after.into_iter().peekable());
        let mut removed = left.len().saturating_sub(right.len());
        while let Some(item) = left.next() {
            if right.next_if_eq(&item).is_some() {
                continue;
            }
            let comes_later =
                || right.clone().next().is_none_or(|next| left.clone().any(|later| later == next));
            if removed > 0 && comes_later() {
                removed -= 1;
                pairs.push(Pair { before: Some(item), after: None });
            } else {
                pairs.push(Pair { before: Some(item), after: right.next() });
            }
        }
        pairs.extend(right.map(|item| Pair { before: None, after: Some(item) }));
        Self(pairs)
    }

    pub(super) fn changed(&self) -> u64 {
        self.count(|pair| pair.before.is_some() && pair.after.is_some())
    }

    pub(super) fn removed(&self) -> u64 {
        self.count(|pair| pair.after.is_none())
    }

    pub(super) fn added(&self) -> u64 {
        self.count(|pair| pair.before.is_none())
    }

    /// Returns up to `room` differences as lines.
    pub(super) fn text(&self, room: u64) -> String {
        let mut text = String::new();
        for pair in self.0.iter().take(usize::try_from(room).unwrap_or(usize::MAX)) {
            for (sign, item) in [('-', &pair.before), ('+', &pair.after)] {
                if let Some(item) = item {
                    text.push(sign);
                    text.push(' ');
                    text += item;
                    text.push('\n');
                }
            }
        }
        text
    }

    fn count(&self, is_it: impl Fn(&Pair) -> bool) -> u64 {
        self.0.iter().filter(|pair| is_it(pair)).count() as u64
    }
}

/// Returns each item as a request of its own in OTLP/JSON.
fn items(body: &Body) -> Vec<String> {
    let limits = SplitLimits { max_items: Some(1), max_bytes: None };
    parts(body, limits).filter_map(|part| json::to_string(&part.body).ok()).collect()
}
