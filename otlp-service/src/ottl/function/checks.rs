//! Numbers and addresses in texts.

use super::call::unary;
use super::{ArgumentError, Arguments, Call, Function, Kind, Parameter};
use crate::ottl::environment::Environment;
use crate::ottl::error::EvalError;
use crate::ottl::expression::Expression;
use crate::ottl::go;
use crate::ottl::value::Value;
use std::net::IpAddr;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "IsInCIDR",
        &[Parameter::required("target", Kind::Text), Parameter::required("networks", Kind::LiteralTexts)],
        is_in_cidr,
    ),
    Function::converter("IsValidLuhn", &[Parameter::required("target", Kind::TextLike)], |arguments| {
        unary(arguments, |value| match value.into_text_like()? {
            Some(text) => is_valid_luhn(&text).map(Value::Bool),
            None => Err(EvalError::new("a number is required, not nil")),
        })
    }),
    Function::converter("Log", &[Parameter::required("target", Kind::DoubleLike)], |arguments| {
        unary(arguments, |value| match value.into_double_like()? {
            Some(number) if number > 0.0 => Ok(Value::Double(number.ln())),
            _ => Err(EvalError::new("a number above zero is required")),
        })
    }),
    Function::converter(
        "ParseInt",
        &[Parameter::required("target", Kind::Text), Parameter::required("base", Kind::Int)],
        |arguments| {
            super::call::binary(arguments, |text, base| parse_int(&text.into_text()?, base.into_int()?))
        },
    ),
];

/// The call of `IsInCIDR`.
#[derive(Debug)]
struct IsInCidr {
    target: Expression,
    networks: Vec<Network>,
}

/// Addresses that start with the same bits.
#[derive(Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

fn is_in_cidr(arguments: &mut Arguments) -> Result<Box<dyn Call>, ArgumentError> {
    let networks = arguments.literal_texts(1)?.unwrap_or_default();
    let networks: Result<Vec<_>, _> = networks
        .iter()
        .map(|text| {
            Network::new(text).ok_or_else(|| {
                ArgumentError::new(
                    1,
                    format!("{text:?} is no network; write \"10.0.0.0/8\" or \"2001:db8::/32\""),
                )
            })
        })
        .collect();
    Ok(Box::new(IsInCidr { target: arguments.expression(0)?, networks: networks? }))
}

impl Call for IsInCidr {
    fn call<'a>(&'a self, env: &'a Environment<'_>) -> Result<Value<'a>, EvalError> {
        let text = self.target.value(env)?.into_text()?;
        let Ok(address) = text.parse::<IpAddr>() else { return Ok(Value::Bool(false)) };
        let address = address.to_canonical();
        Ok(Value::Bool(self.networks.iter().any(|network| network.has(address))))
    }
}

// === impl Network ===

impl Network {
    fn new(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits) = (address.parse::<IpAddr>().ok()?, bits.parse().ok()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                (network.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                (network.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

/// Returns true if the last digit is the check digit of the others, by Luhn's algorithm. Spaces do not count.
fn is_valid_luhn(text: &str) -> Result<bool, EvalError> {
    let digits = text.chars().filter(|char| *char != ' ').map(|char| char.to_digit(10));
    let digits: Option<Vec<u32>> = digits.collect();
    let digits = digits.ok_or(EvalError::new("the number has a character that is no digit"))?;
    // From the right, each second digit counts twice; the digits of the double are added.
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, *digit) {
            (0, digit) => digit,
            (_, digit @ 5..) => 2 * digit - 9,
            (_, digit) => 2 * digit,
        })
        .sum();
    Ok(!digits.is_empty() && sum.is_multiple_of(10))
}

/// Reads an int of a base from 2 to 36; base 0 is that of the prefix: `0x`, `0o`, `0b`, or else 10.
fn parse_int<'a>(text: &str, base: i64) -> Result<Value<'a>, EvalError> {
    let wrong = || EvalError::detail(format!("{text:?} is not an int of base {base}"));
    let int = match base {
        0 => go::parse::int_of_any_base(text),
        2..=36 => i64::from_str_radix(text, base as u32).ok(),
        _ => return Err(EvalError::new("the base must be 0, or from 2 to 36")),
    };
    int.map(Value::Int).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
