//! Regular expressions in Go's syntax, as in the Collector: bounded in size, matched anywhere in a text.

mod search;

pub(crate) use search::Search;

use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use std::fmt;
use std::ops::Range;

/// A compiled expression; matching takes time in proportion to the text.
#[derive(Clone)]
pub struct Pattern(Regex);

/// Expressions that are searched for together. Matching takes about as long as for one of them.
#[derive(Clone)]
pub(crate) struct PatternSet {
    each: Vec<Pattern>,
    all: RegexSet,
}

// === impl Pattern ===

impl Pattern {
    /// Compiles an expression in Go's syntax: `\d`, `\w`, `\s` and `\b` are ASCII classes, braces that repeat nothing and
    /// brackets in a class are literals.
    ///
    /// # Errors
    /// The fault of the expression, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(&translate(text)).size_limit(MAX_COMPILED_BYTES).build();
        compiled.map(Self).map_err(|error| problem(&error))
    }

    /// Returns true if the expression matches anywhere in a text.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Returns the names of the capture groups; `None` for groups without a name.
    pub(crate) fn group_names(&self) -> impl Iterator<Item = Option<&str>> {
        let names = self.0.capture_names().skip(1);
        names.map(|name| name.map(|name| name.strip_prefix('_').unwrap_or(name)))
    }

    /// Returns the text of a group by its name; `None` if there is no such group, or the group took no part in the match.
    pub(crate) fn group_named<'t>(captures: &Captures<'t>, name: &str) -> Option<&'t str> {
        let found = match is_marked(name) {
            true => captures.name(&format!("_{name}")),
            false => captures.name(name),
        };
        found.map(|group| group.as_str())
    }

    /// Iterates over the groups of each match.
    pub(crate) fn captures_iter<'p, 't>(
        &'p self,
        text: &'t str,
    ) -> impl Iterator<Item = Captures<'t>> + use<'p, 't> {
        self.0.captures_iter(text)
    }

    /// Iterates over the matches. An empty match behind another match is none, as in Go.
    pub(crate) fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Range<usize>> + use<'_, 't> {
        self.0.find_iter(text).map(|found| found.range())
    }

    /// Returns the groups of the first match.
    pub(crate) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.0.captures(text)
    }
}

// === impl PatternSet ===

impl PatternSet {
    /// Compiles expressions, each as [`Pattern::new`] does.
    ///
    /// # Errors
    /// The fault of an expression with its index, or of all together.
    pub(crate) fn new(texts: &[String]) -> Result<Self, (Option<usize>, String)> {
        let each = texts
            .iter()
            .enumerate()
            .map(|(index, text)| Pattern::new(text).map_err(|problem| (Some(index), problem)));
        let each = each.collect::<Result<Vec<_>, _>>()?;
        let all = RegexSetBuilder::new(texts.iter().map(|text| translate(text)))
            .size_limit(MAX_COMPILED_BYTES.saturating_mul(texts.len().max(1)))
            .build();
        Ok(Self { each, all: all.map_err(|error| (None, problem(&error)))? })
    }

    pub(crate) fn len(&self) -> usize {
        self.each.len()
    }

    /// Iterates over the expressions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.each.iter()
    }

    /// Returns true if an expression matches anywhere in a text.
    #[inline]
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self.each.as_slice() {
            [] => false,
            [only] => only.matches(text),
            _ => self.all.is_match(text),
        }
    }

    /// Returns the index of the first expression that matches anywhere in a text.
    pub(crate) fn first_match(&self, text: &str) -> Option<usize> {
        if self.matches(text) { self.each.iter().position(|pattern| pattern.matches(text)) } else { None }
    }
}

impl fmt::Debug for PatternSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.each).finish()
    }
}

/// Returns the fault of an expression, in one line.
fn problem(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("the expression is too large: it compiles to more than {limit} bytes")
        }
        // The first lines show the expression; the last line names the fault.
        error => {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Translates Go's syntax to the syntax of the crate `regex`.
fn translate(go: &str) -> String {
    let mut out = String::with_capacity(go.len() + 16);
    let mut rest = go;
    let mut in_class = false;
    while let Some(char) = rest.chars().next() {
        let taken = match char {
            '\\' => escape(rest, in_class, &mut out),
            '(' if !in_class => open_group(rest, &mut out),
            '[' if in_class => posix_class(rest, &mut out),
            '[' => {
                in_class = true;
                open_class(rest, &mut out)
            }
            ']' if in_class => {
                in_class = false;
                put(&mut out, "]", 1)
            }
            // Doubled in a class, these characters are set operators of `regex`.
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

/// Returns the length of an octal escape of up to three digits. A single digit but zero would be a back-reference.
fn octal_len(rest: &str) -> Option<usize> {
    let digits = rest.bytes().skip(1).take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    (digits > 1 || rest.starts_with("\\0")).then_some(1 + digits)
}

/// Writes the start of a group. Go's names may start with a digit, those of `regex` may not: such a name gets a mark in front.
fn open_group(rest: &str, out: &mut String) -> usize {
    for start in ["(?P<", "(?<"] {
        if rest.strip_prefix(start).is_some_and(is_marked) {
            out.push_str(start);
            return put(out, "_", start.len());
        }
    }
    put(out, "(", 1)
}

/// Returns true if the compiled expression has the name of a group with the mark `_` in front: also names that start with the mark.
fn is_marked(name: &str) -> bool {
    name.starts_with(|char: char| char == '_' || char.is_ascii_digit())
}

/// Writes the start of a class, where a `]` is a literal.
fn open_class(rest: &str, out: &mut String) -> usize {
    for (start, translated) in [("[^]", "[^\\]"), ("[]", "[\\]"), ("[^", "[^")] {
        if rest.starts_with(start) {
            return put(out, translated, start.len());
        }
    }
    put(out, "[", 1)
}

/// Writes a bracket in a class: `[:alpha:]`, or a literal bracket.
fn posix_class(rest: &str, out: &mut String) -> usize {
    match rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
        Some(end) => put(out, rest.get(..end + 4).unwrap_or_default(), end + 4),
        None => put(out, "\\[", 1),
    }
}

/// Returns true if a brace opens `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.get(1..).and_then(|rest| rest.split_once('}')) else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, "0"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

/// Largest compiled size: enough for expressions of a few hundred operators.
const MAX_COMPILED_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
