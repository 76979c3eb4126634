//! Knowledge about the candidates for bodies of one size class, and the candidate in use.
//!
//! A *probe* measures the candidate in use and another candidate on one body. Only the difference of the two is taken over
//! from it: bodies differ more than candidates do. The ratio of the candidate in use is known from every request, and moves
//! the ratios of all candidates. When the ratio jumps, or the difference of two ratios does, the traffic has shifted, and
//! the candidates are measured again.

use super::budget::ProbeBudget;
use super::candidate::{COUNT, Candidate};
use super::config::AdaptiveCompressionConfig;
use super::terms::{Measured, Terms};
use std::time::Duration;

/// State of one size class.
#[derive(Debug)]
pub(super) struct SizeClass {
    estimates: [Estimate; COUNT],
    chosen: Candidate,
    /// True if the choice must be made anew.
    pub(super) is_stale: bool,
    probes: u32,
    /// Probes that are to be made as soon as possible.
    urgent_probes: u32,
    /// Ratio of the last few requests.
    recent_ratio: f64,
    /// Requests until changes of the ratio count again, after a shift.
    settling: u32,
    /// Average difference of a request's ratio from the estimate.
    deviation: f64,
    /// Averages of the requests: nanoseconds of their attempts, and plain bytes.
    attempt_ns: f64,
    plain_len: f64,
    has_attempts: bool,
    is_link_bound: bool,
}

/// Knowledge about a candidate.
#[derive(Clone, Copy, Debug, Default)]
struct Estimate {
    terms: Terms,
    is_known: bool,
    /// Measurements since the traffic shifted.
    measurements: u32,
    /// Average surprise about its ratio.
    deviation: f64,
    /// Number of the last probe that measured it.
    last_probe: u32,
}

// === impl SizeClass ===

impl SizeClass {
    /// A class in which nothing is known, which begins with `first`.
    pub(super) fn new(first: Candidate) -> Self {
        let mut estimates = [Estimate::default(); COUNT];
        // Without compression all terms are 1, and their logarithms 0.
        estimates[Candidate::Plain as usize].is_known = true;
        Self {
            estimates,
            chosen: first,
            is_stale: true,
            probes: 0,
            urgent_probes: 0,
            recent_ratio: 0.0,
            settling: 0,
            deviation: 0.0,
            attempt_ns: 0.0,
            plain_len: 0.0,
            has_attempts: false,
            is_link_bound: false,
        }
    }

    pub(super) fn chosen(&self) -> Candidate {
        self.chosen
    }

    /// True if a candidate that compresses has been measured.
    pub(super) fn is_known(&self) -> bool {
        self.estimates[1..].iter().any(|estimate| estimate.is_known)
    }

    /// True if a candidate has been measured since the traffic shifted.
    fn is_measured(&self) -> bool {
        self.estimates.iter().any(|estimate| estimate.measurements > 0)
    }

    /// Begins with what is known of bodies of another size, until these are measured.
    pub(super) fn begin_like(&mut self, other: &Self) {
        (self.estimates, self.chosen) = (other.estimates, other.chosen);
        self.recent_ratio = self.estimates[self.chosen as usize].terms.ratio;
        self.shift();
    }

    /// True if attempts take so long that thorough compression hardly matters; `None` before the first attempt.
    pub(super) fn is_link_bound(&self) -> Option<bool> {
        self.has_attempts.then_some(self.is_link_bound)
    }

