//! The commands beside `run`, a file each.

pub(crate) mod completions;
pub(crate) mod components;
pub(crate) mod config;
pub(crate) mod man;
