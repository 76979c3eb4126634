//! Validation of received bodies against the schema, down to the last field.
//!
//! Bodies are merged without being decoded, so that one malformed body would make a whole batch unreadable: each body is
//! validated before it is acknowledged. One loop over [the schema table](crate::schema) walks the requests of all signals. It
//! keeps its own stack: nesting costs no machine stack and is limited by [`ValidateLimits::max_depth`].

// Functions are `inline(always)` where the bench `protocol` ("validate") takes over 2 % more instructions otherwise.

mod attribute;
mod visitor;

pub(crate) use self::visitor::{Extent, Visitor};
use crate::attribute::{KEY_VALUE, MESSAGES};
use crate::body::survey;
use crate::error::Fault;
use crate::schema::{self, Message, Steps, step};
use crate::wire::{Cursor, MAX_GROUP_DEPTH, WireError, WireType, first_invalid, is_utf8};
use crate::{Count, DecodeError, DecodeErrorKind, Signal};

/// Limits on one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidateLimits {
    /// The most messages and unknown groups inside one another. Default 100, as in prost and Google's runtimes. A list inside a
    /// list counts two, a map inside a map three, an unknown field one.
    pub max_depth: usize,
    /// The most messages in the request, at all levels together. Default 16 Mi. Two bytes can encode a message that takes a
    /// decoder a hundred bytes.
    pub max_elements: usize,
}

/// Result of [`validate`] for a valid body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Number of items and entries.
    pub count: Count,
    /// True if the concatenation with another mergeable body is the merge of the two: the top level holds field 1 alone, and
    /// there are no unknown groups, which some decoders cannot skip (the Collector's, for example).
    pub mergeable: bool,
}

/// Validates that `body` is a request of `signal`, and counts its items.
///
/// A body is valid if every known field has its wire type (repeated scalars packed or not), every length fits the enclosing
/// message, every string is UTF-8, every id is empty or has the length of its kind, and the limits hold. Unknown fields and
/// groups are skipped. A valid body decodes with any protobuf runtime, and with decoders that check the lengths of ids.
/// [`repair`](crate::repair()) also accepts bodies with invalid strings or ids. [`Body::check`](crate::Body::check) validates
/// and keeps the bytes.
///
/// ```
/// use otlp_protocol::{Signal, ValidateLimits, validate};
///
/// assert_eq!(validate(Signal::LOGS, b"", &ValidateLimits::default())?.count.items, 0);
/// let error = validate(Signal::LOGS, b"not protobuf", &ValidateLimits::default()).unwrap_err();
/// assert_eq!(error.offset, 0);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
///
/// # Errors
/// The first fault, with the path of its field.
pub fn validate(signal: Signal, body: &[u8], limits: &ValidateLimits) -> Result<Checked, DecodeError> {
    check(signal, body, limits, &mut Refuse)
}

/// Validates as [`validate`] does, with a visitor that decides on invalid strings and ids.
pub(crate) fn check(
    signal: Signal,
    body: &[u8],
    limits: &ValidateLimits,
    visitor: &mut impl Visitor,
) -> Result<Checked, DecodeError> {
    let fault = |fault| DecodeError::locate(signal.request, body, fault);
    if body.len() > MAX_BYTES {
        return Err(fault(Fault { kind: DecodeErrorKind::TooLong { limit: MAX_BYTES }, offset: 0 }));
    }
    let has_groups = walk(signal.request, body, limits, visitor).map_err(fault)?;
    match survey(signal, body) {
        Ok(survey) => Ok(Checked { count: survey.count, mergeable: survey.mergeable && !has_groups }),
        Err(error) => Err(fault(Fault { kind: error.into(), offset: 0 })),
    }
}

/// Validates one `message` that a writer is about to copy into a request, within the default limits.
///
/// # Errors
/// The first fault. An unknown group is a fault: the request would not be mergeable.
pub(crate) fn check_message(message: &'static Message, bytes: &[u8]) -> Result<(), DecodeError> {
    let fault = match walk(message, bytes, &ValidateLimits::default(), &mut Refuse) {
        Ok(false) => return Ok(()),
        Ok(true) => Fault {
            kind: DecodeErrorKind::WrongWireType { found: WireType::StartGroup },
            offset: bytes.len(),
        },
        Err(fault) => fault,
    };
    Err(DecodeError::locate(message, bytes, fault))
}

// === impl ValidateLimits ===

impl ValidateLimits {
    /// Checks that one more message is within the limits, inside `depth` others and after `elements` messages.
    #[inline(always)]
    fn admit(&self, depth: usize, elements: usize) -> Result<(), DecodeErrorKind> {
        if depth >= self.max_depth {
            return Err(DecodeErrorKind::TooDeep { limit: self.max_depth });
        }
        if elements >= self.max_elements {
            return Err(DecodeErrorKind::TooManyElements { limit: self.max_elements });
        }
        Ok(())
    }
}

impl Default for ValidateLimits {
    fn default() -> Self {
        Self { max_depth: 100, max_elements: 16 << 20 }
    }
}

