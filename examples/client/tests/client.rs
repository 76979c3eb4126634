//! The programs of this package, run.

#[path = "client/programs.rs"]
mod programs;
