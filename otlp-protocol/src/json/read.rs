//! JSON to protobuf: one walk over [the schema table](crate::schema) for all messages.
//!
//! The reader reads the text once, from left to right, and writes each field when it is read. It keeps its own stack: nesting
//! costs no machine stack.

mod attribute;
mod bytes;
mod scalar;
mod sink;

use super::error::{Fault, JsonError, JsonErrorKind};
use super::lexer::Lexer;
use super::{JsonLimits, Read};
use crate::attribute::{KEY_VALUE, MESSAGES};
use crate::error::Path;
use crate::schema::{Field, Label, Message};
use crate::wire::{WireType, put_tag};
use sink::{OpenLength, Sink};

/// Reads `text`, one object, as `message`, and appends its protobuf to `out`.
pub(super) fn read(
    message: &'static Message,
    text: &[u8],
    limits: &JsonLimits,
    ids: Ids,
    out: &mut Vec<u8>,
) -> Result<Read, JsonError> {
    let start = out.len();
    let lexer = Lexer::new(text)?;
    // Protobuf is a third to a half of the text.
    out.reserve(text.len() / 2);
    let mut reader = Reader {
        lexer,
        sink: Sink::new(out),
        limits,
        ids,
        outer: Vec::with_capacity(16),
        frame: Frame { message, field: None, index: None, open: None, next: 0, seen: 0, arms: 0 },
        field: None,
        index: None,
        elements: 0,
        unknown_keys: 0,
        scratch: Vec::new(),
    };
    match reader.walk() {
        Ok(()) => {
            let read = Read { unknown_keys: reader.unknown_keys };
            reader.sink.finish();
            Ok(read)
        }
        Err(fault) => {
            let path = reader.path();
            out.truncate(start);
            Err(JsonError { path, ..fault.into() })
        }
    }
}

/// Check of the lengths of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// Accepts all lengths.
    OfAnyLength,
    /// Accepts ids that are empty or have the length of their kind.
    Sound,
}

struct Reader<'a, 'o> {
    lexer: Lexer<'a>,
    sink: Sink<'o>,
    limits: &'a JsonLimits,
    ids: Ids,
    /// The messages around the current one.
    outer: Vec<Frame>,
    frame: Frame,
    /// The current member, and the index of the current element in an array: the end of the path of a fault.
    field: Option<&'static Field>,
    index: Option<usize>,
    elements: usize,
    unknown_keys: u64,
    scratch: Vec<u8>,
}

/// A message being read.
struct Frame {
    message: &'static Message,
    /// The parent's field, and the index if the field is repeated.
    field: Option<&'static Field>,
    index: Option<usize>,
    /// Length of the message in protobuf; `None` for the outermost message.
    open: Option<OpenLength>,
    /// Index of the field that is likely to come next.
    next: usize,
    /// A bit for each field that has been read, by its number.
    seen: u32,
    /// A bit for each oneof of which an arm has been read.
    arms: u8,
}

/// Next element of the text.
enum Step {
    /// The first member of an object, or its end.
    Begin,
    /// A member.
    Member,
    /// The text after a member: a further member, or the end of the object.
    After,
    /// The end of the object has been read.
    End,
}

// === impl Reader ===

impl Reader<'_, '_> {
    fn walk(&mut self) -> Result<(), Fault> {
        self.lexer.expect(b'{', "an object")?;
        let mut step = Step::Begin;
        loop {
            step = match step {
                Step::Begin if self.lexer.eat(b'}') => Step::End,
                Step::Begin | Step::Member => self.member()?,
                Step::After if self.lexer.eat(b',') => Step::Member,
                Step::After => {
                    self.lexer.expect(b'}', "',' or '}'")?;
                    Step::End
                }
                Step::End => match self.outer.pop() {
                    Some(outer) => self.leave(outer)?,
                    None => return self.lexer.end(),
                },
            }
        }
    }

    /// Reads a member of the object. If the member is a message, reads only its start.
    #[inline]
    fn member(&mut self) -> Result<Step, Fault> {
        let Some(field) = self.key()? else {
            self.lexer.skip_value()?;
            return Ok(Step::After);
        };
        if self.lexer.eat_null()? {
            return Ok(Step::After);
        }
        if let Label::OneOf(oneof) = field.label {
            let arm = 1 << oneof;
            if self.frame.arms & arm != 0 {
                return Err(self.fault(JsonErrorKind::SecondArm));
            }
            self.frame.arms |= arm;
        }
        match (field.is_repeated(), field.message()) {
            (false, None) => self.singular(field)?,
            (false, Some(child)) => return self.enter(field, child),
            (true, None) => self.elements(field)?,
            (true, Some(child)) => {
                self.lexer.expect(b'[', "an array")?;
                if !self.lexer.eat(b']') {
                    self.index = Some(0);
                    return self.element(field, child);
                }
            }
        }
        Ok(Step::After)
    }

