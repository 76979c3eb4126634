//! JSON's grammar (RFC 8259) over a slice: tokens, strings, numbers, and values that nobody wants.
//!
//! Nothing is allocated and nothing recurses. The text is known to be UTF-8, so a string is a slice of it, unless
//! it has escapes.

pub(crate) use super::error::{Fault, JsonErrorKind};

use super::number;
use crate::schema::Kind;

/// A position in a text that is UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

/// A string as it stands between its quotes; its escapes are known to be sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) has_escapes: bool,
}

/// Values under unknown keys may be nested this deep: a bit each says what encloses them.
pub(super) const MAX_SKIPPED_DEPTH: usize = 128;

// === impl Lexer ===

impl<'a> Lexer<'a> {
    /// A lexer at the start of `text`, which must be UTF-8 without a byte order mark.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, Fault> {
        let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
        if marks.iter().any(|mark| text.starts_with(mark)) {
            return Err(Fault { kind: JsonErrorKind::ByteOrderMark, offset: 0 });
        }
        match simdutf8::basic::from_utf8(text) {
            Ok(_) => Ok(Self { text, at: 0 }),
            Err(_) => {
                let offset = simdutf8::compat::from_utf8(text).err().map_or(0, |error| error.valid_up_to());
                Err(Fault { kind: JsonErrorKind::Utf8, offset })
            }
        }
    }

    /// Where the next byte stands.
    #[inline(always)]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// What has not been read.
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

    /// The first byte of the next token, which is not passed over; 0 at the end.
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

    /// Passes over the next token if it is that byte.
    #[inline(always)]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Passes over the next token, which must be that byte.
    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.eat(byte) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// The fault that something else stands here.
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

    /// Nothing but space may follow.
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

    /// The rest of a string that is plain only up to `at`.
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
            // "-" and "1." and "1e" may go on.
            Err(len) if len > 0 || rest.is_empty() => {
                self.at += len;
                Err(self.expected("a digit"))
            }
            Err(_) => Err(self.expected(what)),
        }
    }

    /// Passes over any value, and checks its grammar.
    pub(crate) fn skip_value(&mut self) -> Result<(), Fault> {
        // What encloses the value, the innermost in the lowest bit: 1 an object, 0 an array.
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
            // After a value: what ends with it?
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

    /// Reads an object, or `null` as an empty one: `member` is called with each key and reads the value.
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

    /// Reads an array, or `null` as an empty one: `element` reads each.
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

    /// Reads a string, or `null` as an empty one.
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

// === impl Raw ===

impl<'a> Raw<'a> {
    /// The string itself: the slice, or, if it has escapes, what they stand for in `scratch`.
    #[inline(always)]
    pub(crate) fn unescape<'s>(self, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        if !self.has_escapes {
            return self.text;
        }
        scratch.clear();
        self.unescape_into(scratch);
        scratch
    }

    /// Appends the string itself.
    #[inline(never)]
    pub(super) fn unescape_into(self, out: &mut Vec<u8>) {
        let mut rest = self.text;
        loop {
            let (plain, after) = rest.split_at(plain_len(rest));
            out.extend_from_slice(plain);
            // The lexer read the same escapes.
            let Ok(escape) = Escape::read(after) else { return };
            out.extend_from_slice(escape.character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &after[escape.len..];
        }
    }
}

/// A character written with a backslash.
struct Escape {
    character: char,
    /// How many bytes it is written with.
    len: usize,
}

// === impl Escape ===

impl Escape {
    /// The escape at the start of `text`.
    fn read(text: &[u8]) -> Result<Self, JsonErrorKind> {
        let &[b'\\', letter, ..] = text else { return Err(JsonErrorKind::Truncated) };
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return Self::read_unicode(text),
            _ => return Err(JsonErrorKind::Escape),
        };
        Ok(Self { character, len: 2 })
    }

    fn read_unicode(text: &[u8]) -> Result<Self, JsonErrorKind> {
        let first = code_unit(text)?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first)
                .map(|character| Self { character, len: 6 })
                .ok_or(JsonErrorKind::Surrogate);
        }
        let second = text.get(6..).filter(|rest| rest.starts_with(b"\\u")).map(code_unit);
        match second.transpose()? {
            Some(second @ 0xdc00..0xe000) if first < 0xdc00 => {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                let character = char::from_u32(code).ok_or(JsonErrorKind::Surrogate)?;
                Ok(Self { character, len: 12 })
            }
            _ => Err(JsonErrorKind::Surrogate),
        }
    }
}

/// The four hex digits of `\uXXXX`.
fn code_unit(text: &[u8]) -> Result<u32, JsonErrorKind> {
    let digits = text.get(2..6).ok_or(JsonErrorKind::Truncated)?;
    digits.iter().try_fold(0, |unit, &digit| {
        let digit = char::from(digit).to_digit(16).ok_or(JsonErrorKind::Escape)?;
        Ok(unit << 4 | digit)
    })
}

/// How many bytes at the start of `text` are part of a string as they stand: up to a quote, a backslash or a control
/// character.
#[inline(always)]
pub(super) fn plain_len(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some((block, _)) = text[at..].split_first_chunk::<8>() {
        let stops = stops(u64::from_le_bytes(*block));
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|&&byte| byte >= b' ' && byte != b'"' && byte != b'\\').count()
}

/// The high bit of the first byte that a string must not hold as it is; higher bits may be set by mistake.
#[inline(always)]
fn stops(block: u64) -> u64 {
    let all = |byte: u8| ONES * u64::from(byte);
    let is_zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let (quote, backslash) = (block ^ all(b'"'), block ^ all(b'\\'));
    let control = block.wrapping_sub(all(b' ')) & !block;
    (is_zero(quote) | is_zero(backslash) | control) & (ONES << 7)
}

/// How long the number at the start of `text` is; or how far it is one.
pub(super) fn number_len(text: &[u8]) -> Result<usize, usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    at += match text.get(at) {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(at),
        _ => return Err(at),
    };
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return Err(at + 1);
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return Err(at + 1 + sign);
        }
        at += 1 + sign + exponent;
    }
    Ok(at)
}

const ONES: u64 = 0x0101_0101_0101_0101;
