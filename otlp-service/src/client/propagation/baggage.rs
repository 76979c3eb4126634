//! Baggage: names and values that accompany a request through all services. W3C Baggage.

use std::fmt;

/// Names and values that accompany a request through all services: at most 64, and 8192 bytes in the header.
///
/// Whoever receives the requests can read them.
///
/// ```
/// use otlp_service::client::Baggage;
///
/// let mut baggage = Baggage::from_headers(["tenant=a%20b;ttl=60".as_bytes()]);
/// assert_eq!(baggage.get("tenant"), Some("a b"));
/// baggage.insert("plan", "50 %")?;
/// assert_eq!(baggage.to_string(), "tenant=a%20b;ttl=60,plan=50%20%25");
/// # Ok::<(), otlp_service::client::BaggageError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage {
    members: Vec<Member>,
    /// Members of received headers that were left out.
    dropped: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    value: String,
    /// Properties, separated by `;`, as they are in the header.
    metadata: String,
}

/// A member that baggage cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaggageError {
    /// The name is empty, or has characters that W3C Baggage does not allow.
    #[error("baggage name {0:?}: use letters, digits and any of !#$%&'*+-.^_`|~")]
    Name(String),
    /// The metadata has characters that W3C Baggage does not allow.
    #[error("baggage metadata {0:?}: use printable ASCII characters other than a comma")]
    Metadata(String),
    /// There is no room for the member.
    #[error("baggage is full: it has 64 members or 8192 bytes at most; remove a member")]
    Full,
}

// === impl Baggage ===

impl Baggage {
    /// Makes baggage without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the values of all headers `baggage` of a request. Of a name that is there twice the last value counts. Members that
    /// are invalid or beyond the limits are left out, and counted in [`dropped`](Self::dropped).
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut baggage = Self::default();
        let mut used = 0;
        for member in headers.into_iter().flat_map(|header| header.split(|&byte| byte == b',')) {
            let member = member.trim_ascii();
            if member.is_empty() {
                continue;
            }
            let is_put = (member.len() <= MAX_BYTES && baggage.members.len() < MAX_MEMBERS)
                .then(|| Member::parse(member))
                .flatten()
                .is_some_and(|member| baggage.put(member, &mut used));
            baggage.dropped += u64::from(!is_put);
        }
        baggage
    }

    /// Returns the value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.member(name).map(|member| &*member.value)
    }

    /// Returns the metadata of a name: properties, separated by `;`. Empty if there are none.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.member(name).map(|member| &*member.metadata)
    }

    /// Sets the value of a name, without metadata.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), BaggageError> {
        self.insert_with_metadata(name, value, "")
    }

    /// Sets the value of a name, with metadata: properties such as `ttl=60`, separated by `;`.
    pub fn insert_with_metadata(
        &mut self,
        name: &str,
        value: &str,
        metadata: &str,
    ) -> Result<(), BaggageError> {
        if !is_token(name) {
            return Err(BaggageError::Name(name.into()));
        }
        if !is_metadata(metadata.as_bytes()) {
            return Err(BaggageError::Metadata(metadata.into()));
        }
        let member =
            Member { name: name.into(), value: value.into(), metadata: metadata.trim_ascii().into() };
        let mut used = self.members.iter().map(Member::len).sum();
        self.put(member, &mut used).then_some(()).ok_or(BaggageError::Full)
    }

    /// Removes a name. Returns true if it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.members.len();
        self.members.retain(|member| member.name != name);
        self.members.len() < before
    }

    /// Returns the names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|member| (&*member.name, &*member.value))
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True if there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Number of members of the received headers that were left out.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Puts a member in, if there is room; `used` is the length of all members in the header.
    fn put(&mut self, member: Member, used: &mut usize) -> bool {
        let old = self.members.iter().position(|other| other.name == member.name);
        let old_len = old.and_then(|index| self.members.get(index)).map_or(0, Member::len);
        let new_used = *used - old_len + member.len();
        // Each member brings a comma, of which the header has one less.
        if new_used > MAX_BYTES + 1 || old.is_none() && self.members.len() >= MAX_MEMBERS {
            return false;
        }
        *used = new_used;
        match old.and_then(|index| self.members.get_mut(index)) {
            Some(old) => *old = member,
            None => self.members.push(member),
        }
        true
    }
}

/// The value of the header `baggage`.
impl fmt::Display for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Member { name, value, metadata }) in self.members.iter().enumerate() {
            write!(f, "{}{name}=", if index == 0 { "" } else { "," })?;
            for byte in value.bytes() {
                if is_plain(byte) {
                    write!(f, "{}", char::from(byte))?;
                } else {
                    write!(f, "%{byte:02X}")?;
                }
            }
            write!(f, "{}{metadata}", if metadata.is_empty() { "" } else { ";" })?;
        }
        Ok(())
    }
}

// === impl Member ===

impl Member {
    /// Reads `<name>=<value>;<metadata>`. Escapes that are no UTF-8 become U+FFFD, as W3C Baggage §3.3.1.2 has it.
    fn parse(member: &[u8]) -> Option<Self> {
        let (pair, metadata) = split_once(member, b';').unwrap_or((member, &[]));
        let (name, value) = split_once(pair, b'=')?;
        let name = std::str::from_utf8(name.trim_ascii()).ok().filter(|name| is_token(name))?;
        let is_valid = is_metadata(value) && is_metadata(metadata);
        let metadata = std::str::from_utf8(metadata.trim_ascii()).ok().filter(|_| is_valid)?;
        let value = String::from_utf8_lossy(&unescaped(value.trim_ascii())).into_owned();
        Some(Self { name: name.into(), value, metadata: metadata.into() })
    }

    /// Length in the header, with a comma.
    fn len(&self) -> usize {
        let value: usize = self.value.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum();
        let metadata = if self.metadata.is_empty() { 0 } else { self.metadata.len() + 1 };
        self.name.len() + 1 + value + metadata + 1
    }
}

/// Replaces `%` and two hexadecimal digits by the byte; a `%` without digits stays.
fn unescaped(mut text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::with_capacity(text.len());
    while let [first, rest @ ..] = text {
        text = rest;
        let escaped = match rest {
            [high, low, after @ ..] if *first == b'%' => {
                digit(*high).zip(digit(*low)).map(|(high, low)| (high << 4 | low, after))
            }
            _ => None,
        };
        match escaped {
            Some((byte, after)) => {
                bytes.push(byte);
                text = after;
            }
            None => bytes.push(*first),
        }
    }
    bytes
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// True for a token of HTTP.
fn is_token(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_allowed)
}

fn is_metadata(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~') && *byte != b',')
}

/// True for the bytes of a value that need no escape: baggage-octets without `%`.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !b"\"%,;\\".contains(&byte)
}

const MAX_MEMBERS: usize = 64;
/// The most bytes of the header's value.
const MAX_BYTES: usize = 8192;
