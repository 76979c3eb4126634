//! Iterators over repeated fields.

use super::fields::{FieldIter, Fields, Raw, text};
use crate::wire::{Cursor, WireType};
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

/// Iterator over the views of a repeated field.
#[derive(Clone)]
pub struct Views<'a, T> {
    fields: FieldIter<'a>,
    number: u32,
    of: PhantomData<fn() -> T>,
}

/// Iterator over a repeated string. A string that is not UTF-8 reads as empty.
#[derive(Clone)]
pub struct Strings<'a>(Views<'a, &'a [u8]>);

/// Iterator over a repeated number, packed or not.
#[derive(Clone)]
pub struct Scalars<'a, T> {
    fields: FieldIter<'a>,
    number: u32,
    wire_type: WireType,
    /// Unread values of the current packed field.
    run: Cursor<'a>,
    convert: fn(u64) -> T,
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) fn views<T>(self, number: u32) -> Views<'a, T> {
        Views { fields: self.iter(), number, of: PhantomData }
    }

    pub(super) fn strings(self, number: u32) -> Strings<'a> {
        Strings(self.views(number))
    }

    /// Iterates over the values of a repeated number. `convert` converts the value of a varint or a fixed-size field.
    pub(super) fn scalars<T>(
        self,
        number: u32,
        wire_type: WireType,
        convert: fn(u64) -> T,
    ) -> Scalars<'a, T> {
        Scalars { fields: self.iter(), number, wire_type, run: Cursor::new(&[]), convert }
    }
}

// === impl Views ===

impl<'a, T: From<&'a [u8]>> Iterator for Views<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        loop {
            if let Raw::Len(value) = self.fields.next_of(self.number)? {
                return Some(T::from(value));
            }
        }
    }
}

impl<'a, T: From<&'a [u8]>> FusedIterator for Views<'a, T> {}

impl<'a, T: From<&'a [u8]> + fmt::Debug + Clone> fmt::Debug for Views<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

// === impl Strings ===

impl<'a> Iterator for Strings<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0.next().map(text)
    }
}

impl FusedIterator for Strings<'_> {}

impl fmt::Debug for Strings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

// === impl Scalars ===

impl<T> Iterator for Scalars<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            let value = match self.wire_type {
                _ if self.run.is_at_end() => None,
                WireType::Fixed64 => self.run.fixed64().ok(),
                _ => self.run.varint().ok(),
            };
            if let Some(value) = value {
                return Some((self.convert)(value));
            }
            self.run = Cursor::new(&[]);
            match self.fields.next_of(self.number)? {
                Raw::Len(run) => self.run = Cursor::new(run),
                Raw::Fixed64(value) if self.wire_type == WireType::Fixed64 => {
                    return Some((self.convert)(value));
                }
                Raw::Varint(value) if self.wire_type == WireType::Varint => {
                    return Some((self.convert)(value));
                }
                _ => {}
            }
        }
    }
}

impl<T> FusedIterator for Scalars<'_, T> {}

impl<T: fmt::Debug + Clone> fmt::Debug for Scalars<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
