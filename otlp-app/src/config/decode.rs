//! Decodes [`Node`]s into the structs that mirror the file, by serde. Every error has its place.
//!
//! Unknown keys are reported and skipped, so that one run shows all of them; a null value is the key's default.

use super::files::{FilePath, NamedFile};
use super::node::{Entry, Node, Resolved, Scalar, Value};
use super::problem::{Problem, Problems};
use crate::removed::moved_to;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use std::cell::RefCell;
use std::fmt;
use std::slice::Iter;

/// Decodes a node; `None` if something was wrong, which is then among `problems`.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node, problems: &mut Problems) -> Option<T> {
    decode_by(node, problems, |recorder| T::deserialize(recorder))
}

/// Decodes by a function of another crate.
pub(super) fn decode_for<T>(
    node: &Node,
    problems: &mut Problems,
    decode: impl FnOnce(&mut dyn erased_serde::Deserializer<'_>) -> Result<T, erased_serde::Error>,
) -> Option<T> {
    decode_by(node, problems, |recorder| {
        decode(&mut <dyn erased_serde::Deserializer<'_>>::erase(recorder))
            .map_err(|error| Problem::new(error.to_string()))
    })
}

fn decode_by<T>(
    node: &Node,
    problems: &mut Problems,
    decode: impl FnOnce(Recorder<'_>) -> Result<T, Problem>,
) -> Option<T> {
    let found = RefCell::new(Found::default());
    let decoded = decode(Recorder(Decoder { node, found: &found }));
    let decoded = decoded.map_err(|problem| Found::whole(&found, problem));
    let Found { unknown, files, .. } = found.into_inner();
    let sound = unknown.is_empty();
    problems.files.extend(files);
    unknown.into_iter().for_each(|problem| problems.push(problem));
    match decoded {
        Ok(value) => sound.then_some(value),
        Err(problem) => {
            problems.push(problem.or_at(node.span));
            None
        }
    }
}

/// The unknown keys, file paths and placed errors found while a section is decoded.
#[derive(Default)]
struct Found {
    /// Unknown keys.
    unknown: Vec<Problem>,
    files: Vec<NamedFile>,
    /// The last problem. Code that passes errors on as text loses their place, which is then found here.
    last: Option<Problem>,
}

/// Decodes a value that may be the empty text. Other optional values treat the empty text as not given.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: de::Deserialize<'de>,
    D: de::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Decodes, and keeps a copy of each problem.
#[derive(Clone, Copy)]
struct Recorder<'a>(Decoder<'a>);

#[derive(Clone, Copy)]
struct Decoder<'a> {
    node: &'a Node,
    found: &'a RefCell<Found>,
}

struct ListAccess<'a> {
    nodes: Iter<'a, Node>,
    found: &'a RefCell<Found>,
}

struct MapAccess<'a> {
    entries: Iter<'a, Entry>,
    value: Option<&'a Entry>,
    /// Known keys; `None` if any key is accepted.
    fields: Option<&'static [&'static str]>,
    found: &'a RefCell<Found>,
}

// === impl Found ===

impl Found {
    /// Returns the recorded problem, with its place, if it has the text of `problem`; else `problem`.
    fn whole(found: &RefCell<Self>, problem: Problem) -> Problem {
        let same = |last: &Problem| last.to_string() == problem.to_string();
        found.borrow().last.clone().filter(same).unwrap_or(problem)
    }

    /// Records a problem.
    fn record(found: &RefCell<Self>, problem: Problem) -> Problem {
        found.borrow_mut().last = Some(problem.clone());
        problem
    }
}

// === impl Recorder ===

macro_rules! recorded {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        impl<'de> de::Deserializer<'de> for Recorder<'_> {
            type Error = Problem;

            $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Problem> {
                let found = self.0.found;
                let result = self.0.$method($($argument,)* visitor);
                result.map_err(|problem| Found::record(found, Found::whole(found, problem)))
            })*
        }
    };
}

