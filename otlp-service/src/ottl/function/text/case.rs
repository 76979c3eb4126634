//! Cases of letters and of names.

/// Changes letters to lower case, each to one letter, as in Go.
pub(super) fn lower(text: &str) -> String {
    let lower = |char| match char {
        // The only capital that Rust changes to two characters: `i` and a dot above.
        '\u{130}' => 'i',
        char => single(char, char.to_lowercase()),
    };
    text.chars().map(lower).collect()
}

/// Changes letters to upper case, each to one letter, as in Go. Letters whose capitals are several letters, such as `ß`, stay.
pub(super) fn upper(text: &str) -> String {
    let upper = |char| match char {
        // Greek letters with an iota below have a capital of one character.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => moved(char, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => moved(char, 9),
        char => single(char, char.to_uppercase()),
    };
    text.chars().map(upper).collect()
}

fn single(char: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(char) } else { char }
}

/// Returns the character so many code points further on.
fn moved(char: char, by: u32) -> char {
    char::from_u32(u32::from(char) + by).unwrap_or(char)
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
