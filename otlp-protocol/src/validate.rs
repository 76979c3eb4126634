//! The check of received bodies: whether a body is what the schema says, down to the last field.
//!
//! Bodies are merged without being decoded, so one malformed body would spoil a batch of innocents: each is checked
//! before it is acknowledged. One loop over [the table](crate::schema) walks all signals. It keeps its own stack, so
//! nesting costs no machine stack and is bounded by [`ValidateLimits::max_depth`].
//!
//! Functions are inlined by force where the bench `protocol` ("validate") takes over 2 % more instructions without.

mod attribute;
mod companion;

pub(crate) use self::companion::{Companion, Place};
use crate::attribute::{KEY_VALUE, MESSAGES};
use crate::body::survey;
use crate::error::Fault;
use crate::schema::{self, Message, Steps, step};
use crate::wire::{Cursor, MAX_GROUP_DEPTH, WireError, WireType, first_invalid, is_utf8};
use crate::{Count, DecodeError, DecodeErrorKind, Signal};

/// Bounds on what one body may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidateLimits {
    /// How deep messages and unknown groups may be nested, counted together. Default 100, as prost and Google's runtimes
    /// have it; a list inside a list costs two, a map inside a map three, and an unknown field is a level of its own.
    pub max_depth: usize,
    /// How many messages may be nested in the request, at any level: two bytes can make one that costs a decoder a
    /// hundred. Default 16 Mi.
    pub max_elements: usize,
}

/// What [`validate`] learned about a sound body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How much it holds.
    pub count: Count,
    /// Whether concatenating it with another is the merge of the two: its top level holds field 1 alone, and it has no
    /// unknown groups, which not every decoder can skip (the Collector cannot).
    pub mergeable: bool,
}

/// Checks that `body` is a request of `signal`, and counts what it holds, in one go.
///
/// Sound means: every field of the schema has its wire type (repeated scalars packed or not), every length fits what
/// encloses it, every string is UTF-8, every id is empty or has the length of its kind, and the limits hold. Fields that
/// the schema does not know are skipped, groups with all that is in them. What is sound here decodes with any protobuf
/// runtime, and with decoders that check the lengths of ids; [`repair`](crate::repair()) makes bodies sound that have
/// bad strings or ids alone.
///
/// # Errors
/// The first fault, with the path of its field.
pub fn validate(signal: Signal, body: &[u8], limits: &ValidateLimits) -> Result<Checked, DecodeError> {
    check(signal, body, limits, &mut Refuse)
}

/// [`validate`] with a companion.
pub(crate) fn check(
    signal: Signal,
    body: &[u8],
    limits: &ValidateLimits,
    companion: &mut impl Companion,
) -> Result<Checked, DecodeError> {
    let fault = |fault| DecodeError::locate(signal.request, body, fault);
    if body.len() > MAX_BYTES {
        return Err(fault(Fault { kind: DecodeErrorKind::TooLong { limit: MAX_BYTES }, offset: 0 }));
    }
    let has_groups = walk(signal.request, body, limits, companion).map_err(fault)?;
    match survey(signal, body) {
        Ok(survey) => Ok(Checked { count: survey.count, mergeable: survey.mergeable && !has_groups }),
        Err(error) => Err(fault(Fault { kind: error.into(), offset: 0 })),
    }
}

/// Checks that `bytes` are a `message`, within the default limits, to be put into a request by a writer.
///
/// # Errors
/// The first fault; also an unknown group, with which a request would not be mergeable.
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
    /// Whether one more message fits in `depth` others, of `elements` so far.
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

/// Finds fault with all that is not sound.
struct Refuse;

