//! OTTL, the Collector's transformation language: statements and conditions on encoded telemetry.
//!
//! A text is parsed and checked once. The result is a tree of expressions that read the encoded messages in place: nothing is
//! decoded that the text does not name.

mod context;
mod environment;
mod error;
mod expression;
mod field;
mod function;
mod overlay;
mod path;
mod target;
mod value;
