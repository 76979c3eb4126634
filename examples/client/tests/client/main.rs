//! The programs of this package, run.

mod programs;
