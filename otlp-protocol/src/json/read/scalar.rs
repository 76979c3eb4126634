//! Fields of scalar types: one value, or an array of values.

use super::super::error::{Fault, JsonErrorKind};
use super::super::number;
use super::{Ids, Reader, bytes};
use crate::schema::{Field, Kind, Label};
use crate::wire::{WireType, put_len_delimited, put_tag, put_varint};

// === impl Reader ===

impl Reader<'_, '_> {
    /// Reads one value. The default is not written, unless the field has presence.
    #[inline(always)]
    pub(super) fn singular(&mut self, field: &'static Field) -> Result<(), Fault> {
        let has_presence = field.label != Label::Single;
        match field.kind {
            Kind::String => self.string(field, has_presence)?,
            Kind::Bytes => self.bytes(field, has_presence)?,
            kind => match self.bits(field) {
                Ok(bits) if bits != 0 || has_presence => {
                    put_tag(self.sink.out, field.number, kind.wire_type());
                    self.put_bits(kind, bits);
                }
                Ok(_) => {}
                Err(fault) => self.ignore_unknown_name(field, fault)?,
            },
        }
        self.check_size()
    }

    /// Reads an array of values. Numbers are written packed.
    pub(super) fn elements(&mut self, field: &'static Field) -> Result<(), Fault> {
        self.lexer.expect(b'[', "an array")?;
        if self.lexer.eat(b']') {
            return Ok(());
        }
        let run = field.is_packable().then(|| {
            put_tag(self.sink.out, field.number, WireType::Len);
            self.sink.open()
        });
        self.index = Some(0);
        loop {
            match field.kind {
                Kind::String => self.string(field, true)?,
                Kind::Bytes => self.bytes(field, true)?,
                kind => match self.bits(field) {
                    Ok(bits) => self.put_bits(kind, bits),
                    Err(fault) => self.ignore_unknown_name(field, fault)?,
                },
            }
            // Two characters can make eight bytes.
            self.check_size()?;
            if !self.lexer.eat(b',') {
                break;
            }
            self.index = self.index.map(|index| index + 1);
        }
        if let Some(run) = run {
            self.sink.close(run);
        }
        self.lexer.expect(b']', "',' or ']'")
    }

    #[inline(always)]
    fn string(&mut self, field: &Field, even_if_empty: bool) -> Result<(), Fault> {
        let raw = self.lexer.string("a string")?;
        if raw.has_escapes {
            put_tag(self.sink.out, field.number, WireType::Len);
            let open = self.sink.open();
            raw.unescape_into(self.sink.out);
            self.sink.close(open);
        } else if even_if_empty || !raw.text.is_empty() {
            put_len_delimited(self.sink.out, field.number, raw.text);
        }
        Ok(())
    }

    #[inline]
    fn bytes(&mut self, field: &Field, even_if_empty: bool) -> Result<(), Fault> {
        let raw =
            self.lexer.string(if field.is_id() { "a string of hex digits" } else { "a string of base64" })?;
        let text = raw.unescape(&mut self.scratch);
        if text.is_empty() && !even_if_empty {
            return Ok(());
        }
        put_tag(self.sink.out, field.number, WireType::Len);
        let open = self.sink.open();
        let start = self.sink.len();
        let out = &mut *self.sink.out;
        let decoded = match field.is_id() {
            true => bytes::decode_hex(text, out)
                .or_else(|kind| bytes::decode_profile_id(field, text, out).ok_or(kind)),
            false => bytes::decode_base64(text, out),
        };
        // The closing quote has been read.
        let offset = self.lexer.position() - raw.text.len() - 1;
        decoded.map_err(|kind| Fault { kind, offset })?;
        let (found, expected) = (self.sink.len() - start, usize::from(field.id_len));
        if self.ids == Ids::Sound && field.is_id() && found != expected && found > 0 {
            return Err(Fault { kind: JsonErrorKind::IdLength { found, expected }, offset });
        }
        self.sink.close(open);
        Ok(())
    }

    /// Reads a value that is neither a string nor bytes. Returns the value of the varint or fixed-size field.
    #[inline(always)]
    fn bits(&mut self, field: &Field) -> Result<u64, Fault> {
        let first = self.lexer.peek();
        let start = self.lexer.position();
        if field.kind == Kind::Bool {
            let word: &[u8] = if first == b't' { b"true" } else { b"false" };
            self.lexer.literal(word, "true or false")?;
            return Ok(u64::from(first == b't'));
        }
        let text = if first == b'"' {
            self.lexer.string("a number")?.unescape(&mut self.scratch)
        } else {
            self.lexer.number(expectation(field.kind))?
        };
        let bits = match field.kind {
            Kind::Double => number::double(text).map(f64::to_bits),
            Kind::Float => number::float(text).map(|value| u64::from(value.to_bits())),
            Kind::Enum => {
                number::integer(field.kind, text).or_else(|kind| enum_value(field, text).ok_or(kind))
            }
            kind => number::integer(kind, text),
        };
        bits.map_err(|kind| Fault { kind, offset: start })
    }

    /// Ignores an unknown name of an enum value, as an unknown key: a sender with a newer schema may use it. The value has been
    /// read.
    #[cold]
    fn ignore_unknown_name(&mut self, field: &Field, fault: Fault) -> Result<(), Fault> {
        let is_name =
            matches!(self.lexer.from(fault.offset), [b'"', first, ..] if first.is_ascii_alphabetic());
        if field.kind != Kind::Enum || !is_name || !matches!(fault.kind, JsonErrorKind::Expected(_)) {
            return Err(fault);
        }
        self.unknown_keys += 1;
        Ok(())
    }

    #[inline(always)]
    fn put_bits(&mut self, kind: Kind, bits: u64) {
        let out = &mut *self.sink.out;
        match kind.wire_type() {
            WireType::Fixed64 => out.extend_from_slice(&bits.to_le_bytes()),
            WireType::Fixed32 => out.extend_from_slice(&(bits as u32).to_le_bytes()),
            _ => put_varint(out, bits),
        }
    }
}

/// Returns the number of an enum value's name. Senders must not use names (OTLP §JSON Protobuf Encoding), but some do.
#[cold]
fn enum_value(field: &Field, name: &[u8]) -> Option<u64> {
    let value = field.values.iter().find(|(known, _)| known.as_bytes() == name);
    value.map(|&(_, number)| i64::from(number) as u64)
}

fn expectation(kind: Kind) -> &'static str {
    match kind {
        Kind::Double | Kind::Float => "a number",
        Kind::Enum => "an enum's number",
        _ => "an integer",
    }
}
