//! Text forms of Go that statements show or read: numbers, durations, formats.

pub(crate) mod duration;
pub(crate) mod format;
pub(crate) mod number;
pub(crate) mod parse;
mod quote;
