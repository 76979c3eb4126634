//! Globs: `*` for any text, `?` for a character, `[a-z]`, `[!abc]`, `{this,that}`. A glob matches the whole text.

use crate::processor::Pattern;

/// Compiles a glob.
///
/// # Errors
/// The fault of the glob, in one line.
pub(super) fn compile(glob: &str) -> Result<Pattern, String> {
    let mut regex = String::from("(?s)^(?:");
    let mut depth = 0usize;
    let mut rest = glob;
    while let Some(char) = rest.chars().next() {
        rest = rest.get(char.len_utf8()..).unwrap_or_default();
        match char {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            ',' if depth > 0 => regex.push('|'),
            '[' => {
                rest = class(rest, &mut regex).ok_or("unclosed class in the glob: write \\[ for a bracket")?
            }
            '\\' => {
                let escaped = rest.chars().next().ok_or("the glob ends with a backslash")?;
                rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                put(&mut regex, escaped);
            }
            char => put(&mut regex, char),
        }
    }
    if depth > 0 {
        return Err("unclosed alternatives in the glob: write \\{ for a brace".into());
    }
    regex.push_str(")$");
    Pattern::new(&regex)
}

/// Translates a class, and returns the text behind it.
fn class<'t>(text: &'t str, regex: &mut String) -> Option<&'t str> {
    let (is_negated, text) = match text.strip_prefix('!') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (inside, rest) = text.split_once(']').filter(|(inside, _)| !inside.is_empty())?;
    regex.push_str(if is_negated { "[^" } else { "[" });
    let chars: Vec<char> = inside.chars().collect();
    if let [low, '-', high] = chars[..] {
        put(regex, low);
        regex.push('-');
        put(regex, high);
    } else {
        for char in chars {
            put(regex, char);
        }
    }
    regex.push(']');
    Some(rest)
}

/// Appends a character that stands for itself.
fn put(regex: &mut String, char: char) {
    if char.is_ascii_punctuation() {
        regex.push('\\');
    }
    regex.push(char);
}

#[cfg(test)]
mod tests;
