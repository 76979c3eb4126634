//! Comparison of secrets in constant time: the time does not tell how much of a guess was right.

use super::Identity;
use crate::ConfigError;
use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq;

/// Makes digests of secrets under a random key of its own. Digests of one digester are useless to another, and cannot be
/// predicted.
pub(super) struct Digester(hmac::Key);

/// Keyed digest of a secret. Equal secrets have equal digests by the same digester.
#[derive(Clone, Copy)]
pub(super) struct Digest([u8; 32]);

/// Digests of secrets with the identity that each secret proves. The secrets are not kept.
pub(super) struct Known {
    digester: Digester,
    entries: Vec<(Digest, Identity)>,
}

// === impl Digester ===

impl Digester {
    /// Generates the key.
    ///
    /// # Errors
    /// If the system provides no randomness; the error names the setting `key`.
    pub(super) fn new(key: &'static str) -> Result<Self, ConfigError> {
        let made = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let problem = "the system provides no random numbers, which the comparison of secrets needs";
        made.map(Self).map_err(|_| ConfigError::new(key, problem))
    }

    /// Digests several texts. The digest depends on where each text ends.
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
    /// Makes an empty set.
    ///
    /// # Errors
    /// If the system provides no randomness; the error names the setting `key`.
    pub(super) fn new(key: &'static str) -> Result<Self, ConfigError> {
        Ok(Self { digester: Digester::new(key)?, entries: Vec::new() })
    }

    pub(super) fn add(&mut self, secret: &[u8], identity: Identity) {
        self.entries.push((self.digester.of(&[secret]), identity));
    }

    /// Returns the identity of `secret`. Compares with every known secret, also after a match, so that the time tells
    /// nothing.
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
