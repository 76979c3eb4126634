//! Writes JSON for programs that read the output of commands.

use std::fmt::Write as _;

/// Writes one JSON value.
#[derive(Default)]
pub(crate) struct JsonWriter {
    out: String,
    needs_comma: bool,
}

// === impl JsonWriter ===

impl JsonWriter {
    /// Returns the text.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// Writes an object; `write` writes its members.
    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.nested('{', '}', write);
    }

    /// Writes a member whose value is an object.
    pub(crate) fn object_at(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.key(key);
        self.object(write);
    }

    /// Writes a member whose value is a list.
    pub(crate) fn list_at(&mut self, key: &str, write: impl FnOnce(&mut Self)) {
        self.key(key);
        self.nested('[', ']', write);
    }

    /// Writes a member whose value is a number.
    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        let _ = write!(self.out, "{value}");
        self.needs_comma = true;
    }

    /// Writes a member whose value is a string.
    pub(crate) fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text(value);
        self.needs_comma = true;
    }

    fn nested(&mut self, open: char, close: char, write: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push(open);
        write(self);
        self.out.push(close);
        self.needs_comma = true;
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.text(key);
        self.out.push(':');
    }

    fn separate(&mut self) {
        if std::mem::take(&mut self.needs_comma) {
            self.out.push(',');
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.out.extend(['\\', c]),
                c if c.is_control() => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_separated_and_escaped() {
        let mut json = JsonWriter::default();
        json.object(|json| {
            json.number("a", 1);
            json.string("b", "\"\\\n\u{7f}é");
            json.list_at("c", |json| {
                json.object(|_| {});
                json.object(|json| json.number("d", u64::MAX));
            });
            json.object_at("e", |_| {});
        });
        let expected =
            format!(r#"{{"a":1,"b":"\"\\\u000a\u007fé","c":[{{}},{{"d":{}}}],"e":{{}}}}"#, u64::MAX);
        assert_eq!(json.finish(), expected);
    }
}
