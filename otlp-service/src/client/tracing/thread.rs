//! A thread's buffer and attributes.

use super::callsite::SPAN_ATTRIBUTE;
use super::key::{Constant, put_constant};
use std::cell::{Cell, OnceCell};

/// Returns the thread's buffer, empty; a new buffer if the thread's buffer is in use further up the stack.
#[inline]
pub(super) fn take_buffer() -> Vec<u8> {
    BUFFER.try_with(Cell::take).unwrap_or_default()
}

/// Keeps the buffer for the next use, unless the buffer has grown large.
#[inline]
pub(super) fn keep_buffer(mut buffer: Vec<u8>) {
    buffer.clear();
    if buffer.capacity() <= KEPT_BYTES {
        let _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
}

/// Appends the attributes `thread.id` and `thread.name` of a span, with texts of at most `max_value` characters, and returns the
/// number of attributes.
#[inline]
pub(super) fn put_attributes(out: &mut Vec<u8>, max_value: Option<usize>) -> u32 {
    if max_value.is_some() {
        let (bytes, count) = attributes_of_thread(max_value);
        out.extend_from_slice(&bytes);
        return count;
    }
    let put = |attributes: &OnceCell<(Vec<u8>, u32)>| {
        let (bytes, count) = attributes.get_or_init(|| attributes_of_thread(None));
        out.extend_from_slice(bytes);
        *count
    };
    ATTRIBUTES.try_with(put).unwrap_or_default()
}

fn attributes_of_thread(max_value: Option<usize>) -> (Vec<u8>, u32) {
    let thread = std::thread::current();
    let (mut bytes, mut count) = (Vec::new(), 0);
    // A thread's id has no accessor; its text is `ThreadId(7)`.
    let digits: String = format!("{:?}", thread.id()).chars().filter(char::is_ascii_digit).collect();
    if let Ok(id) = digits.parse() {
        put_constant(&mut bytes, SPAN_ATTRIBUTE, "thread.id", Constant::Int(id), max_value);
        count += 1;
    }
    if let Some(name) = thread.name() {
        put_constant(&mut bytes, SPAN_ATTRIBUTE, "thread.name", Constant::Text(name), max_value);
        count += 1;
    }
    (bytes, count)
}

/// Memory that a thread keeps for its buffer, in bytes.
const KEPT_BYTES: usize = 64 << 10;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static ATTRIBUTES: OnceCell<(Vec<u8>, u32)> = const { OnceCell::new() };
}
