//! The byte budget: memory for bodies is charged before it is used, and released when the last holder drops.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// Limit on the memory of bodies, shared by all parts of a program that hold bodies. A clone shares the budget.
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

struct Inner {
    limit: AtomicU64,
    used: AtomicU64,
    refusals: AtomicU64,
    reclaim: OnceLock<Weak<dyn Reclaim>>,
}

/// Holds bytes that can be given up at any time, such as copies for observers: asked before a budget refuses a charge.
pub trait Reclaim: Send + Sync + 'static {
    /// Drops charges. Returns true if any was dropped. Called without any lock of the budget, by the thread that needs bytes.
    fn reclaim(&self) -> bool;
}

/// Share of a [`ByteBudget`], released on drop.
#[derive(Debug, Default)]
pub struct Charge {
    budget: Option<ByteBudget>,
    bytes: u64,
    /// Charges shared with other holders, released when the last holder drops.
    shared: Vec<Arc<Charge>>,
}

/// Error: the budget has too few free bytes. The caller should refuse the request: retryably, unless the bytes can
/// [never fit](Self::never_fits). Waiting while holding another charge can deadlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the memory budget of {limit} bytes is used up")]
pub struct BudgetExhausted {
    /// The budget's limit, in bytes.
    pub limit: u64,
    /// Bytes that the charge would have held: the bytes it holds already, and the bytes requested.
    pub needed: u64,
}

// === impl ByteBudget ===

impl ByteBudget {
    /// Makes a budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self(Arc::new(Inner {
            limit: AtomicU64::new(limit),
            used: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            reclaim: OnceLock::new(),
        }))
    }

    /// Sets the holder of bytes that can be given up. Returns false if the budget has such a holder already.
    ///
    /// ```
    /// use otlp_protocol::{ByteBudget, Charge, Reclaim};
    /// use std::sync::{Arc, RwLock};
    ///
    /// struct Copies(RwLock<Vec<Charge>>);
    ///
    /// impl Reclaim for Copies {
    ///     fn reclaim(&self) -> bool {
    ///         self.0.write().is_ok_and(|mut copies| copies.drain(..).count() > 0)
    ///     }
    /// }
    ///
    /// let budget = ByteBudget::new(100);
    /// let copies = Arc::new(Copies(RwLock::new(vec![budget.try_charge(60)?])));
    /// assert!(budget.set_reclaim(copies.clone()));
    /// let charge = budget.try_charge(100)?; // Drops the copies.
    /// assert_eq!(budget.refusals(), 0);
    /// # Ok::<(), otlp_protocol::BudgetExhausted>(())
    /// ```
    pub fn set_reclaim(&self, reclaim: Arc<impl Reclaim>) -> bool {
        let reclaim: Arc<dyn Reclaim> = reclaim;
        self.0.reclaim.set(Arc::downgrade(&reclaim)).is_ok()
    }

    /// Charges `bytes` to the budget.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if fewer than `bytes` are free; counted in [`refusals`](Self::refusals).
    pub fn try_charge(&self, bytes: u64) -> Result<Charge, BudgetExhausted> {
        let mut charge = Charge { budget: Some(self.clone()), bytes: 0, shared: Vec::new() };
        charge.try_grow(bytes)?;
        Ok(charge)
    }

    /// Returns the limit, in bytes.
    pub fn limit(&self) -> u64 {
        self.0.limit.load(Ordering::Relaxed)
    }

    /// Changes the limit. Charges stay as they are: over a smaller limit, nothing is charged until enough is given back.
    pub fn set_limit(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// Returns the bytes that are charged now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Returns the number of charges that were refused.
    pub fn refusals(&self) -> u64 {
        self.0.refusals.load(Ordering::Relaxed)
    }
}

// === impl Inner ===

impl Inner {
    /// Takes `more` bytes. False if fewer are free.
    fn take(&self, more: u64) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let fits = |used: u64| used.checked_add(more).filter(|&sum| sum <= limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    /// Asks for bytes that can be given up, and takes `more` bytes if that helped.
    #[cold]
    fn reclaim_and_take(&self, more: u64) -> bool {
        let reclaim = self.reclaim.get().and_then(Weak::upgrade);
        reclaim.is_some_and(|reclaim| reclaim.reclaim()) && self.take(more)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, used, refusals, reclaim: _ } = self;
        f.debug_struct("ByteBudget")
            .field("limit", limit)
            .field("used", used)
            .field("refusals", refusals)
            .finish_non_exhaustive()
    }
}

// === impl BudgetExhausted ===

impl BudgetExhausted {
    /// True if more bytes are needed than the whole budget has: a retry cannot succeed.
    pub fn never_fits(&self) -> bool {
        self.needed > self.limit
    }

    /// Adds `bytes`, which another charge holds for the same request, to the bytes needed.
    #[must_use]
    pub fn beside(self, bytes: u64) -> Self {
        Self { needed: self.needed.saturating_add(bytes), ..self }
    }
}

// === impl Charge ===

impl Charge {
    /// Makes a charge without a budget, for bodies that are accounted for elsewhere.
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns the bytes that this charge holds, alone or shared.
    pub fn bytes(&self) -> u64 {
        self.shared.iter().fold(self.bytes, |sum, shared| sum.saturating_add(shared.bytes()))
    }

    /// Makes an empty charge on the same budget.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { budget: self.budget.clone(), bytes: 0, shared: Vec::new() }
    }

    /// Makes a second holder of the same bytes, which are released when the last holder drops. Later growth of either charge
    /// is its own.
    #[must_use]
    pub fn share(&mut self) -> Self {
        if self.bytes > 0 {
            // A shared charge holds no shared charges: repeated sharing must not nest.
            let bytes = std::mem::take(&mut self.bytes);
            self.shared.push(Arc::new(Self { budget: self.budget.clone(), bytes, shared: Vec::new() }));
        }
        Self { budget: self.budget.clone(), bytes: 0, shared: self.shared.clone() }
    }

    /// Charges `more` bytes. A charge without a budget grows without limit.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if fewer than `more` bytes are free; then the charge stays as it is.
    pub fn try_grow(&mut self, more: u64) -> Result<(), BudgetExhausted> {
        if let Some(ByteBudget(inner)) = &self.budget
            && !inner.take(more)
            && !inner.reclaim_and_take(more)
        {
            inner.refusals.fetch_add(1, Ordering::Relaxed);
            let limit = inner.limit.load(Ordering::Relaxed);
            return Err(BudgetExhausted { limit, needed: self.bytes().saturating_add(more) });
        }
        self.bytes = self.bytes.saturating_add(more);
        Ok(())
    }

    /// Releases all but `bytes` of the bytes that this charge holds alone. Does nothing if it holds fewer.
    pub fn shrink_to(&mut self, bytes: u64) {
        let excess = self.bytes.saturating_sub(bytes);
        self.bytes -= excess;
        if let Some(ByteBudget(inner)) = &self.budget {
            inner.used.fetch_sub(excess, Ordering::Relaxed);
        }
    }

    /// Takes over the bytes of `other`. Bytes without a budget are not added to a charge on a budget. Charges on different
    /// budgets are not mixed: then `other` is returned.
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
