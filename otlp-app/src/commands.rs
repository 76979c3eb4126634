//! The commands besides `run`, `validate` and `print-config`, a file each.

pub(crate) mod completions;
pub(crate) mod components;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod input;
pub(crate) mod inspect;
pub(crate) mod json;
pub(crate) mod man;
pub(crate) mod ottl;
pub(crate) mod queue;
pub(crate) mod send;
pub(crate) mod tap;
pub(crate) mod text;
