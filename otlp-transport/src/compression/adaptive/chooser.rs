//! The choice among candidates for one destination, without I/O and without a clock: measurements and times are passed in.

use super::budget::ProbeBudget;
use super::candidate::{COUNT, Candidate};
use super::class::SizeClass;
use super::config::AdaptiveCompressionConfig;
use super::terms::{Measured, ratio};
use std::time::{Duration, Instant};

/// Chooses how bodies are compressed for one destination, by size class.
#[derive(Debug)]
pub(super) struct AdaptiveChooser {
    weights: AdaptiveCompressionConfig,
    compiled_in: [bool; COUNT],
    /// Standing of each encoding at the destination.
    encodings: [(&'static str, Standing); 3],
    classes: [SizeClass; CLASSES.len()],
    budget: ProbeBudget,
    /// True while a probe is measured: one at a time.
    is_probing: bool,
}

/// A choice for one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) class: usize,
    pub(super) candidate: Candidate,
    /// A candidate to measure on this body, too.
    pub(super) probe: Option<Candidate>,
    /// True if the class used another candidate for the body before.
    pub(super) is_switch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The destination has not answered to the encoding yet.
    Unknown,
    /// The destination has accepted a request of the encoding.
    Taken,
    Refused {
        until: Instant,
    },
}

// === impl AdaptiveChooser ===

impl AdaptiveChooser {
    /// A chooser among the candidates that are `compiled_in`.
    pub(super) fn new(weights: AdaptiveCompressionConfig, compiled_in: [bool; COUNT]) -> Self {
        let first = FIRST.into_iter().find(|&candidate| compiled_in[candidate as usize]);
        let first = first.unwrap_or(Candidate::Plain);
        Self {
            weights,
            compiled_in,
            encodings: ["gzip", "zstd", "br"].map(|encoding| (encoding, Standing::Unknown)),
            classes: std::array::from_fn(|_| SizeClass::new(first)),
            budget: ProbeBudget::new(),
            is_probing: false,
        }
    }

    /// Chooses for a body of `plain_len` bytes. A probe of the choice is to be [`probed`](Self::probed) or
    /// [given up](Self::probe_given_up).
    pub(super) fn choose(&mut self, plain_len: usize, now: Instant) -> Choice {
        self.forget_refusals(now);
        let class = size_class(plain_len);
        self.begin(class);
        let (allowed, is_link_bound) = (self.allowed(), self.is_link_bound(class));
        let state = &mut self.classes[class];
        let is_switch = state.is_stale && state.choose(&allowed, &self.weights, is_link_bound);
        self.budget.count();
        let mut next = || state.next_probe(&allowed, &self.weights, is_link_bound, &mut self.budget);
        let probe = if self.is_probing { None } else { next() };
        self.is_probing |= probe.is_some();
        Choice { class, candidate: state.chosen(), probe, is_switch }
    }

    /// Takes over the measurements of a probe: of the candidate that was chosen, and of the other candidate.
    pub(super) fn probed(&mut self, class: usize, plain_len: usize, used: &Measured, other: &Measured) {
        self.is_probing = false;
        if self.classes[class].probed(plain_len, used, other) {
            self.shift();
        }
    }

    /// Ends a probe without measurements.
    pub(super) fn probe_given_up(&mut self) {
        self.is_probing = false;
    }

    /// Takes over an attempt that the destination accepted.
    pub(super) fn accepted(&mut self, choice: &Choice, plain_len: usize, wire_len: usize, attempt: Duration) {
        if let Some(standing) = self.standing(choice.candidate) {
            *standing = Standing::Taken;
        }
        let allowed = self.allowed();
        let state = &mut self.classes[choice.class];
        if state.answered(choice.candidate, plain_len, ratio(plain_len, wire_len), attempt) {
            self.shift();
        }
        let state = &mut self.classes[choice.class];
        if choice.class >= FIRST_LARGE && state.judge_link(&allowed) {
            self.judge_again();
        }
    }

