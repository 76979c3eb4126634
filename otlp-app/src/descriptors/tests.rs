use super::{max_of, raise_limit};
use rustix::process::{Resource, getrlimit};

#[test]
fn connections_follow_descriptors_and_memory() {
    const GIB: u64 = 1 << 30;
    for (descriptors, memory, expected) in [
        (1024, 8 * GIB, 680),
        (20_000, 8 * GIB, 17_544),
        (1 << 20, 8 * GIB, 65_536),
        (u64::MAX, GIB / 2, 4096),
        (64, 8 * GIB, 16),
    ] {
        assert_eq!(max_of(descriptors, memory), expected, "{descriptors}, {memory}");
    }
}

#[test]
fn the_soft_limit_becomes_the_hard_one() {
    raise_limit();
    let limit = getrlimit(Resource::Nofile);
    assert_eq!(limit.current, limit.maximum);
}
