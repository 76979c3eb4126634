use super::BufferPool;

#[test]
fn a_buffer_leaves_with_its_bytes_only_if_they_fill_a_good_part_of_it() {
    for (capacity, len, leaves) in [
        (256, 0, true),
        (256, 1, true),
        (4 << 10, 0, false),
        (4 << 10, 100, false),
        (1 << 20, 100, false),
        (1 << 20, (1 << 19) - 1, false),
        (1 << 20, 1 << 19, true),
        (1 << 20, 1 << 20, true),
        (8 << 20, 1 << 20, false),
    ] {
        let pool = BufferPool::new(1);
        let mut buffer = pool.take(0);
        buffer.reserve_exact(capacity);
        buffer.resize(len, 7);
        let place = buffer.as_ptr();
        let bytes = BufferPool::freeze(buffer);
        assert_eq!(bytes, vec![7; len]);
        assert_eq!(bytes.as_ptr() == place, leaves, "{len} in {capacity}");
        assert_eq!(pool.buffers.idle(), usize::from(!leaves), "{len} in {capacity}");
        drop(bytes);
        assert_eq!(pool.buffers.idle(), 1);
    }
}
