use super::{Activity, HeadWatch, Phase};
use std::sync::Arc;

#[test]
fn two_lengths_are_seen_however_the_head_is_cut() {
    for (head, expected) in [
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", true),
        ("POST / HTTP/1.1\nTRANSFER-ENCODING:chunked\nhost: a\ncontent-length:1\n\n", true),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nx: transfer-encoding: chunked\r\n\r\n", false),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 1\r\n\r\n", false),
        ("POST / HTTP/1.1\r\n\r\n", false),
    ] {
        for piece in [1, 2, 7, 1000] {
            let activity = Arc::new(Activity::default());
            let mut watch = HeadWatch::new(Arc::clone(&activity));
            head.as_bytes().chunks(piece).for_each(|bytes| watch.see(bytes));
            assert_eq!(activity.now().phase, Phase::Head);
            let (is_ambiguous, answering) = activity.answer();
            assert_eq!(is_ambiguous, expected, "{head:?} in pieces of {piece}");
            assert_eq!(activity.now().phase, Phase::Busy);
            drop(answering);
            assert_eq!(activity.now().phase, Phase::Idle);
        }
    }
}

#[test]
fn a_phase_that_ended_and_began_again_is_another_moment() {
    let activity = Arc::new(Activity::default());
    let before = activity.now();
    drop(activity.answer());
    assert_ne!(activity.now(), before);
}
