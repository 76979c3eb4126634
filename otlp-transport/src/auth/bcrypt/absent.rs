//! Without the feature `basic-auth`: bcrypt hashes are refused when a password file is read.

/// Refuses every hash.
pub(super) fn check(_hash: &str) -> Result<(), &'static str> {
    Err("bcrypt is not compiled in: build with the feature `basic-auth`")
}

/// Returns false: no hash was accepted.
pub(super) fn verify(_password: &[u8], _hash: &str) -> bool {
    false
}
