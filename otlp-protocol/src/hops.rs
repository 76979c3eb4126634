//! The receivers that a batch has been at: how a forwarding loop ends.
//!
//! Each receiver has a random id. A batch carries the ids of the receivers it has been at, also in other processes: a
//! request names them in the header [`HOPS_HEADER`]. A receiver refuses a request that names its own id. Of a joined batch
//! the ids are those of all its requests, the nearest [`MAX_HOPS`] of them.

use crate::Charge;
use bytes::Bytes;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

/// The id of a receiver: random, so that no sender can guess the id of a receiver that it does not send for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HopId(u64);

/// Ids of receivers, the nearest last: at most [`MAX_HOPS`]. Comparing leaves out the charge.
#[derive(Debug, Default)]
pub struct Hops {
    ids: Vec<HopId>,
    text: OnceLock<Bytes>,
    charge: Option<Arc<Charge>>,
}

/// The header, and the gRPC metadata, that names the receivers a request has been at: ids of 16 hexadecimal digits,
/// separated by commas, the nearest last.
pub const HOPS_HEADER: &str = "otlp-hops";

/// Ids that a batch carries: of more, those that are the farthest away go.
pub const MAX_HOPS: usize = 16;

// === impl HopId ===

impl HopId {
    /// A new id.
    pub fn random() -> Self {
        // Keys of the system's randomness, by which SipHash cannot be foreseen.
        Self(RandomState::new().hash_one(HOPS_HEADER))
    }

    /// The id of a text of 16 hexadecimal digits.
    fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != ID_DIGITS || !text.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok().map(Self)
    }
}

impl fmt::Display for HopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for HopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl Hops ===

impl Hops {
    /// Memory that ids read from a request take at most, also after they were joined with others, in bytes: what a receiver
    /// charges.
    pub const MEMORY: u64 = (size_of::<Self>() + MAX_HOPS * (size_of::<HopId>() + ID_DIGITS + 1) + 64) as u64;

    /// The one receiver `id`.
    pub fn of(id: HopId) -> Self {
        Self { ids: vec![id], ..Self::default() }
    }

    /// Reads the values of the header, in order; what is not an id is left out. `None` if `id` is among the ids, else the
    /// ids with `id` after them. Holds `charge` until the last list that was made of this one drops.
    ///
    /// ```
    /// use otlp_protocol::{Charge, HopId, Hops};
    ///
    /// let (first, second) = (HopId::random(), HopId::random());
    /// let header = Hops::of(first).text();
    /// assert!(Hops::read([&*header], first, Charge::none()).is_none());
    /// let hops = Hops::read([&*header], second, Charge::none()).unwrap();
    /// assert_eq!(hops.text(), format!("{first},{second}"));
    /// ```
    pub fn read<'a>(values: impl IntoIterator<Item = &'a [u8]>, id: HopId, charge: Charge) -> Option<Self> {
        let parts = values.into_iter().flat_map(|value| value.split(|&byte| byte == b','));
        let mut ids: Vec<HopId> = Vec::with_capacity(MAX_HOPS);
        for known in parts.filter_map(|part| HopId::parse(part.trim_ascii())) {
            if known == id {
                return None;
            }
            if ids.len() == MAX_HOPS - 1 {
                ids.remove(0);
            }
            ids.push(known);
        }
        ids.push(id);
        Some(Self { ids, text: OnceLock::new(), charge: Some(Arc::new(charge)) })
    }

    /// The ids of two batches that are joined, by their distance: of many ids the nearest of both stay.
    #[must_use]
    pub fn join(one: Arc<Self>, other: &Arc<Self>) -> Arc<Self> {
        if Arc::ptr_eq(&one, other) || other.ids.iter().all(|id| one.ids.contains(id)) {
            return one;
        }
        let mut ids = Vec::with_capacity(MAX_HOPS);
        for distance in 0..one.ids.len().max(other.ids.len()) {
            for hops in [&one, other] {
                if let Some(id) = hops.ids.iter().rev().nth(distance)
                    && ids.len() < MAX_HOPS
                    && !ids.contains(id)
                {
                    ids.push(*id);
                }
            }
        }
        ids.reverse();
        let charge = one.charge.clone().or_else(|| other.charge.clone());
        Arc::new(Self { ids, text: OnceLock::new(), charge })
    }

    /// The ids, the nearest last.
    pub fn ids(&self) -> &[HopId] {
        &self.ids
    }

    /// The value of the header, made once.
    pub fn text(&self) -> Bytes {
        let text = || self.ids.iter().map(HopId::to_string).collect::<Vec<_>>().join(",").into();
        self.text.get_or_init(text).clone()
    }
}

impl PartialEq for Hops {
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids
    }
}

const ID_DIGITS: usize = 16;

#[cfg(test)]
mod tests;