    /// Reads a key and the colon. An unknown key is counted.
    #[inline]
    fn key(&mut self) -> Result<Option<&'static Field>, Fault> {
        (self.field, self.index) = (None, None);
        if self.lexer.peek() != b'"' {
            return Err(self.lexer.expected("a key"));
        }
        let start = self.lexer.position();
        let place = match self.known_key() {
            Some(place) => Some(place),
            None => self.other_key()?,
        };
        self.field = place.and_then(|place| self.frame.message.fields.get(place));
        self.lexer.expect(b':', "':'")?;
        let (Some(field), Some(place)) = (self.field, place) else {
            self.unknown_keys += 1;
            return Ok(None);
        };
        let bit = 1 << field.number;
        if self.frame.seen & bit != 0 {
            return Err(Fault { kind: JsonErrorKind::Duplicate, offset: start });
        }
        self.frame.seen |= bit;
        self.frame.next = place + 1;
        Ok(Some(field))
    }

    /// Passes over a known key without escapes: usually the key of one of the next fields.
    #[inline]
    fn known_key(&mut self) -> Option<usize> {
        let key = self.lexer.rest().get(1..)?;
        let fields = self.frame.message.fields;
        let next = self.frame.next.min(fields.len());
        let is_key = |name: &str| key.get(name.len()) == Some(&b'"') && key.starts_with(name.as_bytes());
        let after = fields[next..].iter().position(|field| is_key(field.json_name)).map(|place| next + place);
        let place = after.or_else(|| fields[..next].iter().position(|field| is_key(field.json_name)))?;
        self.lexer.advance(1 + fields[place].json_name.len() + 1);
        Some(place)
    }

    /// Passes over any other key: an unknown key, or a key with escapes.
    #[cold]
    fn other_key(&mut self) -> Result<Option<usize>, Fault> {
        let key = self.lexer.string("a key")?.unescape(&mut self.scratch);
        Ok(self.frame.message.fields.iter().position(|field| field.json_name.as_bytes() == key))
    }

    /// Reads elements of a repeated message by the fast path, and the start of the first element that needs the walk.
    #[inline]
    fn element(&mut self, field: &'static Field, child: &'static Message) -> Result<Step, Fault> {
        if std::ptr::eq(child, KEY_VALUE) && self.outer.len() + MESSAGES <= self.limits.max_depth {
            while self.limits.max_elements - self.elements >= MESSAGES {
                let Some(len) = attribute::read(self.lexer.rest(), field.number, self.sink.out) else {
                    break;
                };
                self.lexer.advance(len);
                self.elements += MESSAGES;
                if !self.lexer.eat(b',') {
                    self.lexer.expect(b']', "',' or ']'")?;
                    return Ok(Step::After);
                }
                self.index = self.index.map(|index| index + 1);
            }
            self.check_size()?;
        }
        self.enter(field, child)
    }

    #[inline]
    fn enter(&mut self, field: &'static Field, message: &'static Message) -> Result<Step, Fault> {
        self.lexer.expect(b'{', "an object")?;
        if self.outer.len() >= self.limits.max_depth {
            return Err(self.fault(JsonErrorKind::TooDeep { limit: self.limits.max_depth }));
        }
        if self.elements >= self.limits.max_elements {
            return Err(self.fault(JsonErrorKind::TooManyElements { limit: self.limits.max_elements }));
        }
        self.elements += 1;
        put_tag(self.sink.out, field.number, WireType::Len);
        let open = Some(self.sink.open());
        let inner = Frame { message, field: Some(field), index: self.index, open, next: 0, seen: 0, arms: 0 };
        self.outer.push(std::mem::replace(&mut self.frame, inner));
        self.field = None;
        Ok(Step::Begin)
    }

    #[inline]
    fn leave(&mut self, outer: Frame) -> Result<Step, Fault> {
        let Frame { message, field, index, open, .. } = std::mem::replace(&mut self.frame, outer);
        (self.field, self.index) = (field, index);
        if let Some(open) = open {
            self.sink.close(open);
        }
        self.check_size()?;
        let Some(field) = field.filter(|field| field.is_repeated()) else { return Ok(Step::After) };
        if self.lexer.eat(b',') {
            self.index = self.index.map(|index| index + 1);
            return self.element(field, message);
        }
        self.lexer.expect(b']', "',' or ']'")?;
        Ok(Step::After)
    }

    #[inline]
    fn check_size(&self) -> Result<(), Fault> {
        if self.sink.len() > self.limits.max_bytes {
            return Err(self.fault(JsonErrorKind::TooLarge { limit: self.limits.max_bytes }));
        }
        Ok(())
    }

    #[cold]
    fn fault(&self, kind: JsonErrorKind) -> Fault {
        Fault { kind, offset: self.lexer.position() }
    }

    /// Returns the path of the current field.
    #[cold]
    fn path(&self) -> String {
        let mut path = Path::default();
        let frames = self.outer.iter().chain([&self.frame]).map(|frame| (frame.field, frame.index));
        for (field, index) in frames.chain([(self.field, self.index)]) {
            match (field, index) {
                (Some(field), Some(index)) => path.push(format!("{}[{index}]", field.json_name)),
                (Some(field), None) => path.push(field.json_name.to_owned()),
                (None, _) => {}
            }
        }
        path.finish()
    }
}
