//! Probabilities, thresholds and randomness of 56 bits, in the arithmetic of the Collector.

/// A number of 56 bits that an item has at random: an item is sampled if it is not below the threshold.
pub(super) type Randomness = u64;

/// The number of randomness values, of 2^56, that are not sampled.
pub(super) type Threshold = u64;

/// Threshold of a sampler that keeps all.
pub(super) const ALWAYS: Threshold = 0;
/// Threshold of a sampler that keeps nothing: no randomness reaches it.
pub(super) const NEVER: Threshold = 1 << 56;
/// Randomness that every threshold but [`NEVER`] samples.
pub(super) const LARGEST: Randomness = NEVER - 1;
/// Hexadecimal digits of a randomness, and the most of a threshold.
pub(super) const DIGITS: u32 = 14;
/// The least probability: 2^-56.
pub(super) const MIN_PROBABILITY: f64 = 1.0 / NEVER as f64;

/// Returns the threshold of a probability, rounded to `precision` significant digits; `None` if the probability is not between
/// 2^-56 and 1.
pub(super) fn threshold_of(probability: f64, precision: u32) -> Option<Threshold> {
    if !(MIN_PROBABILITY..=1.0).contains(&probability) {
        return None;
    }
    if probability == 1.0 {
        return Some(ALWAYS);
    }
    // Each leading `0` or `f` takes another digit, so that the relative error is the same near 0 and near 1.
    let leading = leading_digits(probability).max(leading_digits(1.0 - probability));
    let threshold = NEVER - (probability * NEVER as f64).round() as u64;
    let dropped_bits = 4 * (DIGITS - (precision + leading).min(DIGITS));
    if dropped_bits == 0 {
        return Some(threshold);
    }
    let half = 1 << (dropped_bits - 1);
    Some((threshold + half) >> dropped_bits << dropped_bits)
}

/// Returns the number of hexadecimal zeros behind the point of a fraction. `fraction` is a normal number.
fn leading_digits(fraction: f64) -> u32 {
    // The exponent of the form m·2^e with ½ ≤ m < 1.
    let exponent = (fraction.to_bits() >> 52 & 0x7ff) as i32 - 1022;
    (-exponent / 4).max(0) as u32
}

/// Returns the probability of a threshold.
pub(super) fn probability_of(threshold: Threshold) -> f64 {
    (NEVER - threshold) as f64 / NEVER as f64
}

/// Writes a threshold below [`NEVER`] without trailing zeros.
pub(super) fn put_threshold(threshold: Threshold, out: &mut String) {
    if threshold == ALWAYS {
        out.push('0');
        return;
    }
    put_randomness(threshold, out);
    out.truncate(out.trim_end_matches('0').len());
}

/// Writes a randomness with all digits.
pub(super) fn put_randomness(randomness: Randomness, out: &mut String) {
    let digit = |shift: u32| char::from(b"0123456789abcdef"[(randomness >> (4 * shift) & 15) as usize]);
    out.extend((0..DIGITS).rev().map(digit));
}

/// Reads a threshold; trailing zeros may be left out.
pub(super) fn read_threshold(text: &str) -> Option<Threshold> {
    let missing = (DIGITS as usize).checked_sub(text.len())?;
    Some(hex(text)? << (4 * missing))
}

/// Reads a randomness.
pub(super) fn read_randomness(text: &str) -> Option<Randomness> {
    if text.len() == DIGITS as usize { hex(text) } else { None }
}

fn hex(text: &str) -> Option<u64> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u64::from_str_radix(text, 16).ok() } else { None }
}

/// Returns the randomness of a trace id: its last seven bytes.
pub(super) fn of_trace_id(id: &[u8; 16]) -> Randomness {
    u128::from_be_bytes(*id) as u64 & LARGEST
}

/// The hash of the mode `hash_seed`: FNV-1a of 32 bits, of the seed and of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash {
    seeded: u32,
}

// === impl Hash ===

impl Hash {
    pub(super) fn new(seed: u32) -> Self {
        Self { seeded: fnv(FNV_OFFSET, &seed.to_le_bytes()) }
    }

    /// Returns the randomness of bytes. Its first 14 bits decide; they are those of the hash, the other way round.
    pub(super) fn randomness(self, bytes: &[u8]) -> Randomness {
        let hash = fnv(self.seeded, bytes);
        let decisive = u64::from(hash) & (BUCKETS - 1);
        let rest = u64::from(hash >> (u32::BITS - BUCKET_BITS));
        let mixed = rest ^ rest << 10;
        (BUCKETS - 1 - decisive) << 42 | mixed << BUCKET_BITS | decisive
    }
}

fn fnv(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME))
}

/// Returns the threshold of a percentage in the mode `hash_seed`; `None` if the percentage keeps nothing. The product has 32 bits and is
/// rounded down, as in the Collector.
pub(super) fn hash_threshold(percentage: f32) -> Option<Threshold> {
    let kept = (percentage.min(100.0) * (BUCKETS as f64 / 100.0) as f32) as u64;
    (kept > 0).then(|| BUCKETS.saturating_sub(kept) << 42)
}

const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;
const BUCKET_BITS: u32 = 14;
const BUCKETS: u64 = 1 << BUCKET_BITS;
