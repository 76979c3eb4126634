//! Texts and characters in quotes, by the rules of Go's `strconv.Quote`.

use std::fmt::Write as _;

/// Appends a text in quotes. `is_ascii` escapes all characters that are not ASCII.
pub(super) fn put(out: &mut String, text: &str, quote: char, is_ascii: bool) {
    out.push(quote);
    for char in text.chars() {
        put_char(out, char, quote, is_ascii);
    }
    out.push(quote);
}

fn put_char(out: &mut String, char: char, quote: char, is_ascii: bool) {
    let code = u32::from(char);
    let escape = match char {
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{b}' => 'v',
        '\\' => '\\',
        char if char == quote => quote,
        char if is_printable(char) && (char.is_ascii() || !is_ascii) => return out.push(char),
        _ => {
            // Writing into a string does not fail.
            let _ = match code {
                0..0x80 => write!(out, "\\x{code:02x}"),
                0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
            return;
        }
    };
    out.push('\\');
    out.push(escape);
}

fn is_printable(char: char) -> bool {
    // Nearly as in Go: characters that only extend another character are escaped here.
    char == '"' || char == '\'' || !char.is_control() && char.escape_debug().len() == 1
}