    /// Remembers that the destination refuses the encoding of `candidate`. Returns false if that is known already.
    pub(super) fn refused(&mut self, candidate: Candidate, now: Instant) -> bool {
        let Some(standing) = self.standing(candidate) else { return false };
        let was_refused = matches!(standing, Standing::Refused { .. });
        *standing = Standing::Refused { until: now + REFUSAL_MEMORY };
        self.judge_again();
        !was_refused
    }

    /// True if the destination has accepted a request of the encoding of `candidate`.
    pub(super) fn is_taken(&mut self, candidate: Candidate) -> bool {
        self.standing(candidate).is_none_or(|standing| *standing == Standing::Taken)
    }

    fn standing(&mut self, candidate: Candidate) -> Option<&mut Standing> {
        let encoding = candidate.encoding()?;
        self.encodings.iter_mut().find(|(name, _)| *name == encoding).map(|(_, standing)| standing)
    }

    /// Starts a class in which nothing is known with what is known of the nearest class.
    fn begin(&mut self, class: usize) {
        if self.classes[class].is_known() {
            return;
        }
        let known = (0..CLASSES.len()).filter(|&other| self.classes[other].is_known());
        if let Some(nearest) = known.min_by_key(|other| other.abs_diff(class))
            && let Ok([own, other]) = self.classes.get_disjoint_mut([class, nearest])
        {
            own.begin_like(other);
        }
    }

    fn forget_refusals(&mut self, now: Instant) {
        let mut has_changed = false;
        for (_, standing) in &mut self.encodings {
            if matches!(standing, Standing::Refused { until } if *until <= now) {
                *standing = Standing::Unknown;
                has_changed = true;
            }
        }
        if has_changed {
            self.judge_again();
        }
    }

    /// Has all classes measured again: other traffic comes in all sizes.
    fn shift(&mut self) {
        self.classes.iter_mut().for_each(SizeClass::shift);
    }

    fn judge_again(&mut self) {
        self.classes.iter_mut().for_each(|class| class.is_stale = true);
    }

    fn allowed(&self) -> [bool; COUNT] {
        Candidate::ALL.map(|candidate| {
            let is_refused = self.encodings.iter().any(|(name, standing)| {
                candidate.encoding() == Some(*name) && matches!(standing, Standing::Refused { .. })
            });
            self.compiled_in[candidate as usize] && !is_refused
        })
    }

    /// True if the link is the bottleneck for bodies of the class. Small bodies say little about the link: the judgement of
    /// the largest bodies holds for them.
    fn is_link_bound(&self, class: usize) -> bool {
        let own = self.classes[class].is_link_bound().filter(|_| class >= FIRST_LARGE);
        let of_large = || self.classes[FIRST_LARGE..].iter().rev().find_map(SizeClass::is_link_bound);
        own.or_else(of_large).unwrap_or(false)
    }
}

/// The class of bodies of that size.
fn size_class(plain_len: usize) -> usize {
    CLASSES.iter().position(|(_, end)| plain_len < *end).unwrap_or(CLASSES.len() - 1)
}

/// Names and ends of the size classes, in bytes before compression: powers of four.
pub(super) const CLASSES: [(&str, usize); 8] = [
    ("1KiB", 1 << 10),
    ("4KiB", 4 << 10),
    ("16KiB", 16 << 10),
    ("64KiB", 64 << 10),
    ("256KiB", 256 << 10),
    ("1MiB", 1 << 20),
    ("4MiB", 4 << 20),
    ("more", usize::MAX),
];
/// The first class of bodies that TCP does not send at once, in its initial window (RFC 6928: 14,600 bytes).
const FIRST_LARGE: usize = 3;
/// Until something is measured, the first of these that is compiled in: most destinations take gzip.
const FIRST: [Candidate; 3] = [Candidate::Gzip1, Candidate::Zstd1, Candidate::Brotli3];
/// A destination that refused an encoding may have been replaced after this time.
const REFUSAL_MEMORY: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests;
