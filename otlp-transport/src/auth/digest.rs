//! Comparing secrets without telling how near a guess came.

use super::Identity;
use crate::ConfigError;
use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq;

/// Makes digests of secrets. Each has a key of its own, made at random: digests are worth nothing elsewhere, and no
/// guess's digest can be foreseen.
pub(super) struct Digester(hmac::Key);

/// A keyed digest of a secret: equal for equal secrets, by the same digester.
#[derive(Clone, Copy)]
pub(super) struct Digest([u8; 32]);

/// Secrets and whose they are. Only their digests are kept.
pub(super) struct Known {
    digester: Digester,
    entries: Vec<(Digest, Identity)>,
}

// === impl Digester ===

impl Digester {
    /// # Errors
    /// If the system gives no randomness, naming `key`.
    pub(super) fn new(key: &'static str) -> Result<Self, ConfigError> {
        let made = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let problem = "the system gives no randomness, without which secrets cannot be compared safely";
        made.map(Self).map_err(|_| ConfigError::new(key, problem))
    }

    /// Of several texts; where one ends matters.
    pub(super) fn of(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        Digest(digest)
    }
}

// === impl Digest ===

impl Digest {
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

// === impl Known ===

impl Known {
    /// Nobody's yet.
    ///
    /// # Errors
    /// If the system gives no randomness, naming `key`.
    pub(super) fn new(key: &'static str) -> Result<Self, ConfigError> {
        Ok(Self { digester: Digester::new(key)?, entries: Vec::new() })
    }

    pub(super) fn add(&mut self, secret: &[u8], identity: Identity) {
        self.entries.push((self.digester.of(&[secret]), identity));
    }

    /// Whose secret this is. Looks at all of them, also when it was found.
    pub(super) fn find(&self, secret: &[u8]) -> Option<&Identity> {
        let digest = self.digester.of(&[secret]);
        let mut found = None;
        for (known, identity) in &self.entries {
            if known.is(&digest) {
                found = Some(identity);
            }
        }
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
