//! Errors of the program.

use std::error::Error;
use std::fmt;

/// An error without a source.
#[derive(Debug)]
pub struct NotANumber;

/// An error with a source.
#[derive(Debug)]
pub struct Invalid(pub NotANumber);

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number")
    }
}

impl Error for NotANumber {}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid quantity")
    }
}

impl Error for Invalid {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
