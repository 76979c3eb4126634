//! Replacements of masked texts.

use super::config::{RedactionConfig, RedactionError, RedactionHash};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use sha3::Sha3_256;
use std::fmt;

/// Writes the replacement of a masked text.
#[derive(Clone)]
pub(super) enum Mask {
    Asterisks,
    HmacSha256(Box<Hmac<Sha256>>),
    HmacSha512(Box<Hmac<Sha512>>),
    /// A hash with what is hashed in front of the text.
    Md5(Md5),
    Sha1(Sha1),
    Sha3(Box<Sha3_256>),
}

// === impl Mask ===

impl Mask {
    pub(super) fn new(config: &RedactionConfig) -> Result<Self, RedactionError> {
        let error = |problem: String| RedactionError { path: "hmac_key".into(), problem };
        let long_enough = |key: &[u8], least: usize| match key.len() {
            len if len < least => Err(error(format!("it must have at least {least} bytes; it has {len}"))),
            _ => Ok(()),
        };
        let salt = config.hash_salt.as_bytes();
        Ok(match &config.hash {
            RedactionHash::Mask => Self::Asterisks,
            RedactionHash::HmacSha256(key) => {
                long_enough(key, 32)?;
                Self::HmacSha256(Box::new(keyed(key).map_err(error)?))
            }
            RedactionHash::HmacSha512(key) => {
                long_enough(key, 64)?;
                Self::HmacSha512(Box::new(keyed(key).map_err(error)?))
            }
            RedactionHash::Md5 => Self::Md5(Md5::new().chain_update(salt)),
            RedactionHash::Sha1 => Self::Sha1(Sha1::new().chain_update(salt)),
            RedactionHash::Sha3 => Self::Sha3(Box::new(Sha3_256::new().chain_update(salt))),
        })
    }

    /// Appends the replacement of a text.
    pub(super) fn put(&self, text: &str, out: &mut String) {
        match self {
            Self::Asterisks => out.push_str("****"),
            Self::HmacSha256(mac) => put_hex((**mac).clone().chain_update(text).finalize().into_bytes(), out),
            Self::HmacSha512(mac) => put_hex((**mac).clone().chain_update(text).finalize().into_bytes(), out),
            Self::Md5(hash) => put_hex(hash.clone().chain_update(text).finalize(), out),
            Self::Sha1(hash) => put_hex(hash.clone().chain_update(text).finalize(), out),
            Self::Sha3(hash) => put_hex((**hash).clone().chain_update(text).finalize(), out),
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The state of a hash tells its key.
        f.write_str("Mask")
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8]) -> Result<M, String> {
    <M as KeyInit>::new_from_slice(key).map_err(|error| error.to_string())
}

fn put_hex(digest: impl AsRef<[u8]>, out: &mut String) {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half & 15)]);
    out.extend(digest.as_ref().iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]));
}
