//! The receivers that a batch has passed, to detect forwarding loops.
//!
//! Each receiver has a random id. A batch carries the ids of the receivers that it has passed, also in other processes: a
//! request names the ids in the header [`HOPS_HEADER`]. A receiver refuses a request that names its own id. A merged batch
//! has the ids of all its requests, at most the nearest [`MAX_HOPS`].

use crate::Charge;
use bytes::Bytes;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

/// Id of a receiver. Ids are random, so that no sender can guess the id of another receiver.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HopId(u64);

/// Ids of receivers, the nearest last: at most [`MAX_HOPS`]. Comparing ignores the charge.
#[derive(Default)]
pub struct Hops {
    ids: Vec<HopId>,
    text: OnceLock<Bytes>,
    charge: Option<Arc<Charge>>,
}

/// Name of the HTTP header and gRPC metadata with the ids of the receivers that a request has passed: 16 hexadecimal digits
/// each, separated by commas, the nearest last.
pub const HOPS_HEADER: &str = "otlp-hops";

/// The most ids that a batch carries. The farthest ids are dropped first.
pub const MAX_HOPS: usize = 16;

// === impl HopId ===

impl HopId {
    /// Makes a new id.
    pub fn random() -> Self {
        // `RandomState` has random keys from the system: the hash is not predictable.
        Self(RandomState::new().hash_one(HOPS_HEADER))
    }

    /// Parses 16 hexadecimal digits.
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
    /// Upper bound on the memory of ids read from a request, also after a [`join`](Self::join), in bytes: a receiver charges
    /// this much.
    pub const MEMORY: u64 = (size_of::<Self>() + MAX_HOPS * (size_of::<HopId>() + ID_DIGITS + 1) + 64) as u64;

    /// Makes a list of one receiver.
    pub fn of(id: HopId) -> Self {
        Self { ids: vec![id], ..Self::default() }
    }

    /// Parses the values of the header, in order, and appends `id`. Texts that are not ids are ignored. Returns `None` if `id`
    /// is among the ids: the request is in a loop. `charge` is released with the last list derived from this list.
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

    /// Parses a [`text`](Self::text) that this program wrote before; `None` if no id is in it.
    ///
    /// ```
    /// use otlp_protocol::{HopId, Hops};
    ///
    /// let hops = Hops::of(HopId::random());
    /// assert_eq!(Hops::parse(&hops.text()), Some(hops));
    /// assert_eq!(Hops::parse(b"other"), None);
    /// ```
    pub fn parse(text: &[u8]) -> Option<Self> {
        let ids = text.split(|&byte| byte == b',').filter_map(HopId::parse).take(MAX_HOPS);
        let ids: Vec<_> = ids.collect();
        (!ids.is_empty()).then(|| Self { ids, ..Self::default() })
    }

    /// Joins the ids of two batches that are merged. If there are more than [`MAX_HOPS`], the nearest ids of both stay.
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

    /// Returns the ids, the nearest last.
    pub fn ids(&self) -> &[HopId] {
        &self.ids
    }

    /// Returns the value of the header. The text is made once and kept.
    pub fn text(&self) -> Bytes {
        let text = || self.ids.iter().map(HopId::to_string).collect::<Vec<_>>().join(",").into();
        self.text.get_or_init(text).clone()
    }
}

impl fmt::Debug for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.ids).finish()
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
