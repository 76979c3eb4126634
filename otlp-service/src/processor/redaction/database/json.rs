//! Queries in JSON.

/// Replaces all values of a JSON text by `"?"`; keys stay. A text that is not JSON stays as it is.
pub(super) fn sanitize(text: &str) -> String {
    let mut reader =
        Reader { bytes: text.as_bytes(), at: 0, out: Vec::with_capacity(text.len()), is_cut: false };
    reader.spaces();
    if reader.value(0).is_none() {
        return text.to_owned();
    }
    let end = reader.at;
    reader.spaces();
    if reader.at < text.len() {
        return text.to_owned();
    }
    // White space behind the text stays, as in the Collector.
    reader.out.extend_from_slice(text.as_bytes().get(end..).unwrap_or_default());
    String::from_utf8(reader.out).unwrap_or_default()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// The rest was left out, since it is too deep.
    is_cut: bool,
}

// === impl Reader ===

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Reads a byte, and writes it.
    fn take(&mut self, byte: u8) -> Option<()> {
        if self.peek() != Some(byte) {
            return None;
        }
        self.at += 1;
        self.out.push(byte);
        Some(())
    }

    /// Reads a value; `None` if it is not JSON.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' | b'[' if depth >= MAX_DEPTH => {
                // Too deep to be read: nothing of the rest may stay.
                self.out.extend_from_slice(HIDDEN);
                (self.at, self.is_cut) = (self.bytes.len(), true);
                Some(())
            }
            b'{' => self.list(b'{', b'}', |reader| {
                let start = reader.at;
                reader.string()?;
                let key = reader.bytes.get(start..reader.at).unwrap_or_default();
                reader.out.extend_from_slice(key);
                reader.spaces();
                reader.take(b':')?;
                reader.spaces();
                reader.value(depth + 1)
            }),
            b'[' => self.list(b'[', b']', |reader| reader.value(depth + 1)),
            first => {
                match first {
                    b'"' => self.string()?,
                    b't' => self.word(b"true")?,
                    b'f' => self.word(b"false")?,
                    b'n' => self.word(b"null")?,
                    _ => self.number()?,
                }
                self.out.extend_from_slice(HIDDEN);
                Some(())
            }
        }
    }

    fn list(&mut self, open: u8, close: u8, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(open)?;
        self.spaces();
        if self.peek() == Some(close) {
            return self.take(close);
        }
        loop {
            element(self)?;
            if self.is_cut {
                return Some(());
            }
            self.spaces();
            if self.peek() == Some(close) {
                return self.take(close);
            }
            self.take(b',')?;
            self.spaces();
        }
    }

    fn string(&mut self) -> Option<()> {
        self.word(b"\"")?;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    self.at += 1;
                    match self.peek()? {
                        b'u' => {
                            let digits = self.bytes.get(self.at + 1..self.at + 5)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 5;
                        }
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        _ => return None,
                    }
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }
}

const HIDDEN: &[u8] = b"\"?\"";
/// Deeper values are left out with all that follows.
const MAX_DEPTH: usize = 128;
