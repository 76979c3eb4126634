//! Comparing secrets without telling how near a guess came.

use super::Identity;
use ring::hmac;
use ring::rand::SystemRandom;
use std::sync::OnceLock;
use subtle::ConstantTimeEq;

/// A keyed digest of a secret: equal for equal secrets, in this process.
#[derive(Clone, Copy)]
pub(super) struct Digest([u8; 32]);

/// Secrets and whose they are. Only their digests are kept.
#[derive(Default)]
pub(super) struct Known(Vec<(Digest, Identity)>);

// === impl Digest ===

impl Digest {
    pub(super) fn of(secret: &[u8]) -> Self {
        Self::of_parts(&[secret])
    }

    /// Of several texts; where one ends matters.
    pub(super) fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = hmac::Context::with_key(key());
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        Self(digest)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

// === impl Known ===

impl Known {
    pub(super) fn add(&mut self, secret: &[u8], identity: Identity) {
        self.0.push((Digest::of(secret), identity));
    }

    /// Whose secret this is. Looks at all of them, also when it was found.
    pub(super) fn find(&self, secret: &[u8]) -> Option<&Identity> {
        let digest = Digest::of(secret);
        let mut found = None;
        for (known, identity) in &self.0 {
            if known.is(&digest) {
                found = Some(identity);
            }
        }
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Made anew by each process, so digests are worth nothing outside of it, and no guess's digest can be foreseen.
fn key() -> &'static hmac::Key {
    static KEY: OnceLock<hmac::Key> = OnceLock::new();
    KEY.get_or_init(|| {
        let random = SystemRandom::new();
        // ring fails if the system gives no randomness, which then costs TLS, too; the hasher's seed hides timing well enough.
        hmac::Key::generate(hmac::HMAC_SHA256, &random).unwrap_or_else(|_| {
            use std::hash::{BuildHasher, RandomState};
            hmac::Key::new(hmac::HMAC_SHA256, &RandomState::new().hash_one(0).to_le_bytes())
        })
    })
}
