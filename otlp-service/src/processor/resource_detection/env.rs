//! The detector `env`: the variable `OTEL_RESOURCE_ATTRIBUTES`.

use super::detector::Found;
use otlp_protocol::AttributeValue;

/// Reads the variable, or the older `OTEL_RESOURCE`, as the Collector does: `key=value,key=value`, values percent-encoded.
pub(super) fn detect(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Found, String> {
    let given = |name| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let mut found = Found::default();
    let Some(list) = given("OTEL_RESOURCE_ATTRIBUTES").or_else(|| given("OTEL_RESOURCE")) else {
        return Ok(found);
    };
    let mut rest = list.as_str();
    while !rest.is_empty() {
        let wrong = |what: &str| Err(format!("OTEL_RESOURCE_ATTRIBUTES: {what}: write key=value,key=value"));
        let Some((key, after)) = rest.split_once('=') else {
            return wrong(&format!("{:?} has no `=`", shortened(rest)));
        };
        let (value, after) = after.split_once(',').unwrap_or((after, ""));
        let (key, value) = (key.trim(), value.trim());
        let is_short = |text: &str| text.is_ascii() && text.len() <= MAX_LEN;
        if key.is_empty() || !is_short(key) || !is_short(value) {
            return wrong(&format!("{:?} is not 1 to {MAX_LEN} ASCII characters", shortened(key)));
        }
        let Some(decoded) = decode(value) else {
            return wrong(&format!("the value of {:?} has an invalid percent-encoding", shortened(key)));
        };
        found.set(key, AttributeValue::new(decoded));
        rest = after;
    }
    Ok(found)
}

/// Decodes `%2C` and `+`, as in the query of a URL.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                (digit(bytes.next())? << 4 | digit(bytes.next())?) as u8
            }
            other => other,
        });
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

/// Limit of the Collector on a key and a value.
const MAX_LEN: usize = 256;
const MAX_SHOWN: usize = 40;
