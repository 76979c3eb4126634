//! Settings as an application reads them, in its own syntax.

use super::decode_error::{DecodeError, Place};
use std::fmt;

/// One setting: a value, a list or a map, in the syntax of an application. [`Settings`](super::Settings) decodes settings into
/// the types of components.
///
/// Each method is asked for one type. An application whose syntax tells types apart, such as JSON, implements [`value`](Self::value)
/// alone; an application whose values are texts decides in each method how a text is read.
///
/// ```
/// use otlp_service::{DecodeError, Setting, SettingValue, Settings};
/// use serde::Deserialize;
/// use std::collections::BTreeMap;
///
/// /// Settings of one level: `max_items=10 name=small`.
/// struct Pairs(BTreeMap<String, Pair>);
///
/// struct Pair(String);
///
/// impl Setting for Pairs {
///     fn value(&self) -> Result<SettingValue<'_>, DecodeError> {
///         let pairs = self.0.iter().map(|(key, pair)| (key.as_str(), Box::new(Pair(pair.0.clone())) as _));
///         Ok(SettingValue::Map(Box::new(pairs)))
///     }
/// }
///
/// impl Setting for Pair {
///     fn value(&self) -> Result<SettingValue<'_>, DecodeError> {
///         Ok(self.0.parse().map_or(SettingValue::Text(&self.0), SettingValue::Integer))
///     }
/// }
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct SmallSettings {
///     max_items: u64,
///     name: String,
/// }
///
/// let read = |text: &str| {
///     let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
///     let pairs = Pairs(pairs.map(|(key, value)| (key.to_owned(), Pair(value.to_owned()))).collect());
///     SmallSettings::deserialize(Settings::new(&pairs))
/// };
/// let small = read("max_items=10 name=small")?;
/// assert_eq!((small.max_items, small.name.as_str()), (10, "small"));
/// let error = read("max_items=ten name=small").err().map(|error| error.to_string());
/// assert_eq!(error.as_deref(), Some("max_items: expected a whole number"));
/// # Ok::<(), DecodeError>(())
/// ```
pub trait Setting {
    /// Reads the setting in the type that it has in the syntax of the application.
    ///
    /// # Errors
    /// If the setting has no such type.
    fn value(&self) -> Result<SettingValue<'_>, DecodeError>;

    /// Returns the place of the setting in a list or map, for errors.
    fn place(&self) -> Option<Place> {
        None
    }

    /// Returns false if the setting counts as not given, where it is optional.
    fn is_given(&self) -> bool {
        !matches!(self.value(), Ok(SettingValue::Null))
    }

    /// Called with the name of a struct of one unnamed field, before the setting is read as that field.
    fn newtype(&self, _name: &'static str) {}

    /// Reads a boolean.
    ///
    /// # Errors
    /// If the setting is no boolean.
    fn boolean(&self) -> Result<bool, DecodeError> {
        match self.value()? {
            SettingValue::Bool(value) => Ok(value),
            _ => Err(DecodeError::new("expected true or false")),
        }
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// If the setting is no whole number.
    fn integer(&self) -> Result<i64, DecodeError> {
        match self.value()? {
            SettingValue::Integer(number) => Ok(number),
            _ => Err(DecodeError::new("expected a whole number")),
        }
    }

    /// Reads a whole number from 0 to `max`.
    ///
    /// # Errors
    /// If the setting is no whole number, or not in that range.
    fn unsigned(&self, max: u64) -> Result<u64, DecodeError> {
        let number = u64::try_from(self.integer()?).ok().filter(|number| *number <= max);
        number.ok_or_else(|| DecodeError::new(format!("expected a whole number from 0 to {max}")))
    }

    /// Reads a number.
    ///
    /// # Errors
    /// If the setting is no number.
    fn number(&self) -> Result<f64, DecodeError> {
        match self.value()? {
            SettingValue::Integer(number) => Ok(number as f64),
            SettingValue::Number(number) => Ok(number),
            _ => Err(DecodeError::new("expected a number")),
        }
    }

    /// Reads a text. `expected` are the words for the text in errors, such as `a duration`. `None` is the empty text, and the zero
    /// of types that are written as texts.
    ///
    /// # Errors
    /// If the setting is no text.
    fn text(&self, expected: &dyn fmt::Display) -> Result<Option<&str>, DecodeError> {
        match self.value()? {
            SettingValue::Text(text) => Ok(Some(text)),
            _ => Err(DecodeError::new(format!("expected {expected}"))),
        }
    }

    /// Reads one of some words.
    ///
    /// # Errors
    /// If the setting is no text, or the text is not among `words`.
    fn word(&self, words: &'static [&'static str]) -> Result<&'static str, DecodeError> {
        let text = self.text(&"a word")?.unwrap_or_default();
        let word = words.iter().copied().find(|word| *word == text);
        word.ok_or_else(|| DecodeError::new(format!("expected one of {}", words.join(", "))))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// If the setting is no list.
    fn list(&self) -> Result<SettingList<'_>, DecodeError> {
        match self.value()? {
            SettingValue::List(items) => Ok(items),
            _ => Err(DecodeError::new("expected a list")),
        }
    }

    /// Reads a map. `fields` are the keys that the component knows; `None` if any key is accepted. An application that reports
    /// unknown keys itself leaves them out of the map; otherwise a struct with `deny_unknown_fields` refuses the first.
    ///
    /// # Errors
    /// If the setting is no map.
    fn map(&self, _fields: Option<&'static [&'static str]>) -> Result<SettingMap<'_>, DecodeError> {
        match self.value()? {
            SettingValue::Map(entries) => Ok(entries),
            _ => Err(DecodeError::new("expected a map")),
        }
    }
}

/// A setting in its own type.
#[non_exhaustive]
pub enum SettingValue<'a> {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// A list.
    List(SettingList<'a>),
    /// A map.
    Map(SettingMap<'a>),
}

/// The items of a list.
pub type SettingList<'a> = Box<dyn Iterator<Item = Box<dyn Setting + 'a>> + 'a>;

/// The keys of a map, each with its value.
pub type SettingMap<'a> = Box<dyn Iterator<Item = (&'a str, Box<dyn Setting + 'a>)> + 'a>;

// === impl SettingValue ===

impl fmt::Debug for SettingValue<'_> {
    /// Writes the type alone, since the value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Integer(_) => "Integer",
            Self::Number(_) => "Number",
            Self::Text(_) => "Text",
            Self::List(_) => "List",
            Self::Map(_) => "Map",
        })
    }
}
