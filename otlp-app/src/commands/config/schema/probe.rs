//! Finds the shape of settings from their `Deserialize` implementation, which third-party components have, too.
//!
//! A probe is a deserializer without data. It follows one path, such as field `protocols`, field `grpc`, records the type that is
//! asked for at the end of the path, and then fails. One probe for each path finds the whole shape.

use super::shape::{Property, Shape};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

/// Finds the shape of what `decode` decodes.
pub(super) fn shape_of(decode: &dyn Fn(&mut dyn erased_serde::Deserializer<'_>)) -> Shape {
    explore(decode, &mut Vec::new(), &mut Vec::new())
}

/// Finds the shape at a path. `around` are the structs around the path.
fn explore(
    decode: &dyn Fn(&mut dyn erased_serde::Deserializer<'_>),
    path: &mut Vec<Step>,
    around: &mut Vec<Fields>,
) -> Shape {
    let seen = RefCell::new(None);
    decode(&mut <dyn erased_serde::Deserializer<'_>>::erase(Probe { path, seen: &seen }));
    let mut below = |step, around: &mut Vec<Fields>| {
        path.push(step);
        let shape = explore(decode, path, around);
        path.pop();
        shape
    };
    match seen.into_inner().unwrap_or(Seen::Scalar(Shape::Any)) {
        Seen::Scalar(shape) => shape,
        Seen::List => Shape::List(Box::new(below(Step::Inside, around))),
        Seen::Map => Shape::Map(Box::new(below(Step::Inside, around))),
        // A struct that contains itself.
        Seen::Struct(fields) if around.iter().any(|known| std::ptr::eq(*known, fields)) => Shape::Any,
        Seen::Struct(fields) => {
            around.push(fields);
            let property = |field| (String::from(field), Property::of(below(Step::Field(field), around)));
            let properties = fields.iter().copied().map(property).collect::<BTreeMap<_, _>>();
            around.pop();
            Shape::Struct(properties)
        }
    }
}

/// One step of a path.
#[derive(Clone, Copy)]
enum Step {
    /// Into a field of a struct.
    Field(&'static str),
    /// Into an element of a list, or a value of a map.
    Inside,
}

/// The type that is asked for at the end of a path.
enum Seen {
    Scalar(Shape),
    List,
    Map,
    Struct(Fields),
}

/// Names of the fields of a struct; their address identifies the struct.
type Fields = &'static [&'static str];

#[derive(Clone, Copy)]
struct Probe<'a> {
    path: &'a [Step],
    seen: &'a RefCell<Option<Seen>>,
}

/// One element of a list, or one entry of a map.
struct One<'a> {
    key: &'static str,
    inside: Option<Probe<'a>>,
}

/// The end of a probe.
#[derive(Debug)]
struct Stopped;

// === impl Probe ===

impl<'a> Probe<'a> {
    /// Records the type at the end of the path. Returns the step that goes on, if the path does not end here.
    fn arrive(self, seen: impl FnOnce() -> Seen) -> Result<(Step, Self), Stopped> {
        match self.path.split_first() {
            Some((step, path)) => Ok((*step, Self { path, ..self })),
            None => {
                *self.seen.borrow_mut() = Some(seen());
                Err(Stopped)
            }
        }
    }

    fn scalar<T>(self, shape: Shape) -> Result<T, Stopped> {
        self.arrive(|| Seen::Scalar(shape)).and(Err(Stopped))
    }
}

macro_rules! scalars {
    ($($method:ident => $shape:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stopped> {
            self.scalar($shape)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stopped;

    scalars! {
        deserialize_any => Shape::Any, deserialize_ignored_any => Shape::Any, deserialize_bool => Shape::Bool,
        deserialize_i8 => Shape::Integer, deserialize_i16 => Shape::Integer, deserialize_i32 => Shape::Integer,
        deserialize_i64 => Shape::Integer, deserialize_i128 => Shape::Integer, deserialize_u8 => Shape::Integer,
        deserialize_u16 => Shape::Integer, deserialize_u32 => Shape::Integer, deserialize_u64 => Shape::Integer,
        deserialize_u128 => Shape::Integer, deserialize_f32 => Shape::Number, deserialize_f64 => Shape::Number,
        deserialize_char => Shape::Text, deserialize_str => Shape::Text, deserialize_string => Shape::Text,
        deserialize_bytes => Shape::Any, deserialize_byte_buf => Shape::Any, deserialize_unit => Shape::Any,
        deserialize_identifier => Shape::Any,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        let (_, inside) = self.arrive(|| Seen::List)?;
        visitor.visit_seq(One { key: "", inside: Some(inside) })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        let (_, inside) = self.arrive(|| Seen::Map)?;
        visitor.visit_map(One { key: ANY_KEY, inside: Some(inside) })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Fields,
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        let (step, inside) = self.arrive(|| Seen::Struct(fields))?;
        let Step::Field(key) = step else { return Err(Stopped) };
        visitor.visit_map(One { key, inside: Some(inside) })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Stopped> {
        let words = variants.iter().filter(|word| !word.is_empty());
        self.scalar(Shape::Words(words.map(|word| String::from(*word)).collect()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Stopped> {
        self.scalar(Shape::Any)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, Stopped> {
        self.scalar(Shape::Any)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, Stopped> {
        self.scalar(Shape::Any)
    }
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Stopped;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stopped> {
        self.inside.take().map(|inside| seed.deserialize(inside)).transpose()
    }
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Stopped;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stopped> {
        if self.inside.is_none() {
            return Ok(None);
        }
        let key: StrDeserializer<'_, Stopped> = self.key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Stopped> {
        self.inside.take().ok_or(Stopped).and_then(|inside| seed.deserialize(inside))
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the end of a probe")
    }
}

impl std::error::Error for Stopped {}

impl Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A key of a map whose keys the user chooses.
const ANY_KEY: &str = "key";
