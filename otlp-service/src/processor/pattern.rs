//! Regular expressions as the Collector takes them: Go's syntax, bounded in size, matched anywhere in a text.

use regex::{Captures, Regex, RegexBuilder};
use std::fmt;

/// A compiled expression; matching takes time in proportion to the text.
#[derive(Clone)]
pub struct Pattern(Regex);

// === impl Pattern ===

impl Pattern {
    /// Compiles an expression in Go's syntax: `\d`, `\w`, `\s` and `\b` are ASCII's, braces that repeat nothing and
    /// brackets in a class are themselves.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(&translate(text)).size_limit(MAX_COMPILED_BYTES).build();
        compiled.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                format!("the expression is too large: it compiles to more than {limit} bytes")
            }
            // The first lines draw the expression; the last one says what is wrong.
            error => {
                let text = error.to_string();
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
        })
    }

    /// Whether it matches anywhere in a text.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Names of its groups but the whole match; `None` for those without a name.
    pub(crate) fn group_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.capture_names().skip(1)
    }

    /// The groups of its first match.
    pub(crate) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.0.captures(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Go's syntax as the crate `regex` has it, where they differ.
fn translate(go: &str) -> String {
    let mut out = String::with_capacity(go.len() + 16);
    let mut rest = go;
    let mut in_class = false;
    while let Some(char) = rest.chars().next() {
        let taken = match char {
            '\\' => escape(rest, in_class, &mut out),
            '[' if in_class => posix_class(rest, &mut out),
            '[' => {
                in_class = true;
                open_class(rest, &mut out)
            }
            ']' if in_class => {
                in_class = false;
                put(&mut out, "]", 1)
            }
            // Twice in a class they would join classes.
            '&' | '~' | '-' if in_class && out.ends_with(char) => {
                out.push('\\');
                out.push(char);
                1
            }
            '{' if !in_class && !is_repetition(rest) => put(&mut out, "\\{", 1),
            char => {
                out.push(char);
                char.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Writes `text` for `taken` bytes of the expression.
fn put(out: &mut String, text: &str, taken: usize) -> usize {
    out.push_str(text);
    taken
}

fn escape(rest: &str, in_class: bool, out: &mut String) -> usize {
    let Some(escaped) = rest.chars().nth(1) else { return put(out, "\\", 1) };
    let class = match escaped.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => r"\t\n\f\r ",
        'b' if !in_class => return put(out, &format!(r"(?-u:\{escaped})"), 2),
        'q' if escaped == 'Q' && !in_class => {
            let quoted = rest.get(2..).unwrap_or_default();
            let (literal, _) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            out.push_str(&regex::escape(literal));
            return (2 + literal.len() + 2).min(rest.len());
        }
        'p' | 'x' if rest.get(2..).is_some_and(|rest| rest.starts_with('{')) => {
            let len = rest.find('}').map_or(rest.len(), |end| end + 1);
            let braced = rest.get(2..len).unwrap_or_default();
            // `\p{^Greek}` is `\P{Greek}`.
            let (letter, braced) = match (escaped, braced.strip_prefix("{^")) {
                ('p', Some(name)) => ("\\P{", name),
                ('P', Some(name)) => ("\\p{", name),
                _ => (rest.get(..2).unwrap_or_default(), braced),
            };
            out.push_str(letter);
            return put(out, braced, len);
        }
        '0'..='7' if let Some(len) = octal_len(rest) => {
            out.push_str(r"\x{");
            let code = u32::from_str_radix(rest.get(1..len).unwrap_or_default(), 8).unwrap_or_default();
            out.push_str(&format!("{code:x}}}"));
            return len;
        }
        _ => {
            out.push('\\');
            out.push(escaped);
            return 1 + escaped.len_utf8();
        }
    };
    match (in_class, escaped.is_ascii_uppercase()) {
        (true, false) => put(out, class, 2),
        (_, true) => put(out, &format!("[^{class}]"), 2),
        (false, false) => put(out, &format!("[{class}]"), 2),
    }
}

/// How long an octal escape is, of up to three digits; a single one but zero would refer back to a group.
fn octal_len(rest: &str) -> Option<usize> {
    let digits = rest.bytes().skip(1).take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    (digits > 1 || rest.starts_with("\\0")).then_some(1 + digits)
}

/// The start of a class, where a `]` is itself.
fn open_class(rest: &str, out: &mut String) -> usize {
    for (start, translated) in [("[^]", "[^\\]"), ("[]", "[\\]"), ("[^", "[^")] {
        if rest.starts_with(start) {
            return put(out, translated, start.len());
        }
    }
    put(out, "[", 1)
}

/// A bracket in a class: `[:alpha:]`, as it is, or itself.
fn posix_class(rest: &str, out: &mut String) -> usize {
    match rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
        Some(end) => put(out, rest.get(..end + 4).unwrap_or_default(), end + 4),
        None => put(out, "\\[", 1),
    }
}

/// Whether a brace opens `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.get(1..).and_then(|rest| rest.split_once('}')) else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, "0"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

/// As much as programs of a few hundred operators take.
const MAX_COMPILED_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
