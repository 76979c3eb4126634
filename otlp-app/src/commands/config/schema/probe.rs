//! Finds the shape of settings from their `Deserialize` implementation, which third-party components have, too.
//!
//! A probe is a setting without a value. It follows one path, such as field `protocols`, field `grpc`, records the type that is
//! asked for at the end of the path, and then fails. One probe for each path finds the whole shape.

use super::shape::{Property, Shape};
use otlp_service::{DecodeError, Setting, SettingList, SettingMap, SettingValue, Settings};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::{fmt, iter};

/// Finds the shape of what `decode` decodes.
pub(super) fn shape_of(decode: &dyn Fn(Settings<'_>)) -> Shape {
    explore(decode, &mut Vec::new(), &mut Vec::new())
}

/// Finds the shape at a path. `around` are the structs around the path.
fn explore(decode: &dyn Fn(Settings<'_>), path: &mut Vec<Step>, around: &mut Vec<Fields>) -> Shape {
    let seen = RefCell::new(None);
    decode(Settings::new(&Probe { path, seen: &seen }));
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

// === impl Probe ===

impl<'a> Probe<'a> {
    /// Records the type at the end of the path. Returns the step that goes on, if the path does not end here.
    fn arrive(&self, seen: impl FnOnce() -> Seen) -> Result<(Step, Box<Self>), DecodeError> {
        match self.path.split_first() {
            Some((step, path)) => Ok((*step, Box::new(Self { path, ..*self }))),
            None => {
                *self.seen.borrow_mut() = Some(seen());
                Err(stopped())
            }
        }
    }

    fn scalar<T>(&self, shape: Shape) -> Result<T, DecodeError> {
        self.arrive(|| Seen::Scalar(shape)).and(Err(stopped()))
    }
}

impl Setting for Probe<'_> {
    fn value(&self) -> Result<SettingValue<'_>, DecodeError> {
        self.scalar(Shape::Any)
    }

    fn is_given(&self) -> bool {
        true
    }

    fn boolean(&self) -> Result<bool, DecodeError> {
        self.scalar(Shape::Bool)
    }

    fn integer(&self) -> Result<i64, DecodeError> {
        self.scalar(Shape::Integer)
    }

    fn unsigned(&self, _: u64) -> Result<u64, DecodeError> {
        self.scalar(Shape::Integer)
    }

    fn number(&self) -> Result<f64, DecodeError> {
        self.scalar(Shape::Number)
    }

    fn text(&self, _: &dyn fmt::Display) -> Result<Option<&str>, DecodeError> {
        self.scalar(Shape::Text)
    }

    fn word(&self, words: &'static [&'static str]) -> Result<&'static str, DecodeError> {
        let words = words.iter().filter(|word| !word.is_empty());
        self.scalar(Shape::Words(words.map(|word| String::from(*word)).collect()))
    }

    fn list(&self) -> Result<SettingList<'_>, DecodeError> {
        let (_, inside) = self.arrive(|| Seen::List)?;
        Ok(Box::new(iter::once(inside as _)))
    }

    fn map(&self, fields: Option<Fields>) -> Result<SettingMap<'_>, DecodeError> {
        let (step, inside) = self.arrive(|| fields.map_or(Seen::Map, Seen::Struct))?;
        let key = match (fields, step) {
            (None, _) => ANY_KEY,
            (Some(_), Step::Field(field)) => field,
            (Some(_), Step::Inside) => return Err(stopped()),
        };
        Ok(Box::new(iter::once((key, inside as _))))
    }
}

/// The end of a probe, which is not shown.
fn stopped() -> DecodeError {
    DecodeError::new("")
}

/// A key of a map whose keys the user chooses.
const ANY_KEY: &str = "key";
