//! The byte budget: memory for bodies is charged before it is used and given back when its last holder drops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bound on the bytes that bodies may pin, shared by everything that holds bodies. Cloning shares the budget.
///
/// ```
/// let budget = otlp_protocol::ByteBudget::new(100);
/// let charge = budget.try_charge(60).unwrap();
/// assert!(budget.try_charge(60).is_err());
/// drop(charge);
/// assert_eq!(budget.used(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct ByteBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: AtomicU64,
    used: AtomicU64,
    refusals: AtomicU64,
}

/// A share of a [`ByteBudget`], given back on drop.
#[derive(Debug, Default)]
pub struct Charge {
    budget: Option<ByteBudget>,
    bytes: u64,
    /// What is held together with others: given back when the last of them drops.
    shared: Vec<Arc<Charge>>,
}

/// The budget has no room for the bytes asked for. Refuse, never wait while holding a partial charge: retryably, unless
/// the bytes can [never fit](Self::never_fits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the memory budget of {limit} bytes is used up")]
pub struct BudgetExhausted {
    /// The budget's limit, in bytes.
    pub limit: u64,
    /// What the charge would have held, in bytes: what it holds already and what was asked for.
    pub needed: u64,
}

// === impl ByteBudget ===

impl ByteBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self(Arc::new(Inner {
            limit: AtomicU64::new(limit),
            used: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        }))
    }

    /// Takes `bytes` from the budget, or nothing.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if fewer than `bytes` are free; counted in [`refusals`](Self::refusals).
    pub fn try_charge(&self, bytes: u64) -> Result<Charge, BudgetExhausted> {
        let mut charge = Charge { budget: Some(self.clone()), bytes: 0, shared: Vec::new() };
        charge.try_grow(bytes)?;
        Ok(charge)
    }

    /// The limit, in bytes.
    pub fn limit(&self) -> u64 {
        self.0.limit.load(Ordering::Relaxed)
    }

    /// Changes the limit. Charges stay as they are: over a smaller limit, nothing is charged until enough is given back.
    pub fn set_limit(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// Bytes charged now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// How often a charge was refused.
    pub fn refusals(&self) -> u64 {
        self.0.refusals.load(Ordering::Relaxed)
    }
}

// === impl BudgetExhausted ===

impl BudgetExhausted {
    /// Whether the need is over the whole budget: trying again later is of no use.
    pub fn never_fits(&self) -> bool {
        self.needed > self.limit
    }

    /// The same refusal of a need that is larger by `bytes` which another charge holds for the same request.
    #[must_use]
    pub fn beside(self, bytes: u64) -> Self {
        Self { needed: self.needed.saturating_add(bytes), ..self }
    }
}

// === impl Charge ===

impl Charge {
    /// A charge on no budget, for bodies that are accounted for elsewhere.
    pub fn none() -> Self {
        Self::default()
    }

    /// Bytes held by this charge, alone or with others.
    pub fn bytes(&self) -> u64 {
        self.shared.iter().fold(self.bytes, |sum, shared| sum.saturating_add(shared.bytes()))
    }

    /// A charge on the same budget that holds nothing yet.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { budget: self.budget.clone(), bytes: 0, shared: Vec::new() }
    }

    /// A second holder of the same bytes: they are given back when the last holder drops. What either takes from now
    /// on is its own.
    #[must_use]
    pub fn share(&mut self) -> Self {
        if self.bytes > 0 {
            // Shared charges never hold shared ones: sharing often must not nest.
            let bytes = std::mem::take(&mut self.bytes);
            self.shared.push(Arc::new(Self { budget: self.budget.clone(), bytes, shared: Vec::new() }));
        }
        Self { budget: self.budget.clone(), bytes: 0, shared: self.shared.clone() }
    }

    /// Takes `more` bytes, or leaves the charge as it is. A charge on no budget grows freely.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if fewer than `more` bytes are free.
    pub fn try_grow(&mut self, more: u64) -> Result<(), BudgetExhausted> {
        if let Some(ByteBudget(inner)) = &self.budget {
            let limit = inner.limit.load(Ordering::Relaxed);
            let fits = |used: u64| used.checked_add(more).filter(|&sum| sum <= limit);
            if inner.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
                inner.refusals.fetch_add(1, Ordering::Relaxed);
                return Err(BudgetExhausted { limit, needed: self.bytes().saturating_add(more) });
            }
        }
        self.bytes = self.bytes.saturating_add(more);
        Ok(())
    }

    /// Gives back all but `bytes` of what it holds alone; does nothing if that is no more.
    pub fn shrink_to(&mut self, bytes: u64) {
        let excess = self.bytes.saturating_sub(bytes);
        self.bytes -= excess;
        if let Some(ByteBudget(inner)) = &self.budget {
            inner.used.fetch_sub(excess, Ordering::Relaxed);
        }
    }

    /// Takes over what `other` holds; bytes that are on no budget are not added to a charge on one. Charges on
    /// different budgets are not mixed: the other is kept apart by the caller, who gets it back.
    pub fn merge(&mut self, mut other: Self) -> Option<Self> {
        match (&self.budget, &other.budget) {
            (Some(ours), Some(theirs)) if !Arc::ptr_eq(&ours.0, &theirs.0) => return Some(other),
            (None, Some(_)) if self.bytes > 0 => return Some(other),
            (None, Some(_)) => self.budget = other.budget.clone(),
            (Some(_), None) => other.bytes = 0,
            _ => {}
        }
        self.bytes = self.bytes.saturating_add(std::mem::take(&mut other.bytes));
        self.shared.append(&mut other.shared);
        None
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}