    /// Makes the choice anew among `allowed`. Returns true if another candidate than before is chosen.
    pub(super) fn choose(
        &mut self,
        allowed: &[bool; COUNT],
        weights: &AdaptiveCompressionConfig,
        is_link_bound: bool,
    ) -> bool {
        self.is_stale = false;
        let is_usable =
            |candidate: Candidate| allowed[candidate as usize] && self.estimates[candidate as usize].is_known;
        let usable = || Candidate::ALL.into_iter().filter(|&candidate| is_usable(candidate));
        let terms = |candidate: Candidate| self.estimates[candidate as usize].terms;
        let best = self.best(allowed);
        // The smallest ratio that a slow link permits. Bodies are compressed there even if they do not shrink, so that a shift
        // of the traffic shows at once.
        let least =
            if is_link_bound { self.reference(allowed).ratio - LINK_MARGIN } else { f64::NEG_INFINITY };
        let may_be_plain = !is_link_bound || usable().all(|candidate| candidate == Candidate::Plain);
        let score = |candidate: Candidate| terms(candidate).score(best, weights);
        let fits = |&candidate: &Candidate| {
            terms(candidate).ratio >= least && (may_be_plain || candidate != Candidate::Plain)
        };
        let first = usable().filter(fits).max_by(|&a, &b| score(a).total_cmp(&score(b)));
        let Some(first) = first else { return false };
        // A candidate that is in use and not yet measured stays until it is.
        let is_new = allowed[self.chosen as usize] && !self.estimates[self.chosen as usize].is_known;
        let is_as_good =
            is_usable(self.chosen) && fits(&self.chosen) && score(self.chosen) >= STAY_ABOVE * score(first);
        if first == self.chosen || is_new || is_as_good {
            return false;
        }
        self.chosen = first;
        self.recent_ratio = terms(first).ratio;
        true
    }

    /// Returns the candidate to measure on a request's body, if it is time for a probe: those that are to be measured anew,
    /// the most promising first, then all in turns.
    pub(super) fn next_probe(
        &self,
        allowed: &[bool; COUNT],
        weights: &AdaptiveCompressionConfig,
        is_link_bound: bool,
        budget: &mut ProbeBudget,
    ) -> Option<Candidate> {
        let may_gain = |candidate: &Candidate| {
            *candidate != Candidate::Plain && *candidate != self.chosen && allowed[*candidate as usize]
        };
        let estimate = |candidate: Candidate| self.estimates[candidate as usize];
        let others = || Candidate::ALL.into_iter().rev().filter(may_gain);
        let is_urgent = |&candidate: &Candidate| self.urgent_probes > 0 || !estimate(candidate).is_known;
        if !budget.is_due() && !others().any(|candidate| is_urgent(&candidate)) {
            return None;
        }
        let best = self.best(allowed);
        let score = |candidate: Candidate| match estimate(candidate).is_known {
            true => estimate(candidate).terms.score(best, weights),
            false => f64::INFINITY,
        };
        // Few measurements count for the candidate, so that each gets some.
        let promise = |candidate: Candidate| {
            score(candidate) + UNKNOWN_WORTH / f64::from(estimate(candidate).measurements + 1)
        };
        let urgent = others().filter(is_urgent).max_by(|&a, &b| promise(a).total_cmp(&promise(b)));
        let in_turn = || others().min_by_key(|&candidate| estimate(candidate).last_probe);
        // On a slow link the choice depends on the size that gzip 6 makes.
        let reference = Some(Candidate::Gzip6)
            .filter(may_gain)
            .filter(|&gzip| is_link_bound && estimate(gzip).measurements < REFERENCE_MEASUREMENTS);
        let urgent = urgent.map(|urgent| reference.unwrap_or(urgent));
        let next = urgent.or(reference).or_else(in_turn)?;
        budget.take(urgent.is_some()).then_some(next)
    }

