use super::*;

#[test]
fn what_takes_long_to_route_is_large() {
    for (bytes, items, candidates, is_large) in [
        (1_000, 10, 256, false),
        (64 << 10, 500, 256, false),
        (60_000, 2_000, 256, true),
        (64 << 10, 40_000, 3, false),
        ((64 << 10) + 1, 1, 2, true),
        (1, u64::MAX, usize::MAX, true),
    ] {
        assert_eq!(is_large_to_route(bytes, items, candidates), is_large, "{bytes} {items} {candidates}");
    }
}
