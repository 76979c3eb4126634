//! Hashes of strings.

use super::call::unary;
use super::{Function, Kind, Parameter};
#[cfg(feature = "hash")]
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;
#[cfg(feature = "hash")]
use sha2::Digest;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter("FNV", &TARGET, |arguments| {
        unary(arguments, |text| Ok(Value::Int(fnv(text.into_text()?.as_bytes()) as i64)))
    }),
    #[cfg(feature = "hash")]
    Function::converter("MD5", &TARGET, |arguments| unary(arguments, digest::<md5::Md5>)),
    #[cfg(feature = "hash")]
    Function::converter("SHA1", &TARGET, |arguments| unary(arguments, digest::<sha1::Sha1>)),
    #[cfg(feature = "hash")]
    Function::converter("SHA256", &TARGET, |arguments| unary(arguments, digest::<sha2::Sha256>)),
    #[cfg(feature = "hash")]
    Function::converter("SHA512", &TARGET, |arguments| unary(arguments, digest::<sha2::Sha512>)),
];

const TARGET: [Parameter; 1] = [Parameter::required("target", Kind::Text)];

/// Returns the hash FNV-1a in 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Returns a hash in lower hex.
#[cfg(feature = "hash")]
fn digest<D: Digest>(text: Value<'_>) -> Result<Value<'_>, EvalError> {
    Ok(Value::text(crate::ottl::value::hex(&D::digest(text.into_text()?.as_bytes()))))
}

#[cfg(test)]
mod tests;