impl Companion for Refuse {
    #[inline]
    fn enter(&mut self, _message: &'static Message, _place: &Place) {}

    #[inline]
    fn leave(&mut self) {}

    #[inline]
    fn invalid_utf8(&mut self, _place: &Place, _text: &[u8]) -> Result<(), DecodeErrorKind> {
        Err(DecodeErrorKind::Utf8)
    }

    #[inline]
    fn invalid_id(&mut self, _place: &Place, kind: DecodeErrorKind) -> Result<(), DecodeErrorKind> {
        Err(kind)
    }
}

/// The message around the one being read, and where it ends.
struct Outer {
    message: &'static Message,
    end: usize,
}

/// Reads a body to its end. Returns whether it has unknown groups.
///
/// # Errors
/// The first fault.
fn walk(
    root: &'static Message,
    body: &[u8],
    limits: &ValidateLimits,
    companion: &mut impl Companion,
) -> Result<bool, Fault> {
    let mut has_groups = false;
    let mut outer: Vec<Outer> = Vec::with_capacity(16);
    let mut message = root;
    // The body up to the end of the innermost message: nothing is read past it.
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
                companion.enter(child, &Place { start, prefix: value..from, end: to });
                (message, window, at) = (child, &window[..to], from);
            } else if step == step::STRING {
                let (from, to) = length(window, value).map_err(|error| fault(error.into()))?;
                if !is_utf8(body, from, to) {
                    let place = Place { start, prefix: value..from, end: to };
                    invalid_string(&place, &window[from..to], companion)?;
                }
                at = to;
            } else {
                at = match scalar(step, window, value) {
                    Ok(end) => end,
                    Err(kind) => invalid(kind, window, start, value, companion).map_err(fault)?,
                };
            }
        }
        match outer.pop() {
            Some(Outer { message: around, end }) => {
                companion.leave();
                (message, window) = (around, &body[..end]);
            }
            None => return Ok(has_groups),
        }
    }
}

/// Asks the companion about a string that is not UTF-8.
#[cold]
fn invalid_string(place: &Place, string: &[u8], companion: &mut impl Companion) -> Result<(), Fault> {
    companion.invalid_utf8(place, string).map_err(|kind| {
        let offset = place.prefix.end + first_invalid(string);
        Fault { kind, offset }
    })
}

/// Asks the companion about a field that is not sound, if it is an id; where the field ends.
#[cold]
fn invalid(
    kind: DecodeErrorKind,
    window: &[u8],
    start: usize,
    value: usize,
    companion: &mut impl Companion,
) -> Result<usize, DecodeErrorKind> {
    if !matches!(kind, DecodeErrorKind::IdLength { .. }) {
        return Err(kind);
    }
    let (from, end) = length(window, value)?;
    companion.invalid_id(&Place { start, prefix: value..from, end }, kind)?;
    Ok(end)
}

/// The step for a tag of one byte, or of two bytes that names a field up to [`schema::MAX_NUMBER`]; and where the value
/// starts.
#[inline(always)]
fn short_tag(steps: &Steps, window: &[u8], at: usize) -> (u8, usize) {
    match window[at..] {
        [tag, ..] if tag < 0x80 => (steps[usize::from(tag)], at + 1),
        [low, high @ (0 | 1), ..] => (steps[usize::from(low & 0x7f | high << 7)], at + 2),
        _ => (step::UNKNOWN, at),
    }
}

/// The step for any other tag: a padded one, a field of the schema with a wrong wire type, an unknown field. The
/// latter's value is skipped: its step is [`SKIPPED`], or [`SKIPPED_GROUP`].
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
    // prost counts an unknown field as a level; upb wants one left inside each group.
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

/// Where the value of a field that is neither a message nor a string ends.
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

/// Where an id ends, which has `expected` bytes or none.
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

/// Reads a length; where the bytes it speaks of start and end.
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

/// Reads a varint; its value and where it ends.
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

/// How many messages are around the one being read, and how many may be.
#[derive(Clone, Copy)]
struct Depth {
    used: usize,
    limit: usize,
}

/// The steps of a group and of any other field that has been skipped.
const SKIPPED_GROUP: u8 = 14;
const SKIPPED: u8 = 15;

/// Google's runtimes keep lengths in 31 bits.
pub(crate) const MAX_BYTES: usize = i32::MAX as usize;

const _: () = assert!(SKIPPED < step::MESSAGE && SKIPPED_GROUP > step::ID16 && WireType::Fixed32 as u8 == 5);
