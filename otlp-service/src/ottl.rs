//! OTTL, the Collector's transformation language: statements and conditions on encoded telemetry.
//!
//! A text is parsed and checked once. The result is a tree of expressions that read the encoded messages in place: nothing is
//! decoded that the text does not name.

mod ast;
mod check;
mod constant;
mod context;
mod dictionary;
mod environment;
mod error;
mod expression;
mod fault;
mod field;
mod function;
mod go;
mod infer;
mod overlay;
mod parser;
mod path;
mod program;
mod remark;
mod strptime;
mod target;
mod test;
mod token;
mod value;

pub use fault::OttlError;

pub(crate) use context::Context;
pub(crate) use dictionary::Dictionary;
pub(crate) use environment::{Cache, Environment, Level, PointKind, unix_nanos};
pub(crate) use error::EvalError;
#[cfg(feature = "prometheus")]
pub(crate) use go::number::{Notation, put_shortest};
pub(crate) use program::{Condition, Group, GroupError, Place, Texts};
pub(crate) use test::Test;

#[cfg(test)]
mod tests;
