//! Classes of characters.

use regex::Regex;
use std::sync::LazyLock;

pub(super) fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

/// True for letters of any script, and `_`.
pub(super) fn is_letter(char: char) -> bool {
    char.is_ascii_alphabetic()
        || char == '_'
        || !char.is_ascii() && char.is_alphabetic() && has_category_l(char)
}

/// True for letters and numbers of any script, and `_`.
pub(super) fn is_alphanumeric(char: char) -> bool {
    is_letter(char) || char.is_numeric()
}

pub(super) fn is_operator(char: char) -> bool {
    matches!(
        char,
        '+' | '-' | '*' | '/' | '=' | '<' | '>' | '!' | '&' | '|' | '^' | '%' | '~' | '?' | '@' | ':' | '#'
    )
}

pub(super) fn is_punctuation(char: char) -> bool {
    matches!(char, '(' | ')' | ',' | ';' | '.' | ':' | '[' | ']' | '{' | '}')
}

/// True if a name may have the character behind its first one.
pub(super) fn is_of_name(char: char) -> bool {
    matches!(char, '"' | '.' | '?' | '$' | '#' | '/' | '@' | '!' | '0'..='9') || is_letter(char)
}

/// True if the general category of a character is a letter. Alphabetic characters are marks and numbers, too.
fn has_category_l(char: char) -> bool {
    static LETTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{L}").ok());
    LETTER.as_ref().is_some_and(|letter| letter.is_match(char.encode_utf8(&mut [0; 4])))
}