/// Refuses all invalid strings and ids.
struct Refuse;

impl Visitor for Refuse {
    #[inline]
    fn enter(&mut self, _message: &'static Message, _place: &Extent) {}

    #[inline]
    fn leave(&mut self) {}

    #[inline]
    fn invalid_utf8(&mut self, _place: &Extent, _text: &[u8]) -> Result<(), DecodeErrorKind> {
        Err(DecodeErrorKind::Utf8)
    }

    #[inline]
    fn invalid_id(&mut self, _place: &Extent, kind: DecodeErrorKind) -> Result<(), DecodeErrorKind> {
        Err(kind)
    }
}

/// A message around the current one, and its end.
struct Outer {
    message: &'static Message,
    end: usize,
}

/// Reads a body to its end. Returns true if it has unknown groups.
///
/// # Errors
/// The first fault.
fn walk(
    root: &'static Message,
    body: &[u8],
    limits: &ValidateLimits,
    visitor: &mut impl Visitor,
) -> Result<bool, Fault> {
    let mut has_groups = false;
    let mut outer: Vec<Outer> = Vec::with_capacity(16);
    let mut message = root;
    // The body up to the end of the innermost message. Nothing is read past it.
    let mut window = body;
    let mut at = 0;
    let mut elements = 0;
    loop {
        while at < window.len() {
            crate::wire::count_work(1);
            let start = at;
            let fault = |kind: DecodeErrorKind| Fault { kind, offset: start };
            let (mut step, mut value) = short_tag(&message.steps, window, start);
            if step == step::UNKNOWN {
                let depth = Depth { used: outer.len(), limit: limits.max_depth };
                (step, value) = other_tag(&message.steps, window, start, depth).map_err(fault)?;
                has_groups |= step == SKIPPED_GROUP;
            }
            if step >= step::MESSAGE {
                let (from, to) = length(window, value).map_err(|error| fault(error.into()))?;
                let Some(child) = message.of_step(step) else {
                    at = to;
                    continue;
                };
                if std::ptr::eq(child, KEY_VALUE) && outer.len() + MESSAGES <= limits.max_depth {
                    let most = (limits.max_elements - elements) / MESSAGES;
                    let (next, count) = attribute::pass(body, start, window.len(), most);
                    if count > 0 {
                        elements += count * MESSAGES;
                        at = next;
                        continue;
                    }
                }
                limits.admit(outer.len(), elements).map_err(fault)?;
                elements += 1;
                outer.push(Outer { message, end: window.len() });
                visitor.enter(child, &Extent { start, prefix: value..from, end: to });
                (message, window, at) = (child, &window[..to], from);
            } else if step == step::STRING {
                let (from, to) = length(window, value).map_err(|error| fault(error.into()))?;
                if !is_utf8(body, from, to) {
                    let place = Extent { start, prefix: value..from, end: to };
                    invalid_string(&place, &window[from..to], visitor)?;
                }
                at = to;
            } else {
                at = match scalar(step, window, value) {
                    Ok(end) => end,
                    Err(kind) => invalid(kind, window, start, value, visitor).map_err(fault)?,
                };
            }
        }
        match outer.pop() {
            Some(Outer { message: around, end }) => {
                visitor.leave();
                (message, window) = (around, &body[..end]);
            }
            None => return Ok(has_groups),
        }
    }
}

/// Asks the visitor about a string that is not UTF-8.
#[cold]
fn invalid_string(place: &Extent, string: &[u8], visitor: &mut impl Visitor) -> Result<(), Fault> {
    visitor.invalid_utf8(place, string).map_err(|kind| {
        let offset = place.prefix.end + first_invalid(string);
        Fault { kind, offset }
    })
}

/// Asks the visitor about an invalid field, if it is an id. Returns the end of the field.
#[cold]
fn invalid(
    kind: DecodeErrorKind,
    window: &[u8],
    start: usize,
    value: usize,
    visitor: &mut impl Visitor,
) -> Result<usize, DecodeErrorKind> {
    if !matches!(kind, DecodeErrorKind::IdLength { .. }) {
        return Err(kind);
    }
    let (from, end) = length(window, value)?;
    visitor.invalid_id(&Extent { start, prefix: value..from, end }, kind)?;
    Ok(end)
}

/// Returns the step for a tag of one byte, or of two bytes with a field number up to [`schema::MAX_NUMBER`], and the start of
/// the value.
#[inline(always)]
fn short_tag(steps: &Steps, window: &[u8], at: usize) -> (u8, usize) {
    match window[at..] {
        [tag, ..] if tag < 0x80 => (steps[usize::from(tag)], at + 1),
        [low, high @ (0 | 1), ..] => (steps[usize::from(low & 0x7f | high << 7)], at + 2),
        _ => (step::UNKNOWN, at),
    }
}

/// Returns the step for any other tag: a padded tag, a known field with a wrong wire type, an unknown field. The value of an
/// unknown field is skipped: its step is [`SKIPPED`] or [`SKIPPED_GROUP`].
#[cold]
fn other_tag(steps: &Steps, window: &[u8], at: usize, depth: Depth) -> Result<(u8, usize), DecodeErrorKind> {
    let mut cursor = Cursor::new(window);
    cursor.skip_bytes(at)?;
    let (number, wire_type) = cursor.tag()?;
    if number <= schema::MAX_NUMBER {
        let of_number = &steps[number as usize * 8..][..8];
        match of_number[wire_type as usize] {
            step::UNKNOWN if of_number.iter().any(|&step| step != step::UNKNOWN) => {
                return Err(DecodeErrorKind::WrongWireType { found: wire_type });
            }
            step::UNKNOWN => {}
            step => return Ok((step, cursor.position())),
        }
    }
    // prost counts an unknown field as a level. upb requires a free level inside each group.
    let too_deep = DecodeErrorKind::TooDeep { limit: depth.limit };
    let left = depth.limit.saturating_sub(depth.used).min(MAX_GROUP_DEPTH);
    if left == 0 {
        return Err(too_deep);
    }
    if wire_type != WireType::StartGroup {
        cursor.skip_value(number, wire_type)?;
        return Ok((SKIPPED, cursor.position()));
    }
    cursor.skip_group(number, left - 1).map_err(|error| match error {
        WireError::GroupDepth => too_deep,
        error => error.into(),
    })?;
    Ok((SKIPPED_GROUP, cursor.position()))
}

/// Returns the end of a value that is neither a message nor a string.
#[inline(always)]
fn scalar(step: u8, window: &[u8], at: usize) -> Result<usize, DecodeErrorKind> {
    match step {
        step::VARINT => Ok(varint(window, at)?.1),
        step::FIXED64 => fixed(window, at, 8),
        step::FIXED32 => fixed(window, at, 4),
        step::BYTES => Ok(length(window, at)?.1),
        step::ID16 => id(window, at, 16),
        step::ID8 => id(window, at, 8),
        SKIPPED | SKIPPED_GROUP => Ok(at),
        _ => packed(step, window, at),
    }
}

/// Returns the end of an id, which must have `expected` bytes or be empty.
#[inline(always)]
fn id(window: &[u8], at: usize, expected: usize) -> Result<usize, DecodeErrorKind> {
    let (from, to) = length(window, at)?;
    let found = to - from;
    if found == expected || found == 0 { Ok(to) } else { Err(DecodeErrorKind::IdLength { found, expected }) }
}

#[inline(always)]
fn fixed(window: &[u8], at: usize, len: usize) -> Result<usize, DecodeErrorKind> {
    if window.len() - at < len { Err(WireError::Truncated.into()) } else { Ok(at + len) }
}

fn packed(step: u8, window: &[u8], at: usize) -> Result<usize, DecodeErrorKind> {
    let (from, to) = length(window, at)?;
    let whole = match step {
        step::PACKED_FIXED64 => (to - from) % 8 == 0,
        step::PACKED_FIXED32 => (to - from) % 4 == 0,
        _ => {
            let run = &window[..to];
            let mut at = from;
            while at < to {
                at = varint(run, at)?.1;
            }
            true
        }
    };
    if whole { Ok(to) } else { Err(DecodeErrorKind::Packed) }
}

/// Reads a length. Returns the start and the end of the bytes after it.
#[inline(always)]
fn length(window: &[u8], at: usize) -> Result<(usize, usize), WireError> {
    let (len, from) = match window.get(at) {
        Some(&byte) if byte < 0x80 => (u64::from(byte), at + 1),
        _ => long_length(window, at)?,
    };
    // `from` is at most the window's length.
    if len > (window.len() - from) as u64 {
        return Err(WireError::LengthPastEnd);
    }
    Ok((from, from + len as usize))
}

/// Reads a varint. Returns its value and its end.
#[inline(always)]
fn varint(window: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    match window.get(at) {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), at + 1)),
        _ => long_varint(window, at),
    }
}

#[inline(never)]
fn long_varint(window: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    let mut cursor = Cursor::new(window.get(at..).unwrap_or_default());
    let value = cursor.varint()?;
    Ok((value, at + cursor.position()))
}

#[inline(never)]
fn long_length(window: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    let mut cursor = Cursor::new(window.get(at..).unwrap_or_default());
    let len = cursor.short_varint()?;
    Ok((len, at + cursor.position()))
}

/// Number of messages around the current one, and the limit.
#[derive(Clone, Copy)]
struct Depth {
    used: usize,
    limit: usize,
}

/// The steps of a group and of any other field that has been skipped.
const SKIPPED_GROUP: u8 = 14;
const SKIPPED: u8 = 15;

/// The largest request: Google's runtimes keep lengths in 31 bits.
pub(crate) const MAX_BYTES: usize = i32::MAX as usize;

const _: () = assert!(SKIPPED < step::MESSAGE && SKIPPED_GROUP > step::ID16 && WireType::Fixed32 as u8 == 5);
