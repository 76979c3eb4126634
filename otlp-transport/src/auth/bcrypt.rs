//! bcrypt hashes of passwords.

use bcrypt::HashParts;

/// Checks that `hash` is a bcrypt hash, and does not take too long to verify.
pub(super) fn check(hash: &str) -> Result<(), &'static str> {
    let parts: HashParts = hash.parse().map_err(|_| "invalid bcrypt hash")?;
    match parts.get_cost() {
        ..=MAX_COST => Ok(()),
        _ => {
            Err("a bcrypt cost over 14 takes seconds for each check: use a lower cost (`htpasswd -B -C 10`)")
        }
    }
}

/// Returns true if `hash` is a hash of `password`. Takes tens of milliseconds.
pub(super) fn verify(password: &[u8], hash: &str) -> bool {
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// A bcrypt check of cost 14 takes about a second.
const MAX_COST: u32 = 14;
