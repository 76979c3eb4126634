//! Lexer of JSON (RFC 8259) over a slice: tokens, strings, numbers, and values to be skipped.
//!
//! The lexer does not allocate and does not recurse. The text is valid UTF-8: a string without escapes is a slice of the
//! text.

mod text;

pub(crate) use super::error::{Fault, JsonErrorKind};
pub(super) use text::plain_len;

use super::number::{self, number_len};
use crate::schema::Kind;
use crate::wire::first_invalid;
use text::{Escape, Raw};

/// A position in a UTF-8 text.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

/// The most values inside one another under an unknown key. The lexer keeps a bit for each.
pub(super) const MAX_SKIPPED_DEPTH: usize = 128;

// === impl Lexer ===

impl<'a> Lexer<'a> {
    /// Makes a lexer at the start of `text`, which must be UTF-8 without a byte order mark.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, Fault> {
        let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
        if marks.iter().any(|mark| text.starts_with(mark)) {
            return Err(Fault { kind: JsonErrorKind::ByteOrderMark, offset: 0 });
        }
        match simdutf8::basic::from_utf8(text) {
            Ok(_) => Ok(Self { text, at: 0 }),
            Err(_) => {
                let offset = first_invalid(text);
                Err(Fault { kind: JsonErrorKind::Utf8, offset })
            }
        }
    }

    /// Returns the position of the next byte.
    #[inline(always)]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Returns the text from `offset` on.
    pub(super) fn from(&self, offset: usize) -> &'a [u8] {
        self.text.get(offset..).unwrap_or_default()
    }

    /// Returns the text that has not been read.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// Passes over `count` bytes of [`rest`](Self::rest).
    #[inline(always)]
    pub(super) fn advance(&mut self, count: usize) {
        self.at += count;
        debug_assert!(self.at <= self.text.len());
    }

    /// Returns the first byte of the next token without passing over it; 0 at the end.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> u8 {
        match self.text.get(self.at) {
            Some(&byte) if byte > b' ' => byte,
            _ => self.peek_behind_space(),
        }
    }

    #[inline(never)]
    fn peek_behind_space(&mut self) -> u8 {
        let space =
            self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Passes over the next token if it is `byte`. Returns true if so.
    #[inline(always)]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        crate::wire::count_work(1);
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Passes over the next token, which must be `byte`.
    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.eat(byte) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Makes the fault for an unexpected token at this position.
    #[cold]
    pub(crate) fn expected(&self, what: &'static str) -> Fault {
        let at_end = self.at >= self.text.len();
        let kind = if at_end { JsonErrorKind::Truncated } else { JsonErrorKind::Expected(what) };
        Fault { kind, offset: self.at }
    }

    /// Passes over `null`, if it is next.
    #[inline(always)]
    pub(crate) fn eat_null(&mut self) -> Result<bool, Fault> {
        if self.peek() != b'n' {
            return Ok(false);
        }
        self.literal(b"null", "null").map(|()| true)
    }

    /// Passes over a word.
    pub(super) fn literal(&mut self, word: &[u8], what: &'static str) -> Result<(), Fault> {
        let rest = self.rest();
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        if word.starts_with(rest) {
            self.at = self.text.len();
        }
        Err(self.expected(what))
    }

    /// Checks that only space follows.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            0 if self.at >= self.text.len() => Ok(()),
            _ => Err(Fault { kind: JsonErrorKind::Trailing, offset: self.at }),
        }
    }

    /// Passes over a string.
    #[inline(always)]
    pub(crate) fn string(&mut self, what: &'static str) -> Result<Raw<'a>, Fault> {
        self.expect(b'"', what)?;
        let start = self.at;
        let end = start + plain_len(self.rest());
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Raw { text: &self.text[start..end], has_escapes: false });
        }
        self.unusual_string(start, end)
    }

    /// Passes over a string that has escapes, or a fault, at `at`.
    #[inline(never)]
    fn unusual_string(&mut self, start: usize, mut at: usize) -> Result<Raw<'a>, Fault> {
        loop {
            match self.text.get(at) {
                None => {
                    self.at = at;
                    return Err(self.expected("a closing quote"));
                }
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Raw { text: &self.text[start..at], has_escapes: true });
                }
                Some(b'\\') => {
                    let escape = Escape::read(&self.text[at..]);
                    at += escape.map_err(|kind| Fault { kind, offset: at })?.len;
                }
                Some(_) => return Err(Fault { kind: JsonErrorKind::Control, offset: at }),
            }
            at += plain_len(&self.text[at..]);
        }
    }

    /// Passes over a number.
    #[inline]
    pub(crate) fn number(&mut self, what: &'static str) -> Result<&'a [u8], Fault> {
        self.peek();
        let rest = self.rest();
        match number_len(rest) {
            Ok(len) => {
                self.at += len;
                Ok(&rest[..len])
            }
            // "-", "1." and "1e" are incomplete numbers.
            Err(len) if len > 0 || rest.is_empty() => {
                self.at += len;
                Err(self.expected("a digit"))
            }
            Err(_) => Err(self.expected(what)),
        }
    }

    /// Passes over a value of any type, and checks its grammar.
    pub(crate) fn skip_value(&mut self) -> Result<(), Fault> {
        // The enclosing values, the innermost in the lowest bit: 1 for an object, 0 for an array.
        let (mut outer, mut depth) = (0u128, 0);
        loop {
            let first = self.peek();
            match first {
                b'{' | b'[' => {
                    self.at += 1;
                    let is_object = first == b'{';
                    if !self.eat(if is_object { b'}' } else { b']' }) {
                        if depth >= MAX_SKIPPED_DEPTH {
                            let kind = JsonErrorKind::TooDeep { limit: MAX_SKIPPED_DEPTH };
                            return Err(Fault { kind, offset: self.at });
                        }
                        depth += 1;
                        outer = outer << 1 | u128::from(is_object);
                        if is_object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                b'"' => drop(self.string("a string")?),
                b't' => self.literal(b"true", "a value")?,
                b'f' => self.literal(b"false", "a value")?,
                b'n' => self.literal(b"null", "a value")?,
                _ => drop(self.number("a value")?),
            }
            // After a value, the enclosing values may end.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let in_object = outer & 1 == 1;
                if self.eat(b',') {
                    if in_object {
                        self.skip_key()?;
                    }
                    break;
                }
                match in_object {
                    true => self.expect(b'}', "',' or '}'")?,
                    false => self.expect(b']', "',' or ']'")?,
                }
                (outer, depth) = (outer >> 1, depth - 1);
            }
        }
    }

    /// Reads an object, or `null` as an empty object. `member` is called with each key and reads the value.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.eat_null()? {
            return Ok(());
        }
        self.expect(b'{', "an object")?;
        if self.eat(b'}') {
            return Ok(());
        }
        let mut scratch = Vec::new();
        loop {
            let key = self.string("a key")?.unescape(&mut scratch);
            self.expect(b':', "':'")?;
            member(self, key)?;
            if !self.eat(b',') {
                return self.expect(b'}', "',' or '}'");
            }
        }
    }

    /// Reads an array, or `null` as an empty array. `element` reads each element.
    pub(crate) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.eat_null()? {
            return Ok(());
        }
        self.expect(b'[', "an array")?;
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.eat(b',') {
                return self.expect(b']', "',' or ']'");
            }
        }
    }

    /// Reads a string, or `null` as an empty string.
    pub(crate) fn owned_string(&mut self) -> Result<String, Fault> {
        if self.eat_null()? {
            return Ok(String::new());
        }
        let mut scratch = Vec::new();
        let text = self.string("a string")?.unescape(&mut scratch);
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// Reads an integer, in quotes or not, or `null` as 0.
    pub(crate) fn int64(&mut self) -> Result<i64, Fault> {
        if self.eat_null()? {
            return Ok(0);
        }
        let offset = self.at;
        let mut scratch = Vec::new();
        let text = match self.peek() {
            b'"' => self.string("an integer")?.unescape(&mut scratch),
            _ => self.number("an integer")?,
        };
        let bits = number::integer(Kind::Int64, text).map_err(|kind| Fault { kind, offset })?;
        Ok(bits as i64)
    }

    fn skip_key(&mut self) -> Result<(), Fault> {
        self.string("a key")?;
        self.expect(b':', "':'")
    }
}
