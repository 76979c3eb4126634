//! Identity of settings: equal fingerprints mean that a reload need not make a component anew.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Identity of a component's resolved settings.
///
/// Two components of a kind with the same id and the same fingerprint are taken to be the same component: a reload keeps the
/// running one. Everything that makes the component what it is belongs into the fingerprint, also settings of others that
/// it uses, such as credentials. Fingerprints are compared within a process, and differ between builds.
///
/// ```
/// use otlp_service::Fingerprint;
///
/// assert_eq!(Fingerprint::of("endpoint: a:4317"), Fingerprint::of("endpoint: a:4317"));
/// assert_ne!(Fingerprint::of("endpoint: a:4317"), Fingerprint::of("endpoint: b:4317"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of settings.
    pub fn of(settings: &(impl Hash + ?Sized)) -> Self {
        let mut hasher = DefaultHasher::new();
        settings.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// True if both are known and equal.
    pub(crate) fn is_same(one: Option<Self>, other: Option<Self>) -> bool {
        one.is_some() && one == other
    }
}
