//! Labels of a series as the text that a page has between its braces, sorted by name. The text is the identity of the series, too.

use super::format::{Escaping, is_plain_name};
use crate::ottl::{Notation, put_shortest};
use std::borrow::Cow;
use std::fmt::Write;

/// Labels that are collected for one series or more.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(Vec<(String, String)>);

// === impl Labels ===

impl Labels {
    /// Adds a label. Values of two attributes that have one name are joined by `;`.
    pub(super) fn add(&mut self, name: String, value: &str) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => {
                known.push(';');
                known.push_str(value);
            }
            None => self.0.push((name, value.to_owned())),
        }
    }

    /// Sets a label that means something to Prometheus or to the operator. An attribute of the same name goes to `exported_NAME`.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if let Some(at) = self.0.iter().position(|(known, _)| known == name) {
            let (_, value) = self.0.swap_remove(at);
            self.add(format!("exported_{name}"), &value);
        }
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Writes the labels, sorted by name.
    pub(super) fn write(&mut self, out: &mut String) {
        self.0.sort_unstable();
        self.put(out);
    }

    fn put(&self, out: &mut String) {
        for (at, (name, value)) in self.0.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            put_name(out, name);
            out.push_str("=\"");
            put_escaped(out, value, true);
            out.push('"');
        }
    }
}

/// Iterates over the labels of a text: names and values, without escapes.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix(',').unwrap_or(rest);
        let name = if rest.starts_with('"') {
            quoted(&mut rest)?
        } else {
            let (name, after) = rest.split_once('=')?;
            rest = &rest[rest.len() - after.len() - 1..];
            Cow::Borrowed(name)
        };
        rest = rest.strip_prefix('=')?;
        Some((name, quoted(&mut rest)?))
    })
}

/// The labels of a text with their names escaped for a scraper.
pub(super) fn escaped(text: &str, escaping: Escaping) -> Cow<'_, str> {
    // Plain names are not quoted.
    let has_others = text.starts_with('"') || text.contains(",\"");
    if escaping == Escaping::AllowUtf8 || !has_others {
        return Cow::Borrowed(text);
    }
    let mut labels = Labels::default();
    pairs(text).for_each(|(name, value)| labels.add(escaping.escape(&name).into_owned(), &value));
    let mut out = String::with_capacity(text.len());
    labels.put(&mut out);
    Cow::Owned(out)
}

/// Writes a name: in quotes if it has other characters than old scrapers know.
pub(super) fn put_name(out: &mut String, name: &str) {
    if is_plain_name(name) {
        return out.push_str(name);
    }
    out.push('"');
    put_escaped(out, name, true);
    out.push('"');
}

/// Writes a text with `\` before what ends or continues it.
pub(super) fn put_escaped(out: &mut String, text: &str, in_quotes: bool) {
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if in_quotes => out.push_str("\\\""),
            char => out.push(char),
        }
    }
}

/// Writes a double in Go's shortest form, in OpenMetrics with a point or an exponent.
pub(super) fn put_double(out: &mut String, value: f64, is_open: bool) {
    let start = out.len();
    // Most values are small whole numbers.
    if value.fract() == 0.0 && value.abs() < 1e6 {
        let _ = write!(out, "{}", value as i64);
    } else {
        put_shortest(out, value, Notation::General);
    }
    if is_open && value.is_finite() && !out[start..].contains(['.', 'e']) {
        out.push_str(".0");
    }
}

/// Takes a text in quotes off the front, and removes its escapes.
fn quoted<'a>(rest: &mut &'a str) -> Option<Cow<'a, str>> {
    let text = rest.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    *rest = &text[end + 1..];
    let text = &text[..end];
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                other => plain.extend(other),
            },
            char => plain.push(char),
        }
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests;
