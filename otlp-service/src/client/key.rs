//! Keys of attributes, encoded once.

#[cfg(feature = "tracing")]
use super::engine::Buffer;

/// A key of an attribute, encoded by [`key!`](crate::key) when the program is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    text: &'static str,
    head: Option<KeyHead>,
    fingerprint: u64,
}

/// The encoded start of an attribute: the field `key` of a `KeyValue`, and the tag of the field `value`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct KeyHead {
    /// The encoding, and zeros: a copy of known length is faster.
    pub(crate) padded: &'static [u8; HEAD_BYTES],
    /// Length of the encoding.
    pub(crate) len: u8,
}

/// Longest encoded start of an attribute. Longer keys are encoded when they are used.
#[doc(hidden)]
pub const HEAD_BYTES: usize = 48;

/// A key of an attribute: a string, or a [`Key`] that is encoded already.
pub trait AttributeKey {
    /// Returns the key as text.
    fn text(&self) -> &str;

    /// Returns the key encoded by [`key!`](crate::key).
    #[doc(hidden)]
    #[inline]
    fn head(&self) -> Option<KeyHead> {
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
        const HEAD: [u8; $crate::client::HEAD_BYTES] = $crate::client::Key::head_of(TEXT);
        const KEY: $crate::client::Key = $crate::client::Key::from_head(TEXT, &HEAD);
        KEY
    }};
}

// === impl Key ===

#[doc(hidden)]
impl Key {
    /// Encodes the start of an attribute; zeros if the key is too long.
    pub const fn head_of(text: &str) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let len = text.len();
        if len + 3 <= HEAD_BYTES {
            head[0] = KEY;
            head[1] = len as u8;
            let mut index = 0;
            while index < len {
                head[2 + index] = text.as_bytes()[index];
                index += 1;
            }
            head[2 + len] = VALUE;
        }
        head
    }

    /// Makes a key of its encoding.
    pub const fn from_head(text: &'static str, padded: &'static [u8; HEAD_BYTES]) -> Self {
        let is_short = text.len() + 3 <= HEAD_BYTES;
        let head = if is_short { Some(KeyHead { padded, len: text.len() as u8 + 3 }) } else { None };
        Self { text, head, fingerprint: fingerprint(text) }
    }
}

// === impl KeyHead ===

#[cfg(feature = "tracing")]
impl KeyHead {
    /// Appends the encoding.
    #[inline]
    pub(crate) fn put(self, out: &mut Buffer) {
        if out.room::<HEAD_BYTES>().is_none() {
            out.reserve(HEAD_BYTES);
        }
        if let Some(room) = out.room::<HEAD_BYTES>() {
            *room = *self.padded;
            out.advance(usize::from(self.len));
        }
    }
}

// === impl AttributeKey ===

impl AttributeKey for Key {
    #[inline]
    fn text(&self) -> &str {
        self.text
    }

    #[inline]
    fn head(&self) -> Option<KeyHead> {
        self.head
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
    fn head(&self) -> Option<KeyHead> {
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

// Tags in a `KeyValue`.
pub(crate) const KEY: u8 = 0x0a;
pub(crate) const VALUE: u8 = 0x12;
