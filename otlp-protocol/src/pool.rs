//! Bounded pools of reusable objects and buffers, which return to the pool when they are dropped.

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use std::fmt;
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

/// An object of an [`ObjectPool`]. Dropping it returns the object to the pool, or frees it if the pool is full.
pub struct PooledObject<T> {
    object: Option<T>,
    pool: ObjectPool<T>,
}

/// A bounded pool of byte buffers. A filled buffer is frozen into [`Bytes`] and returns to the pool when the last clone is
/// dropped. Buffers over 1 MiB are freed instead.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Body, BufferPool, Signal, ValidateLimits};
///
/// let pool = BufferPool::new(8);
/// let mut buffer = pool.take(4096);
/// RequestWriter::<LogRecords>::new(&mut buffer).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.log_record(|record| {
///             record.body("checked out");
///         });
///     });
/// });
/// let body = Body::check(Signal::LOGS, BufferPool::freeze(buffer), &ValidateLimits::default())?;
/// assert_eq!(body.count().items, 1);
/// # Ok::<(), otlp_protocol::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BufferPool {
    buffers: ObjectPool<Vec<u8>>,
}

// === impl ObjectPool ===

impl<T> ObjectPool<T> {
    /// Makes a pool that keeps at most `max_idle` idle objects (at least 1). `create` makes an object, `reset` clears an
    /// object before its next use.
    pub fn new(max_idle: usize, create: fn() -> T, reset: fn(&mut T)) -> Self {
        Self(Arc::new(Shared { idle: ArrayQueue::new(max_idle.max(1)), create, reset }))
    }

    /// Takes an idle object, or makes a new object.
    pub fn take(&self) -> PooledObject<T> {
        let object = self.0.idle.pop().unwrap_or_else(self.0.create);
        PooledObject { object: Some(object), pool: self.clone() }
    }

    /// Returns the number of idle objects.
    pub fn idle(&self) -> usize {
        self.0.idle.len()
    }
}

impl<T> fmt::Debug for ObjectPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectPool").field("idle", &self.idle()).finish_non_exhaustive()
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

impl<T> fmt::Debug for PooledObject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledObject").finish_non_exhaustive()
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
    /// Makes a pool that keeps at most `max_idle` idle buffers of at most 1 MiB each.
    pub fn new(max_idle: usize) -> Self {
        let reset = |buffer: &mut Vec<u8>| {
            buffer.clear();
            if buffer.capacity() > MAX_KEPT_BYTES {
                *buffer = Vec::new();
            }
        };
        Self { buffers: ObjectPool::new(max_idle, Vec::new, reset) }
    }

    /// Takes an empty buffer with room for `capacity` bytes.
    pub fn take(&self, capacity: usize) -> PooledObject<Vec<u8>> {
        let mut buffer = self.buffers.take();
        buffer.reserve_exact(capacity);
        buffer
    }

    /// Freezes the buffer into [`Bytes`]. The buffer returns to the pool when the last clone or slice is dropped. If the
    /// buffer is more than twice as large as its content, the content is copied and the buffer returns at once: bodies are
    /// charged by their length, and may be queued for long.
    pub fn freeze(buffer: PooledObject<Vec<u8>>) -> Bytes {
        if buffer.capacity() > MIN_PINNED_BYTES.max(buffer.len().saturating_mul(MAX_PINNED_RATIO)) {
            return Bytes::copy_from_slice(&buffer);
        }
        Bytes::from_owner(buffer)
    }
}

/// Buffers larger than this are freed: a pool of large buffers would pin too much memory.
const MAX_KEPT_BYTES: usize = 1 << 20;
/// A frozen buffer may be this many times as large as its content.
const MAX_PINNED_RATIO: usize = 2;
/// A frozen buffer may be this large, whatever its content.
const MIN_PINNED_BYTES: usize = 256;

#[cfg(test)]
mod tests;
