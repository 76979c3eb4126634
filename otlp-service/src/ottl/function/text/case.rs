//! Cases of letters and of names.

/// Changes letters to lower case. Letters that become several letters stay, as in Go.
pub(super) fn lower(text: &str) -> String {
    text.chars().map(|char| single(char, char.to_lowercase())).collect()
}

/// Changes letters to upper case. Letters that become several letters stay, as in Go.
pub(super) fn upper(text: &str) -> String {
    text.chars().map(|char| single(char, char.to_uppercase())).collect()
}

fn single(char: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(char) } else { char }
}

/// Changes a name to snake case: `someName` and `some-name` to `some_name`. Words also end before and behind digits.
pub(super) fn snake(name: &str) -> String {
    let name = name.trim();
    let mut out = String::with_capacity(name.len() + 2);
    let mut before = '\0';
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        let next = chars.peek().copied().unwrap_or_default();
        let has_break = matches!(
            (class(char), class(next)),
            (Class::Lower, Class::Upper | Class::Digit)
                | (Class::Digit, Class::Upper | Class::Lower)
                | (Class::Upper, Class::Digit)
        );
        // The last capital of several begins the next word: `JSONData` is `json_data`.
        if class(char) == Class::Upper && class(next) == Class::Lower && class(before) == Class::Upper {
            out.push('_');
        }
        out.push(if matches!(char, ' ' | '_' | '-' | '.') { '_' } else { char.to_ascii_lowercase() });
        if has_break {
            out.push('_');
        }
        before = char;
    }
    out
}

/// Changes a name to camel case with a capital in front: `some_name` to `SomeName`. Only ASCII letters and digits remain.
pub(super) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let (mut starts_word, mut follows_capital) = (true, false);
    for char in name.trim().chars() {
        let class = class(char);
        match class {
            Class::Lower | Class::Upper => {
                // Of capitals in a row, the first one remains.
                out.push(match () {
                    () if starts_word => char.to_ascii_uppercase(),
                    () if follows_capital => char.to_ascii_lowercase(),
                    () => char,
                });
                starts_word = false;
            }
            Class::Digit => {
                out.push(char);
                starts_word = true;
            }
            Class::Other => starts_word = matches!(char, '_' | ' ' | '-' | '.'),
        }
        follows_capital = class == Class::Upper;
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Digit,
    Lower,
    Other,
    Upper,
}

fn class(char: char) -> Class {
    match char {
        'A'..='Z' => Class::Upper,
        'a'..='z' => Class::Lower,
        '0'..='9' => Class::Digit,
        _ => Class::Other,
    }
}
