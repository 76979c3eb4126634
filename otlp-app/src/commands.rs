//! The commands beside `run`, a file each.

pub(crate) mod components;
