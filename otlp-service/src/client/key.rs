//! Keys of attributes, encoded once.

/// A key of an attribute, encoded by [`key!`](crate::key) when the program is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    text: &'static str,
    /// The field `key` of a `KeyValue`, and the tag of the field `value`.
    head: &'static [u8],
    fingerprint: u64,
}

/// A key of an attribute: a string, or a [`Key`] that is encoded already.
pub trait AttributeKey {
    /// Returns the key as text.
    fn text(&self) -> &str;

    /// Returns the key encoded by [`key!`](crate::key).
    #[doc(hidden)]
    #[inline]
    fn head(&self) -> Option<&'static [u8]> {
        None
    }

    /// Returns the bit by which keys are told apart before they are compared.
    #[doc(hidden)]
    #[inline]
    fn fingerprint(&self) -> u64 {
        fingerprint(self.text())
    }
}

/// Encodes the key of an attribute when the program is compiled. The argument is a constant string.
///
/// ```
/// use otlp_service::client::{AttributeKey, Key};
/// use otlp_service::key;
///
/// const ROUTE: Key = key!("http.route");
/// assert_eq!(ROUTE.text(), "http.route");
/// ```
#[macro_export]
macro_rules! key {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const HEAD: [u8; $crate::client::Key::head_len(TEXT)] = $crate::client::Key::head_of(TEXT);
        const KEY: $crate::client::Key = $crate::client::Key::from_head(TEXT, &HEAD);
        KEY
    }};
}

// === impl Key ===

#[doc(hidden)]
impl Key {
    /// Returns the length of the encoded key.
    pub const fn head_len(text: &str) -> usize {
        2 + varint_len(text.len()) + text.len()
    }

    /// Encodes a key. `N` is [`head_len`](Self::head_len) of the text.
    pub const fn head_of<const N: usize>(text: &str) -> [u8; N] {
        let mut head = [0; N];
        head[0] = KEY;
        let (mut at, mut rest) = (1, text.len());
        while rest >= 0x80 {
            head[at] = rest as u8 | 0x80;
            rest >>= 7;
            at += 1;
        }
        head[at] = rest as u8;
        let mut index = 0;
        while index < text.len() {
            head[at + 1 + index] = text.as_bytes()[index];
            index += 1;
        }
        head[N - 1] = VALUE;
        head
    }

    /// Makes a key of its encoding.
    pub const fn from_head(text: &'static str, head: &'static [u8]) -> Self {
        Self { text, head, fingerprint: fingerprint(text) }
    }
}

// === impl AttributeKey ===

impl AttributeKey for Key {
    #[inline]
    fn text(&self) -> &str {
        self.text
    }

    #[inline]
    fn head(&self) -> Option<&'static [u8]> {
        Some(self.head)
    }

    #[inline]
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

impl AttributeKey for str {
    #[inline]
    fn text(&self) -> &str {
        self
    }
}

impl AttributeKey for String {
    #[inline]
    fn text(&self) -> &str {
        self
    }
}

impl<K: AttributeKey + ?Sized> AttributeKey for &K {
    #[inline]
    fn text(&self) -> &str {
        K::text(self)
    }

    #[inline]
    fn head(&self) -> Option<&'static [u8]> {
        K::head(self)
    }

    #[inline]
    fn fingerprint(&self) -> u64 {
        K::fingerprint(self)
    }
}

/// Returns one bit of 64, chosen by the length, the first and the last bytes of a key.
#[inline]
const fn fingerprint(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mixed = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => {
            let (mut short, mut index) = (0, 0);
            while index < bytes.len() {
                short = short << 8 | bytes[index] as u64;
                index += 1;
            }
            short
        }
    };
    1 << ((mixed ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

const fn varint_len(value: usize) -> usize {
    let (mut len, mut rest) = (1, value >> 7);
    while rest > 0 {
        len += 1;
        rest >>= 7;
    }
    len
}

// Tags in a `KeyValue`.
pub(crate) const KEY: u8 = 0x0a;
pub(crate) const VALUE: u8 = 0x12;