    /// Takes over a probe: two candidates on one body, the first of which was in use. Returns true if the traffic has
    /// shifted.
    pub(super) fn probed(&mut self, plain_len: usize, used: &Measured, other: &Measured) -> bool {
        self.probes = self.probes.wrapping_add(1);
        self.is_stale = true;
        let [used_terms, other_terms] = [used, other].map(|measured| Terms::of(plain_len, measured));
        let [known_used, known_other] =
            [used, other].map(|measured| self.estimates[measured.candidate as usize]);
        // Where the other candidate was expected on this body.
        let expected = known_other.terms.moved(known_used.terms, used_terms, 1.0);
        let surprise = (expected.ratio - other_terms.ratio).abs();
        let is_surprise =
            known_used.is_known && known_other.is_known && surprise > JUMP.max(2.0 * known_other.deviation);
        // What was taken over from another class says nothing about a shift.
        let has_shifted = is_surprise && self.is_measured();
        let deviation = &mut self.estimates[other.candidate as usize].deviation;
        *deviation += PROBE_DEVIATION_GAIN * (surprise - *deviation);
        self.urgent_probes = self.urgent_probes.saturating_sub(1);
        if is_surprise {
            self.shift();
        }
        if used.candidate == Candidate::Plain {
            match self.is_measured() {
                true => self.learn(other.candidate, other_terms),
                false => self.learn_for_all(other.candidate, other_terms),
            }
            return has_shifted;
        }
        self.learn_for_all(used.candidate, used_terms);
        if !known_used.is_known && used.candidate == self.chosen {
            self.recent_ratio = used_terms.ratio;
        }
        let used_now = self.estimates[used.candidate as usize].terms;
        self.learn(other.candidate, used_now.moved(used_terms, other_terms, 1.0));
        has_shifted
    }

    /// Takes over what a request shows: the ratio of the candidate in use, and the time of an attempt. Returns true if the
    /// traffic has shifted.
    pub(super) fn answered(
        &mut self,
        candidate: Candidate,
        plain_len: usize,
        ratio: f64,
        attempt: Duration,
    ) -> bool {
        let attempt_ns = attempt.as_nanos() as f64;
        if self.has_attempts {
            self.attempt_ns += ATTEMPT_GAIN * (attempt_ns - self.attempt_ns);
            self.plain_len += ATTEMPT_GAIN * (plain_len as f64 - self.plain_len);
        } else {
            (self.attempt_ns, self.plain_len, self.has_attempts) = (attempt_ns, plain_len as f64, true);
        }
        let estimate = self.estimates[candidate as usize];
        if candidate == Candidate::Plain || candidate != self.chosen || !estimate.is_known {
            return false;
        }
        let is_settling = self.settling > 0;
        self.settling = self.settling.saturating_sub(1);
        self.recent_ratio += RECENT_GAIN * (ratio - self.recent_ratio);
        let gain = if is_settling { SETTLING_GAIN } else { DEVIATION_GAIN };
        self.deviation += gain * ((ratio - estimate.terms.ratio).abs() - self.deviation);
        let change = (self.recent_ratio - estimate.terms.ratio).abs();
        let has_jumped = !is_settling && change > JUMP.max(self.deviation);
        let target = Terms { ratio: self.recent_ratio, ..estimate.terms };
        let gain = match (has_jumped, is_settling) {
            (true, _) => 1.0,
            (_, true) => SETTLING_GAIN,
            _ => LEVEL_GAIN,
        };
        let after = estimate.terms.moved(estimate.terms, target, gain);
        self.estimates[candidate as usize].terms = after;
        self.move_others(candidate, estimate.terms, after);
        if has_jumped {
            self.shift();
        }
        has_jumped
    }

    /// Judges if the link is the bottleneck: compression as thorough as gzip's at level 6 would take less than a fourth of an
    /// attempt. Returns true if the judgement is another than before.
    pub(super) fn judge_link(&mut self, allowed: &[bool; COUNT]) -> bool {
        let thorough_ns = self.plain_len * self.reference(allowed).compress_ns();
        let factor = if self.is_link_bound { UNBOUND_BELOW } else { BOUND_ABOVE };
        let is_link_bound = thorough_ns > 0.0 && self.attempt_ns >= factor * thorough_ns;
        let has_changed = is_link_bound != self.is_link_bound;
        self.is_link_bound = is_link_bound;
        self.is_stale |= has_changed;
        has_changed
    }

    /// Returns the best of each term.
    fn best(&self, allowed: &[bool; COUNT]) -> Terms {
        let known =
            self.estimates.iter().zip(allowed).filter(|(estimate, allowed)| estimate.is_known && **allowed);
        known.map(|(estimate, _)| estimate.terms).reduce(Terms::max).unwrap_or_default()
    }

