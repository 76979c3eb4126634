//! Conditions on the metadata of a request: `request["key"] == "value"`.

use otlp_protocol::Origin;

/// A comparison of a header with a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestCondition {
    /// Name of the header, in lower case.
    pub(super) key: Box<str>,
    value: Box<[u8]>,
    is_equal: bool,
}

// === impl RequestCondition ===

impl RequestCondition {
    /// Reads a condition.
    ///
    /// # Errors
    /// If the text has another form.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let rest = text.trim().strip_prefix("request").and_then(|rest| rest.trim_start().strip_prefix('['));
        let (key, rest) = rest.and_then(|rest| quoted(rest.trim_start())).ok_or(FORM)?;
        let rest = rest.trim_start().strip_prefix(']').ok_or(FORM)?.trim_start();
        let (operator, rest) = rest.split_at_checked(2).ok_or(FORM)?;
        let is_equal = match operator {
            "==" => true,
            "!=" => false,
            _ => return Err(FORM),
        };
        match quoted(rest.trim_start()) {
            Some((value, "")) => {
                let key = key.to_ascii_lowercase().into();
                Ok(Self { key, value: value.as_bytes().into(), is_equal })
            }
            _ => Err(FORM),
        }
    }

    /// Returns true if the header is there and the comparison holds. Of several values the first counts.
    pub(super) fn holds(&self, origin: Option<&Origin>) -> bool {
        let headers = origin.into_iter().flat_map(|origin| &origin.headers);
        let mut values = headers.filter(|(name, _)| **name == *self.key).map(|(_, value)| value);
        values.next().is_some_and(|value| (value[..] == *self.value) == self.is_equal)
    }
}

/// Reads a string in double quotes without escapes. Returns the string and the rest of the text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (string, rest) = text.strip_prefix('"')?.split_once('"')?;
    (!string.contains('\\')).then_some((string, rest))
}

const FORM: &str = "a condition on the request must be `request[\"key\"] == \"value\"`, or with `!=`";

#[cfg(test)]
mod tests;
