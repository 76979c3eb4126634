//! Encodings of bytes as text, and of texts as bytes.

use super::call::{prepared, unary};
use super::{ArgumentError, Arguments, Function, Kind, Parameter};
use crate::ottl::error::EvalError;
use crate::ottl::value::{Value, hex};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::converter(
        "Base64Encode",
        &[
            Parameter::required("target", Kind::Text),
            Parameter::optional(
                "variant",
                Kind::Word(&["base64", "base64-raw", "base64-url", "base64-raw-url"]),
            ),
        ],
        |arguments| {
            let name = arguments.literal_text(1)?.unwrap_or_else(|| "base64".into());
            let engine = base64(&name).ok_or_else(|| ArgumentError::new(1, "unknown variant of base64"))?;
            prepared(arguments, engine, |text, engine| {
                Ok(Value::text(engine.encode(text.into_text()?.as_bytes())))
            })
        },
    ),
    Function::converter(
        "Decode",
        &[Parameter::required("target", Kind::Any), Parameter::required("encoding", Kind::LiteralText)],
        |arguments| {
            let encoding = encoding(arguments)?;
            prepared(arguments, encoding, |value, encoding| decoded(value, encoding))
        },
    ),
    Function::converter("Hex", &[Parameter::required("target", Kind::BytesLike)], |arguments| {
        unary(arguments, |value| {
            Ok(Value::text(value.into_bytes_like()?.map_or_else(String::new, |bytes| hex(&bytes))))
        })
    }),
];

/// An encoding that `Decode` reads.
#[derive(Debug)]
enum Encoding {
    Base64(&'static GeneralPurpose),
    Latin1,
    /// UTF-16, most significant byte first if true.
    Utf16 {
        is_big_endian: bool,
    },
    Utf8,
}

fn base64(name: &str) -> Option<&'static GeneralPurpose> {
    Some(match name {
        "base64" => &STANDARD,
        "base64-raw" => &STANDARD_NO_PAD,
        "base64-url" => &URL_SAFE,
        "base64-raw-url" => &URL_SAFE_NO_PAD,
        _ => return None,
    })
}

fn encoding(arguments: &mut Arguments) -> Result<Encoding, ArgumentError> {
    let name = arguments.literal_text(1)?.unwrap_or_default().to_ascii_lowercase();
    if let Some(engine) = base64(&name) {
        return Ok(Encoding::Base64(engine));
    }
    match &*name {
        "utf-8" | "utf8" | "us-ascii" | "ascii" | "nop" => Ok(Encoding::Utf8),
        "iso-8859-1" | "latin1" => Ok(Encoding::Latin1),
        "utf-16be" | "utf16be" => Ok(Encoding::Utf16 { is_big_endian: true }),
        "utf-16le" | "utf16le" | "utf-16" | "utf16" => Ok(Encoding::Utf16 { is_big_endian: false }),
        _ => {
            let known = "base64, base64-raw, base64-url, base64-raw-url, utf-8, us-ascii, iso-8859-1, utf-16le, utf-16be";
            Err(ArgumentError::new(1, format!("unknown encoding {name:?}; supported: {known}")))
        }
    }
}

fn decoded<'a>(value: Value<'_>, encoding: &Encoding) -> Result<Value<'a>, EvalError> {
    let bytes = match &value {
        Value::Bytes(bytes) => &**bytes,
        Value::Text(text) => text.as_bytes(),
        other => return Err(EvalError::wrong_type("bytes or a string", other)),
    };
    Ok(Value::text(match encoding {
        Encoding::Base64(engine) => {
            let bytes = engine.decode(bytes).map_err(|error| EvalError::detail(error.to_string()))?;
            String::from_utf8(bytes).map_err(|_| EvalError::new("the decoded bytes are not UTF-8"))?
        }
        Encoding::Latin1 => bytes.iter().copied().map(char::from).collect(),
        Encoding::Utf16 { is_big_endian } => {
            let units = bytes.chunks(2).map(|pair| match (pair, is_big_endian) {
                ([high, low], true) | ([low, high], false) => u16::from_be_bytes([*high, *low]),
                _ => 0xfffd,
            });
            char::decode_utf16(units).map(|char| char.unwrap_or('\u{fffd}')).collect()
        }
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
    }))
}

#[cfg(test)]
mod tests;