    /// Returns the terms of gzip at level 6, or of the candidate with the best ratio if that is not known.
    fn reference(&self, allowed: &[bool; COUNT]) -> Terms {
        let gzip = self.estimates[Candidate::Gzip6 as usize];
        if gzip.is_known && allowed[Candidate::Gzip6 as usize] {
            return gzip.terms;
        }
        let known =
            self.estimates.iter().zip(allowed).filter(|(estimate, allowed)| estimate.is_known && **allowed);
        let smallest = known.max_by(|(a, _), (b, _)| a.terms.ratio.total_cmp(&b.terms.ratio));
        smallest.map_or_else(Terms::default, |(estimate, _)| estimate.terms)
    }

    /// Has the candidates measured again, the most promising soon.
    pub(super) fn shift(&mut self) {
        self.is_stale = true;
        self.urgent_probes = URGENT_PROBES;
        self.settling = SETTLING_REQUESTS;
        for estimate in &mut self.estimates {
            estimate.measurements = 0;
        }
    }

    /// Moves a candidate's estimate towards a measurement: the first after a shift replaces it.
    fn learn(&mut self, candidate: Candidate, measured: Terms) {
        let estimate = &mut self.estimates[candidate as usize];
        let gain = (1.0 / f64::from(estimate.measurements + 1)).max(LEAST_GAIN);
        estimate.terms =
            if estimate.is_known { estimate.terms.moved(estimate.terms, measured, gain) } else { measured };
        estimate.is_known = true;
        estimate.measurements = estimate.measurements.saturating_add(1);
        estimate.last_probe = self.probes;
    }

    /// As [`learn`](Self::learn), and moves the other candidates by as much.
    fn learn_for_all(&mut self, candidate: Candidate, measured: Terms) {
        let before = self.estimates[candidate as usize];
        self.learn(candidate, measured);
        if before.is_known {
            self.move_others(candidate, before.terms, self.estimates[candidate as usize].terms);
        }
    }

    /// Moves all other compressing candidates by as much as `candidate` has moved.
    fn move_others(&mut self, candidate: Candidate, from: Terms, to: Terms) {
        for other in Candidate::ALL {
            if other != candidate && other != Candidate::Plain {
                let estimate = &mut self.estimates[other as usize];
                estimate.terms = estimate.terms.moved(from, to, 1.0);
            }
        }
    }
}

/// Probes of a class soon after a shift.
const URGENT_PROBES: u32 = 6;
/// Measurements of gzip 6 on a slow link, before others are measured.
const REFERENCE_MEASUREMENTS: u32 = 3;
/// Added to the score of a candidate that is not measured yet, when the next to measure is looked for.
const UNKNOWN_WORTH: f64 = 0.1;
/// A change of the ratio by a factor of 1.3 means that the traffic has shifted, unless ratios differ that much all the time.
const JUMP: f64 = 0.25;
/// Weight of one request in the recent ratio.
const RECENT_GAIN: f64 = 1.0 / 16.0;
/// Requests after a shift in which the averages follow quickly.
const SETTLING_REQUESTS: u32 = 32;
const SETTLING_GAIN: f64 = 0.2;
/// Weight of one request in the deviation of ratios.
const DEVIATION_GAIN: f64 = 1.0 / 32.0;
/// Weight of one probe in the deviation of ratios.
const PROBE_DEVIATION_GAIN: f64 = 0.25;
/// Weight of the recent ratio in the estimate at each request.
const LEVEL_GAIN: f64 = 1.0 / 16.0;
/// Weight of one attempt in the average time.
const ATTEMPT_GAIN: f64 = 1.0 / 16.0;
/// Weight of one measurement of a candidate that was measured often.
const LEAST_GAIN: f64 = 0.3;
/// A candidate stays in use while its score is not more than 2 % below the best.
const STAY_ABOVE: f64 = 0.98;
/// On a slow link, a candidate may be 5 % larger than gzip at level 6. The bound is 10 %, and estimates err.
const LINK_MARGIN: f64 = 0.05;
const BOUND_ABOVE: f64 = 4.0;
const UNBOUND_BELOW: f64 = 3.0;
