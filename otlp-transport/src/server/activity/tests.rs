use super::{Activity, HeadWatch, Phase};
use std::sync::Arc;

/// What `answer` says of each request that `bytes` hold.
fn ambiguous(bytes: &str, piece: usize, requests: usize) -> Vec<bool> {
    let activity = Arc::new(Activity::default());
    let mut watch = HeadWatch::new(Arc::clone(&activity));
    bytes.as_bytes().chunks(piece).for_each(|bytes| watch.see(bytes));
    (0..requests).map(|_| activity.answer().0).collect()
}

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
fn two_lengths_are_seen_in_every_pipelined_request() {
    let plain = "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\na\nb";
    let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\na\r\n\r\n0\r\nx: content-length: 1\r\n\r\n";
    let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let both = "POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    for piece in [1, 3, 1000] {
        let bytes = [plain, chunked, get, plain, both].concat();
        assert_eq!(ambiguous(&bytes, piece, 5), [false, false, false, false, true], "pieces of {piece}");
        // A length that cannot be followed: hyper decides, but no chunked request after it is taken.
        let hidden = format!("POST / HTTP/1.1\r\ncontent-length: {}3\r\n\r\na\nb", " ".repeat(100));
        let cut = [&hidden, both].concat();
        assert!(ambiguous(&cut, piece, 2)[1], "pieces of {piece}");
    }
}

#[test]
fn a_head_that_begins_before_the_answer_is_due_afterwards() {
    let activity = Arc::new(Activity::default());
    let mut watch = HeadWatch::new(Arc::clone(&activity));
    watch.see(b"GET / HTTP/1.1\r\n\r\nGET / HT");
    drop(activity.answer());
    assert_eq!(activity.now().phase, Phase::Head);
}

#[test]
fn a_phase_that_ended_and_began_again_is_another_moment() {
    let activity = Arc::new(Activity::default());
    let before = activity.now();
    drop(activity.answer());
    assert_ne!(activity.now(), before);
}
