//! A thread's buffer and attributes.

use super::callsite::SPAN_ATTRIBUTE;
use super::key::{Extra, ExtraWriter};
use crate::client::engine::Buffer;
use std::cell::{Cell, OnceCell};

/// Returns the thread's buffer, empty; a new buffer if the thread's buffer is in use further up the stack.
#[inline]
pub(super) fn take_buffer() -> Box<Buffer> {
    BUFFER.try_with(Cell::take).ok().flatten().unwrap_or_default()
}

/// Keeps the buffer for the next use, unless the buffer has grown large.
#[inline]
pub(super) fn keep_buffer(mut buffer: Box<Buffer>) {
    buffer.clear();
    if buffer.capacity() <= KEPT_BYTES {
        let _ = BUFFER.try_with(|kept| kept.set(Some(buffer)));
    }
}

/// Calls `put` with the attributes `thread.id` and `thread.name` of spans, with texts of at most `max_value` characters.
#[inline]
pub(super) fn with_attributes(max_value: Option<usize>, put: impl FnOnce(&Extra)) {
    if max_value.is_some() {
        return put(&attributes_of_thread(max_value));
    }
    let _ = ATTRIBUTES.try_with(|attributes| put(attributes.get_or_init(|| attributes_of_thread(None))));
}

fn attributes_of_thread(max_value: Option<usize>) -> Extra {
    let thread = std::thread::current();
    let mut extra = ExtraWriter::new(SPAN_ATTRIBUTE, max_value);
    // A thread's id has no accessor; its text is `ThreadId(7)`.
    let digits: String = format!("{:?}", thread.id()).chars().filter(char::is_ascii_digit).collect();
    if let Ok(id) = digits.parse::<i64>() {
        extra.put("thread.id", id);
    }
    if let Some(name) = thread.name() {
        extra.put("thread.name", name);
    }
    extra.end()
}

/// Memory that a thread keeps for its buffer, in bytes.
const KEPT_BYTES: usize = 64 << 10;

thread_local! {
    static BUFFER: Cell<Option<Box<Buffer>>> = const { Cell::new(None) };
    static ATTRIBUTES: OnceCell<Extra> = const { OnceCell::new() };
}
