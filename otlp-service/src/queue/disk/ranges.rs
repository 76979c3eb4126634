//! Sets of sequence numbers, as ranges.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of numbers. Its size is that of its ranges: the gaps in it are the records that are being delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds the numbers of `range`.
    pub(super) fn insert(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if start >= end {
            return;
        }
        if let Some((&before, &until)) = self.0.range(..start).next_back()
            && until >= start
        {
            (start, end) = (before, end.max(until));
        }
        while let Some((&other, &until)) = self.0.range(start..=end).next() {
            end = end.max(until);
            self.0.remove(&other);
        }
        self.0.insert(start, end);
    }

    /// Removes the numbers of `range`.
    pub(super) fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let before = self.0.range(..range.start).next_back().filter(|(_, until)| **until > range.start);
        let from = before.map_or(range.start, |(&start, _)| start);
        let met: Vec<_> = self.0.range(from..range.end).map(|(&start, &end)| start..end).collect();
        for met in met {
            self.0.remove(&met.start);
            self.insert(met.start..range.start);
            self.insert(range.end..met.end);
        }
    }

    /// True if no number is in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if `number` is in the set.
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, &until)| until > number)
    }

    /// True if all numbers of `range` are in the set.
    pub(super) fn covers(&self, range: &Range<u64>) -> bool {
        let around = self.0.range(..=range.start).next_back();
        range.is_empty() || around.is_some_and(|(_, &until)| until >= range.end)
    }

    /// True if a number of `range` is in the set.
    pub(super) fn meets(&self, range: &Range<u64>) -> bool {
        let last = self.0.range(..range.end).next_back();
        !range.is_empty() && last.is_some_and(|(_, &until)| until > range.start)
    }

    /// Returns the number behind the greatest in the set; 0 for an empty set.
    pub(super) fn end(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(_, &until)| until)
    }

    /// Returns the ranges, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.0.iter().map(|(&start, &end)| start..end)
    }

    /// Returns the ranges of `within` that are in the set, at most `max` of them.
    pub(super) fn part(&self, within: Range<u64>, max: usize) -> Self {
        let mut part = Self::default();
        if within.is_empty() {
            return part;
        }
        let from = self.0.range(..=within.start).next_back().map_or(within.start, |(&start, _)| start);
        for (&start, &end) in self.0.range(from..within.end).filter(|(_, end)| **end > within.start).take(max)
        {
            part.0.insert(start.max(within.start), end.min(within.end));
        }
        part
    }

    /// Returns the least number in the set; `None` for an empty set.
    pub(super) fn start(&self) -> Option<u64> {
        self.0.first_key_value().map(|(&start, _)| start)
    }

    /// Returns the ranges of `within` that are not in the set.
    pub(super) fn gaps(&self, within: Range<u64>) -> Vec<Range<u64>> {
        let (mut gaps, mut from) = (Vec::new(), within.start);
        if within.is_empty() {
            return gaps;
        }
        let around = self.0.range(..=within.start).next_back().map_or(within.start, |(&start, _)| start);
        for (&start, &end) in self.0.range(around..within.end) {
            if start > from {
                gaps.push(from..start);
            }
            from = from.max(end);
        }
        if from < within.end {
            gaps.push(from..within.end);
        }
        gaps
    }
}

impl From<Range<u64>> for Ranges {
    fn from(range: Range<u64>) -> Self {
        let mut ranges = Self::default();
        ranges.insert(range);
        ranges
    }
}

#[cfg(test)]
mod tests;
