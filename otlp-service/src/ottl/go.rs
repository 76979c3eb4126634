//! Text forms of Go that statements show or read: numbers, durations, formats.

pub(crate) mod duration;
pub(crate) mod format;
mod number;
mod quote;
