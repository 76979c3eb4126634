//! Consistent hashing with bounded load: equal keys go to the same endpoint while the endpoint is not overloaded.

use super::{Candidate, LoadBalancingStrategy};
use std::sync::atomic::{AtomicU64, Ordering};

/// Sends requests with the same key to the same endpoint, in every process that knows the same endpoints. For receivers
/// that need all spans of a trace, or all data of a service.
///
/// Rendezvous hashing: each pair of key and endpoint has a score, and the endpoint with the highest score gets the key.
/// When an endpoint leaves, only its keys move, in equal parts to the other endpoints; an endpoint that joins takes a
/// share from each. No table has to be built or replicated; a pick looks at every candidate once.
///
/// The bound: a busy endpoint gets at most `load_factor` times its share of the requests in flight; requests beyond the
/// bound go to the key's next endpoint. An endpoint with fewer than [`BUSY_REQUESTS`](Self::BUSY_REQUESTS) requests in
/// flight is not busy, so that two concurrent requests do not move a key.
#[derive(Debug)]
pub struct ConsistentHashStrategy {
    load_factor: f64,
    /// The next key for requests without a key.
    next_key: AtomicU64,
}

// === impl ConsistentHashStrategy ===

impl ConsistentHashStrategy {
    /// Requests in flight that every endpoint may have, whatever its share.
    pub const BUSY_REQUESTS: u64 = 16;

    /// Default load factor.
    pub const LOAD_FACTOR: f64 = 1.25;

    /// Bounds a busy endpoint to `load_factor` times its share of the requests in flight. Values below 1 count as 1.
    pub fn new(load_factor: f64) -> Self {
        Self { load_factor: load_factor.max(1.0), next_key: AtomicU64::new(0) }
    }
}

impl Default for ConsistentHashStrategy {
    fn default() -> Self {
        Self::new(Self::LOAD_FACTOR)
    }
}

impl LoadBalancingStrategy for ConsistentHashStrategy {
    fn name(&self) -> &'static str {
        "consistent_hash"
    }

    fn pick(&self, candidates: &[Candidate], key: Option<u64>) -> Option<usize> {
        let key = key.unwrap_or_else(|| self.next_key.fetch_add(1, Ordering::Relaxed));
        let shares = Shares::of(candidates);
        let open = |candidate: &Candidate| candidate.in_flight < shares.bound(candidate, self.load_factor);
        // Without rounding some candidate is always below a bound above the mean.
        highest(key, candidates, shares.alike, open)
            .or_else(|| highest(key, candidates, shares.alike, |_| true))
    }
}

/// Returns the candidate with the highest score among the candidates that are `open`.
fn highest(
    key: u64,
    candidates: &[Candidate],
    alike: bool,
    open: impl Fn(&Candidate) -> bool,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| open(candidate)) {
        let score = score(key, candidate, alike);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((index, score));
        }
    }
    best.map(|(index, _)| index)
}

/// Sums over all candidates.
struct Shares {
    in_flight: u64,
    weight: u64,
    /// True if all weights are equal.
    alike: bool,
}

// === impl Shares ===

impl Shares {
    fn of(candidates: &[Candidate]) -> Self {
        let mut shares = Self { in_flight: 0, weight: 0, alike: true };
        let first = candidates.first().map_or(1, |first| first.weight);
        for candidate in candidates {
            shares.in_flight = shares.in_flight.saturating_add(candidate.in_flight);
            shares.weight += u64::from(candidate.weight.max(1));
            shares.alike &= candidate.weight == first;
        }
        shares
    }

    /// Returns the requests that the candidate may have in flight, including the request to be sent.
    fn bound(&self, candidate: &Candidate, factor: f64) -> u64 {
        let share = f64::from(candidate.weight.max(1)) / self.weight.max(1) as f64;
        let bound = factor * (self.in_flight as f64 + 1.0) * share;
        (bound.ceil() as u64).max(ConsistentHashStrategy::BUSY_REQUESTS)
    }
}

/// Hashes the bytes of a key. The hash is the same in every process and version.
pub fn hash_key(bytes: &[u8]) -> u64 {
    let seed = mix(bytes.len() as u64);
    bytes.chunks(8).fold(seed, |hash, chunk| {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        mix(hash ^ u64::from_le_bytes(word))
    })
}

/// Weighted rendezvous hashing: of n exponentially distributed numbers with rates `weight`, each is the smallest with a
/// probability in proportion to its rate. With equal weights the logarithm does not change the order.
fn score(key: u64, candidate: &Candidate, alike: bool) -> f64 {
    let hash = mix(mix(key) ^ candidate.id);
    // 53 bits, the precision of f64; never 0.
    let uniform = ((hash >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    if alike { uniform } else { uniform.ln() / f64::from(candidate.weight.max(1)) }
}

/// The finalizer of splitmix64: each bit of the input changes about half of the output's bits.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
