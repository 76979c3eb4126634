//! Tokens of a statement.

use super::fault::Fault;
use std::ops::Range;

/// A token with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

/// Kind of a token, with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// Bytes in hex.
    Bytes(Vec<u8>),
    Double(f64),
    Int(i64),
    /// An operator or a bracket.
    Symbol(&'static str),
    Text(String),
    /// A name or a word of the language.
    Word,
}

/// Reads the tokens of a text one after the other.
struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

/// Splits a text into tokens.
///
/// # Errors
/// The first place that starts no token.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

// === impl Lexer ===

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let rest = rest.trim_start_matches(char::is_whitespace);
        let start = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let (kind, len) = match first {
            '0' if hex_len(rest) > 0 => self.bytes(rest, start)?,
            '0'..='9' | '.' if number_len(rest) > 0 => number(rest, start)?,
            '"' => text(rest, start)?,
            'a'..='z' | 'A'..='Z' => {
                let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
                (TokenKind::Word, rest.find(|char| !is_part(char)).unwrap_or(rest.len()))
            }
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (TokenKind::Symbol(symbol), symbol.len()),
                None => return Err(unknown(rest, first, start)),
            },
        };
        self.at = start + len;
        Ok(Some(Token { kind, range: start..start + len }))
    }

    fn bytes(&self, rest: &str, start: usize) -> Result<(TokenKind, usize), Fault> {
        let len = 2 + hex_len(rest);
        let digits = rest.get(2..len).unwrap_or_default().as_bytes();
        if digits.len() % 2 == 1 {
            return Err(Fault::new(start..start + len, "bytes need an even number of hexadecimal digits"));
        }
        let digit = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or_default() as u8;
        let pair = |pair: &[u8]| pair.iter().fold(0, |byte, next| byte << 4 | digit(next));
        Ok((TokenKind::Bytes(digits.chunks(2).map(pair).collect()), len))
    }
}

/// Returns the number of hexadecimal digits after `0x`.
fn hex_len(rest: &str) -> usize {
    let digits = rest.strip_prefix("0x").unwrap_or_default();
    digits.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// Returns the length of a number, without an exponent.
fn number_len(rest: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    match rest.get(whole..).and_then(|rest| rest.strip_prefix('.')) {
        Some(fraction) if whole + digits(fraction) > 0 => whole + 1 + digits(fraction),
        _ => whole,
    }
}

fn number(rest: &str, start: usize) -> Result<(TokenKind, usize), Fault> {
    let mut len = number_len(rest);
    let is_double = rest.get(..len).is_some_and(|number| number.contains('.'));
    if is_double {
        len += exponent_len(rest.get(len..).unwrap_or_default());
    }
    let number = rest.get(..len).unwrap_or_default();
    let range = start..start + len;
    if is_double {
        // Go reads numbers that are too large as an error; Rust reads them as infinity.
        let double = number.parse().ok().filter(|double: &f64| double.is_finite());
        let double = double.ok_or_else(|| Fault::new(range, "the number is too large for a double"))?;
        return Ok((TokenKind::Double(double), len));
    }
    if exponent_len(rest.get(len..).unwrap_or_default()) > 0 {
        let fault = Fault::new(range, "a number with an exponent needs a dot");
        return Err(fault.help(format!("write `{number}.0{}`", rest.get(len..len + 1).unwrap_or_default())));
    }
    let int =
        number.parse().map_err(|_| Fault::new(range, "the number is too large for an int of 64 bits"))?;
    Ok((TokenKind::Int(int), len))
}

/// Returns the length of an exponent: `e-3`.
fn exponent_len(rest: &str) -> usize {
    let Some(digits) = rest.strip_prefix(['e', 'E']) else { return 0 };
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let count = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 { 0 } else { rest.len() - unsigned.len() + count }
}

/// Reads a string in double quotes, with the escapes of Go.
fn text(rest: &str, start: usize) -> Result<(TokenKind, usize), Fault> {
    let mut bytes = Vec::new();
    let mut at = 1;
    loop {
        let left = rest.get(at..).unwrap_or_default();
        match left.chars().next() {
            None => {
                let fault = Fault::new(start..start + 1, "the string has no closing quote");
                return Err(fault.help("a quote in a string is written `\\\"`"));
            }
            Some('"') => break,
            Some('\\') => at += escape(left, start + at, &mut bytes)?,
            Some(char) => {
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                at += char.len_utf8();
            }
        }
    }
    let len = at + 1;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| Fault::new(start..start + len, "the escapes do not give valid UTF-8"))?;
    Ok((TokenKind::Text(text), len))
}

/// Reads an escape, and returns its length.
fn escape(left: &str, start: usize, bytes: &mut Vec<u8>) -> Result<usize, Fault> {
    let letter = left.get(1..).and_then(|left| left.chars().next()).unwrap_or_default();
    let simple = match letter {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' => b'"',
        _ => return numeric_escape(left, letter, start, bytes),
    };
    bytes.push(simple);
    Ok(2)
}

fn numeric_escape(left: &str, letter: char, start: usize, bytes: &mut Vec<u8>) -> Result<usize, Fault> {
    let (from, len, radix) = match letter {
        'x' => (2, 4, 16),
        'u' => (2, 6, 16),
        'U' => (2, 10, 16),
        '0'..='7' => (1, 4, 8),
        _ => {
            let fault =
                Fault::new(start..start + 1 + letter.len_utf8(), format!("unknown escape `\\{letter}`"));
            return Err(fault.help(format!("a backslash in a string is written `\\\\`: `\\\\{letter}`")));
        }
    };
    let digits = left.get(from..len).filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)));
    let code = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok());
    let wrong =
        || Fault::new(start..start + 2, format!("the escape `\\{letter}` lacks digits or is out of range"));
    let code = code.ok_or_else(wrong)?;
    if matches!(letter, 'u' | 'U') {
        let char = char::from_u32(code).ok_or_else(wrong)?;
        bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        bytes.push(u8::try_from(code).map_err(|_| wrong())?);
    }
    Ok(len)
}

/// The fault of a character that starts no token.
fn unknown(rest: &str, first: char, start: usize) -> Fault {
    let len = if rest.starts_with("&&") || rest.starts_with("||") { 2 } else { first.len_utf8() };
    let fault =
        Fault::new(start..start + len, format!("unexpected `{}`", rest.get(..len).unwrap_or_default()));
    match first {
        '\'' | '`' => fault.help("strings are in double quotes"),
        '#' => fault.help("there are no comments"),
        '&' => fault.help("write `and`"),
        '|' => fault.help("write `or`"),
        '!' => fault.help("write `not`"),
        '$' => fault.help("in a configuration file `$` is written `$$`"),
        _ => fault,
    }
}

/// Operators and brackets, longer ones in front of their beginnings.
const SYMBOLS: [&str; 21] = [
    "==", "!=", ">=", "<=", "=>", ">", "<", "=", "+", "-", "*", "/", "(", ")", "{", "}", "[", "]", ",", ".",
    ":",
];
