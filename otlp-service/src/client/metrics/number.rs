//! Types of measured values. All are kept as 64 bits in an atomic cell.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A type of measured values: `u64`, `i64` or `f64`.
pub trait Number: sealed::Cell {}

/// Values of counters and histograms: `u64` or `f64`.
pub trait Unsigned: Number {}

/// Values of up-down counters: `i64` or `f64`.
pub trait Signed: Number {}

pub(super) mod sealed {
    use super::{AtomicU64, NumberKind};

    /// Conversions between values and cells.
    pub trait Cell: Copy + Send + Sync + 'static {
        /// Type of the value.
        const KIND: NumberKind;

        /// Bits of the value, as a cell has them.
        fn bits(self) -> u64;

        /// The nearest double.
        fn as_f64(self) -> f64;

        /// True if the value is below zero.
        fn is_negative(self) -> bool;

        /// Adds the value to a cell. If `is_alone`, no other thread writes to a cell of integers.
        fn add_to(self, cell: &AtomicU64, is_alone: bool);
    }
}

/// Type of the values of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// `f64`.
    Double,
    /// `i64`.
    Signed,
    /// `u64`.
    Unsigned,
}

// === impl NumberKind ===

impl NumberKind {
    /// Adds two values, given as bits. Sums of integers wrap.
    pub(super) fn sum(self, one: u64, other: u64) -> u64 {
        match self {
            Self::Double => (f64::from_bits(one) + f64::from_bits(other)).to_bits(),
            Self::Signed | Self::Unsigned => one.wrapping_add(other),
        }
    }

    /// Subtracts an earlier value of a counter. A counter that became smaller has started again from zero.
    pub(super) fn increase(self, now: u64, before: u64) -> u64 {
        match self {
            Self::Double => {
                let (now, before) = (f64::from_bits(now), f64::from_bits(before));
                if now < before { now.to_bits() } else { (now - before).to_bits() }
            }
            Self::Signed | Self::Unsigned => now.checked_sub(before).unwrap_or(now),
        }
    }

    /// True if the bits are those of zero.
    pub(super) fn is_zero(self, bits: u64) -> bool {
        match self {
            Self::Double => f64::from_bits(bits) == 0.0,
            Self::Signed | Self::Unsigned => bits == 0,
        }
    }
}

impl fmt::Display for NumberKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Double => "f64",
            Self::Signed => "i64",
            Self::Unsigned => "u64",
        })
    }
}

// === impl Number ===

impl Number for u64 {}
impl Number for i64 {}
impl Number for f64 {}
impl Unsigned for u64 {}
impl Unsigned for f64 {}
impl Signed for i64 {}
impl Signed for f64 {}

impl sealed::Cell for u64 {
    const KIND: NumberKind = NumberKind::Unsigned;

    #[inline]
    fn bits(self) -> u64 {
        self
    }

    #[inline]
    fn as_f64(self) -> f64 {
        self as f64
    }

    #[inline]
    fn is_negative(self) -> bool {
        false
    }

    #[inline]
    fn add_to(self, cell: &AtomicU64, is_alone: bool) {
        if is_alone {
            cell.store(cell.load(Relaxed).wrapping_add(self), Relaxed);
        } else {
            cell.fetch_add(self, Relaxed);
        }
    }
}

impl sealed::Cell for i64 {
    const KIND: NumberKind = NumberKind::Signed;

    #[inline]
    fn bits(self) -> u64 {
        self as u64
    }

    #[inline]
    fn as_f64(self) -> f64 {
        self as f64
    }

    #[inline]
    fn is_negative(self) -> bool {
        self < 0
    }

    #[inline]
    fn add_to(self, cell: &AtomicU64, is_alone: bool) {
        sealed::Cell::add_to(self as u64, cell, is_alone);
    }
}

impl sealed::Cell for f64 {
    const KIND: NumberKind = NumberKind::Double;

    #[inline]
    fn bits(self) -> u64 {
        self.to_bits()
    }

    #[inline]
    fn as_f64(self) -> f64 {
        self
    }

    #[inline]
    fn is_negative(self) -> bool {
        self < 0.0
    }

    #[inline]
    fn add_to(self, cell: &AtomicU64, _: bool) {
        let mut bits = cell.load(Relaxed);
        while let Err(now) =
            cell.compare_exchange_weak(bits, (f64::from_bits(bits) + self).to_bits(), Relaxed, Relaxed)
        {
            bits = now;
        }
    }
}
