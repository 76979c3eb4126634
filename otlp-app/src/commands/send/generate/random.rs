//! Numbers that look random and depend on a seed alone: SplitMix64.

/// A sequence of numbers.
pub(super) struct Random(u64);

impl Random {
    /// Starts the sequence of a list of numbers.
    pub(super) fn new(seeds: &[u64]) -> Self {
        let mut random = Self(0);
        for seed in seeds {
            random.0 ^= *seed;
            random.0 = random.next();
        }
        random
    }

    /// Returns the next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`; 0 if `limit` is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// Returns true in one of `of` cases.
    pub(super) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// Returns an id of a span.
    pub(super) fn span_id(&mut self) -> [u8; 8] {
        // An id of zeros is invalid.
        (self.next() | 1).to_be_bytes()
    }

    /// Returns an id of a trace.
    pub(super) fn trace_id(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next() | 1)).to_be_bytes()
    }
}
