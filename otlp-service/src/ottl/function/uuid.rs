//! Random ids.

use super::{Call, Function};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter("UUID", &[], |_| Ok(Box::new(Uuid { is_timed: false }))).impure(),
    Function::converter("UUIDv7", &[], |_| Ok(Box::new(Uuid { is_timed: true }))).impure(),
];

/// The call of `UUID` and `UUIDv7`. The random bits are not for secrets.
#[derive(Debug)]
struct Uuid {
    /// True if the id starts with the time: version 7, else version 4.
    is_timed: bool,
}

impl Call for Uuid {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let random = fastrand::u128(..);
        let id = match self.is_timed {
            true => ((env.now() / 1_000_000) as u128) << 80 | random >> 48,
            false => random,
        };
        let version = if self.is_timed { 7 } else { 4 };
        Ok(Value::text(text(id, version)))
    }
}

/// Returns an id with its version and variant (RFC 9562), as text.
fn text(id: u128, version: u128) -> String {
    let id = id & !(0xf << 76) | version << 76;
    let id = id & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{id:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    parts.join("-")
}

#[cfg(test)]
mod tests;
