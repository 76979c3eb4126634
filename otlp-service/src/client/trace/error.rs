//! Errors as events of spans.

use super::open::OpenSpan;
use crate::client::engine::unix_nanos;
use std::any::type_name;
use std::error::Error;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Adds an event `exception`.
pub(super) fn put_error<E: Error + ?Sized>(open: &mut OpenSpan, error: &E) {
    let message = text_of(error);
    if let Some(mut event) = open.begin_event("exception", unix_nanos()) {
        let name = type_name::<E>();
        if !name.starts_with("dyn ") {
            event.attribute("exception.type", name);
        }
        event.attribute("exception.message", message);
    }
}

/// Formats a value of the user. A panic while it is formatted ends the text.
pub(crate) fn text_of(value: &(impl fmt::Display + ?Sized)) -> String {
    let mut text = String::new();
    let _ = catch_unwind(AssertUnwindSafe(|| write!(text, "{value}")));
    text
}