recorded! {
    deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
    deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
    deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string() deserialize_bytes()
    deserialize_byte_buf() deserialize_option() deserialize_unit() deserialize_unit_struct(name: &'static str)
    deserialize_newtype_struct(name: &'static str) deserialize_seq() deserialize_tuple(len: usize)
    deserialize_tuple_struct(name: &'static str, len: usize) deserialize_map()
    deserialize_struct(name: &'static str, fields: &'static [&'static str])
    deserialize_enum(name: &'static str, variants: &'static [&'static str])
    deserialize_identifier() deserialize_ignored_any()
}

// === impl Decoder ===

impl<'a> Decoder<'a> {
    fn wrong(&self, expected: &str) -> Problem {
        Problem::at(self.node.span, format!("expected {expected}, found {}", self.node.describe()))
    }

    /// Returns an error without the value: a single value in place of a list or map may be a secret put there by mistake.
    fn wrong_kind(&self, expected: &str) -> Problem {
        Problem::at(self.node.span, format!("expected {expected}, found {}", self.node.kind()))
    }

    fn scalar(&self, expected: &str) -> Result<&'a Scalar, Problem> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            Value::List(_) | Value::Map(_) => Err(self.wrong(expected)),
        }
    }

    fn integer(&self) -> Result<i64, Problem> {
        self.scalar(WHOLE_NUMBER)?.whole_number().ok_or_else(|| self.wrong(WHOLE_NUMBER))
    }

    /// Returns the text where a text is expected.
    fn text(&self, expected: &str) -> Result<&'a str, Problem> {
        match (&self.node.value, &self.node.written) {
            (Value::Scalar(scalar), _) => Ok(scalar.as_text()),
            (_, Some(written)) => Ok(written),
            (..) => Err(self.wrong(expected)),
        }
    }

    fn unsigned(&self) -> Result<u64, Problem> {
        u64::try_from(self.integer()?).map_err(|_| self.wrong("a number that is not negative"))
    }

    /// Puts this node's place into an error that has none.
    fn placed<T>(&self, result: Result<T, Problem>) -> Result<T, Problem> {
        result.map_err(|problem| Found::whole(self.found, problem).or_at(self.node.span))
    }
}

impl<'de> de::Deserializer<'de> for Decoder<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let result = match &self.node.value {
            Value::List(_) => return self.deserialize_seq(visitor),
            Value::Map(_) => return self.deserialize_map(visitor),
            Value::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => visitor.visit_unit(),
                Resolved::Bool(value) => visitor.visit_bool(value),
                Resolved::Int(value) => visitor.visit_i64(value),
                Resolved::Float(value) => visitor.visit_f64(value),
                Resolved::Text(text) => visitor.visit_str(text),
            },
        };
        self.placed(result)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let scalar = self.scalar("true or false")?;
        match scalar.resolve() {
            Resolved::Bool(value) => self.placed(visitor.visit_bool(value)),
            _ if scalar.is_empty_reference() => self.placed(visitor.visit_bool(false)),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.placed(visitor.visit_i64(self.integer()?))
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let number = self.unsigned()?;
        // The visitor refuses what its type cannot hold.
        visitor.visit_u64(number).map_err(|_: Problem| self.wrong("a smaller number"))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let number = self.scalar("a number")?.number().ok_or_else(|| self.wrong("a number"))?;
        self.placed(visitor.visit_f64(number))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let expected = ExpectedBy(&visitor).to_string();
        match &self.node.value {
            Value::Scalar(scalar) if scalar.is_empty_reference() => self.placed(visitor.visit_unit()),
            _ => self.placed(visitor.visit_str(self.text(&expected)?)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.placed(visitor.visit_str(self.text("a text")?))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        // As in the Collector, an empty text counts as not given. `given` decodes fields that may be empty.
        if self.node.is_empty_text() { visitor.visit_none() } else { visitor.visit_some(Recorder(self)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if name == FilePath::TYPE_NAME {
            self.found.borrow_mut().files.extend(NamedFile::of(self.node));
        }
        visitor.visit_newtype_struct(Recorder(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let nodes = match &self.node.value {
            Value::List(nodes) => nodes.iter(),
            _ if self.node.is_null() => [].iter(),
            Value::Scalar(scalar) if scalar.is_empty_reference() => [].iter(),
            // As in the Collector, one value is a list of one. The Collector also cuts texts at commas; such texts are refused.
            Value::Scalar(scalar) if !scalar.text.contains(',') => std::slice::from_ref(self.node).iter(),
            _ => return Err(self.wrong_kind("a list")),
        };
        self.placed(visitor.visit_seq(ListAccess { nodes, found: self.found }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let entries = self.node.entries().ok_or_else(|| self.wrong_kind("a map"))?.iter();
        self.placed(visitor.visit_map(MapAccess { entries, value: None, fields: None, found: self.found }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let entries = self.node.entries().ok_or_else(|| self.wrong_kind("a map"))?.iter();
        let fields = Some(fields);
        self.placed(visitor.visit_map(MapAccess { entries, value: None, fields, found: self.found }))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let scalar = self.scalar("a word")?;
        let text = scalar.text.as_str();
        // The Collector takes some words in upper or lower case. No two words differ only in case.
        match variants.iter().find(|variant| variant.eq_ignore_ascii_case(text)) {
            Some(variant) => self.placed(visitor.visit_enum((*variant).into_deserializer())),
            None if scalar.referred => {
                let words: Vec<_> = variants.iter().copied().filter(|word| !word.is_empty()).collect();
                Err(self.wrong(&format!("one of {}", words.join(", "))))
            }
            None => Err(Problem::unknown(self.node.span, "value", text, variants)),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

// === impl ListAccess ===

impl<'de> de::SeqAccess<'de> for ListAccess<'_> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        self.nodes
            .next()
            .map(|node| seed.deserialize(Recorder(Decoder { node, found: self.found })))
            .transpose()
    }
}

// === impl MapAccess ===

impl<'de> de::MapAccess<'de> for MapAccess<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        for entry in self.entries.by_ref() {
            if let Some(fields) = self.fields {
                if !fields.contains(&entry.key.as_str()) {
                    self.found.borrow_mut().unknown.push(unknown_key(entry, fields));
                    continue;
                }
                if entry.value.is_null() {
                    continue;
                }
            }
            self.value = Some(entry);
            let key: StrDeserializer<'_, Problem> = entry.key.as_str().into_deserializer();
            return seed.deserialize(key).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let entry = self.value.take().ok_or_else(|| Problem::new("a value without its key"))?;
        let recorder = Recorder(Decoder { node: &entry.value, found: self.found });
        seed.deserialize(recorder)
            .map_err(|problem| Found::record(self.found, Found::whole(self.found, problem).below(&entry.key)))
    }
}

fn unknown_key(entry: &Entry, known: &[&str]) -> Problem {
    let problem = Problem::unknown(entry.key_span, "key", &entry.key, known);
    match moved_to(&entry.key, known) {
        Some(place) => problem.help(place),
        None => problem,
    }
}

// === impl Problem ===

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    /// serde's own text would show the value, which may be a secret.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}"))
    }

    /// serde's own text would show the value, which may be a secret.
    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("expected {expected}"))
    }
}

/// The words of a visitor for the value that it expects.
struct ExpectedBy<'a, V>(&'a V);

impl<'de, V: Visitor<'de>> fmt::Display for ExpectedBy<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

const WHOLE_NUMBER: &str = "a whole number";
