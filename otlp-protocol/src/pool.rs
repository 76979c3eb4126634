//! Bounded pools whose objects come back on drop. Users of what a pool made see only [`Bytes`] or the object.

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A bounded pool of reusable objects. Cloning shares the pool; taking never waits.
///
/// ```
/// let pool = otlp_protocol::ObjectPool::new(4, Vec::<u8>::new, |buffer| buffer.clear());
/// let mut buffer = pool.take();
/// buffer.extend_from_slice(b"abc");
/// drop(buffer);
/// assert!(pool.take().capacity() >= 3 && pool.take().is_empty());
/// ```
pub struct ObjectPool<T>(Arc<Shared<T>>);

struct Shared<T> {
    idle: ArrayQueue<T>,
    create: fn() -> T,
    reset: fn(&mut T),
}

/// An object on loan from an [`ObjectPool`]: goes back when dropped, unless the pool is full.
pub struct PooledObject<T> {
    object: Option<T>,
    pool: ObjectPool<T>,
}

/// A pool of byte buffers that leave as [`Bytes`] and come back when the last clone of those drops.
///
/// Buffers that grew beyond the pool's size class are freed instead of kept.
#[derive(Clone)]
pub struct BufferPool {
    buffers: ObjectPool<Vec<u8>>,
}

// === impl ObjectPool ===

impl<T> ObjectPool<T> {
    /// A pool that keeps at most `max_idle` (at least 1) objects, made by `create` and put right by `reset` before they
    /// are lent again.
    pub fn new(max_idle: usize, create: fn() -> T, reset: fn(&mut T)) -> Self {
        Self(Arc::new(Shared { idle: ArrayQueue::new(max_idle.max(1)), create, reset }))
    }

    /// An idle object, or a new one.
    pub fn take(&self) -> PooledObject<T> {
        let object = self.0.idle.pop().unwrap_or_else(self.0.create);
        PooledObject { object: Some(object), pool: self.clone() }
    }

    /// Objects waiting to be lent.
    pub fn idle(&self) -> usize {
        self.0.idle.len()
    }
}

impl<T> Clone for ObjectPool<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

// === impl PooledObject ===

impl<T> Deref for PooledObject<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "`object` is taken only by drop")]
    fn deref(&self) -> &T {
        self.object.as_ref().expect("present until drop")
    }
}

impl<T> DerefMut for PooledObject<T> {
    #[expect(clippy::expect_used, reason = "`object` is taken only by drop")]
    fn deref_mut(&mut self) -> &mut T {
        self.object.as_mut().expect("present until drop")
    }
}

impl<T> Drop for PooledObject<T> {
    fn drop(&mut self) {
        if let Some(mut object) = self.object.take() {
            (self.pool.0.reset)(&mut object);
            let _ = self.pool.0.idle.push(object);
        }
    }
}

impl AsRef<[u8]> for PooledObject<Vec<u8>> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

// === impl BufferPool ===

impl BufferPool {
    /// A pool that keeps at most `max_idle` buffers of at most 1 MiB each.
    pub fn new(max_idle: usize) -> Self {
        let reset = |buffer: &mut Vec<u8>| {
            buffer.clear();
            if buffer.capacity() > MAX_KEPT_BYTES {
                *buffer = Vec::new();
            }
        };
        Self { buffers: ObjectPool::new(max_idle, Vec::new, reset) }
    }

    /// An empty buffer with room for `capacity` bytes.
    pub fn take(&self, capacity: usize) -> PooledObject<Vec<u8>> {
        let mut buffer = self.buffers.take();
        buffer.reserve_exact(capacity);
        buffer
    }

    /// The buffer as [`Bytes`]; it returns to the pool when the last clone or slice of them drops. If the buffer is more
    /// than twice as large as its content, the content is copied out, and the buffer returns at once: bodies are charged
    /// by their length, and may wait for long.
    pub fn freeze(buffer: PooledObject<Vec<u8>>) -> Bytes {
        if buffer.capacity() > MIN_PINNED_BYTES.max(buffer.len().saturating_mul(MAX_PINNED_RATIO)) {
            return Bytes::copy_from_slice(&buffer);
        }
        Bytes::from_owner(buffer)
    }
}

/// Larger buffers are given back to the allocator: a pool of them would pin too much.
const MAX_KEPT_BYTES: usize = 1 << 20;
/// So many times what is in a buffer may be pinned by it.
const MAX_PINNED_RATIO: usize = 2;
/// So much may be, whatever is in it.
const MIN_PINNED_BYTES: usize = 256;

#[cfg(test)]
mod tests;
