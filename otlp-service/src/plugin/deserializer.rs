//! The deserializer of settings. It is one concrete type, so that the code of each type of settings is compiled once.

use super::decode_error::DecodeError;
use super::setting::{Setting, SettingList, SettingMap, SettingValue};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Expected, IntoDeserializer, Visitor};
use std::fmt;

/// Settings, to be decoded: `T::deserialize(Settings::new(&setting))`.
///
/// Numbers are asked for as numbers of their kind, texts, words, lists and maps as such. All other types take the value as it is
/// in the syntax of the application.
#[derive(Clone, Copy)]
pub struct Settings<'a>(&'a dyn Setting);

struct Items<'a> {
    items: SettingList<'a>,
    item: Option<Box<dyn Setting + 'a>>,
}

struct Entries<'a> {
    entries: SettingMap<'a>,
    entry: Option<(&'a str, Box<dyn Setting + 'a>)>,
}

// === impl Settings ===

impl<'a> Settings<'a> {
    /// Makes a deserializer of a setting and all settings below.
    pub fn new(setting: &'a dyn Setting) -> Self {
        Self(setting)
    }

    fn visit_integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_i64(self.0.integer()?)
    }

    fn visit_unsigned<'de, V: Visitor<'de>>(self, max: u64, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_u64(self.0.unsigned(max)?)
    }
}

/// Methods that read the setting in the same way as others.
macro_rules! forward {
    ($($method:ident => $target:ident($($argument:expr),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.$target($($argument,)* visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Settings<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0.value()? {
            SettingValue::Null => visitor.visit_unit(),
            SettingValue::Bool(value) => visitor.visit_bool(value),
            SettingValue::Integer(number) => visitor.visit_i64(number),
            SettingValue::Number(number) => visitor.visit_f64(number),
            SettingValue::Text(text) => visitor.visit_str(text),
            SettingValue::List(items) => visitor.visit_seq(Items { items, item: None }),
            SettingValue::Map(entries) => visitor.visit_map(Entries { entries, entry: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_bool(self.0.boolean()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_f64(self.0.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let expected: &dyn Expected = &visitor;
        match self.0.text(&expected)? {
            Some(text) => visitor.visit_str(text),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_str(self.0.text(&"a text")?.unwrap_or_default())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_given() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.newtype(name);
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Items { items: self.0.list()?, item: None })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_map(Entries { entries: self.0.map(None)?, entry: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_map(Entries { entries: self.0.map(Some(fields))?, entry: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self.0.word(variants)?.into_deserializer())
    }

    forward! {
        deserialize_i8 => visit_integer(), deserialize_i16 => visit_integer(), deserialize_i32 => visit_integer(),
        deserialize_i64 => visit_integer(), deserialize_i128 => visit_integer(),
        deserialize_u8 => visit_unsigned(u8::MAX.into()), deserialize_u16 => visit_unsigned(u16::MAX.into()),
        deserialize_u32 => visit_unsigned(u32::MAX.into()), deserialize_u64 => visit_unsigned(u64::MAX),
        deserialize_u128 => visit_unsigned(u64::MAX),
        deserialize_f32 => deserialize_f64(), deserialize_char => deserialize_string(),
    }

    serde::forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl fmt::Debug for Settings<'_> {
    /// Writes the place alone, since the value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settings").field(&self.0.place()).finish()
    }
}

// === impl Items ===

impl Items<'_> {
    fn advance(&mut self) -> Option<&dyn Setting> {
        self.item = self.items.next();
        self.item.as_deref().map(|item| item as _)
    }
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(item) = self.advance() else { return Ok(None) };
        seed.deserialize(Settings(item)).map(Some).map_err(|error| error.or_at(item.place()))
    }
}

// === impl Entries ===

impl Entries<'_> {
    fn advance(&mut self) -> Option<StrDeserializer<'_, DecodeError>> {
        self.entry = self.entries.next();
        self.entry.as_ref().map(|(key, _)| (*key).into_deserializer())
    }

    fn entry(&self) -> Result<(&str, &dyn Setting), DecodeError> {
        let entry = self.entry.as_ref().map(|(key, value)| (*key, &**value as _));
        entry.ok_or_else(|| DecodeError::new("a value without its key"))
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        self.advance().map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let (key, value) = self.entry()?;
        seed.deserialize(Settings(value)).map_err(|error| located(error, key, value))
    }
}

#[cold]
#[inline(never)]
fn located(error: DecodeError, key: &str, value: &dyn Setting) -> DecodeError {
    error.or_at(value.place()).below(key)
}

#[cfg(test)]
mod tests;
