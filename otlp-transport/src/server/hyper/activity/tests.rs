use super::{Activity, HeadWatch, Phase};
use fastrand::Rng;
use std::sync::Arc;

/// Returns what `answer` says of each request in `bytes`.
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

/// A line in random case, with either end.
fn line(random: &mut Rng, text: &str) -> String {
    let text: String =
        text.chars().map(|char| if random.bool() { char.to_ascii_uppercase() } else { char }).collect();
    text + random.choice(&["\r\n", "\n"]).unwrap()
}

/// A request, perhaps after empty lines, with each of the two lengths that is asked for.
fn request(random: &mut Rng, has_length: bool, has_encoding: bool) -> String {
    let noise = |random: &mut Rng| -> String {
        (0..random.usize(..20))
            .map(|_| *random.choice(&["\r\n", "\n", "content-length: 1", "0", " "]).unwrap())
            .collect()
    };
    let (body, spaces) = (noise(random), " ".repeat(random.usize(..10)));
    let mut headers =
        vec!["x: content-length: 7".to_owned(), format!("x: {}", "y".repeat(random.usize(..200)))];
    if has_length {
        headers.push(format!("content-length:{spaces}{}", body.len()));
    }
    if has_encoding {
        headers.push(format!("transfer-encoding:{spaces}chunked"));
    }
    random.shuffle(&mut headers);
    let mut text =
        random.choice(&["", "\r\n", "\n\n"]).unwrap().to_string() + &line(random, "post / http/1.1");
    headers.iter().for_each(|header| text += &line(random, header));
    text += random.choice(&["\r\n", "\n"]).unwrap();
    match (has_length, has_encoding) {
        (_, true) => {
            for _ in 0..random.usize(..3) {
                let chunk = noise(random) + "z";
                text += &format!(
                    "{:x}{}\r\n{chunk}\r\n",
                    chunk.len(),
                    *random.choice(&["", ";a=b", " "]).unwrap()
                );
            }
            text + random.choice(&["0\r\n\r\n", "00\r\nx: content-length: 3\r\n\r\n"]).unwrap()
        }
        (true, false) => text + &body,
        (false, false) => text,
    }
}

#[test]
fn of_random_requests_those_with_two_lengths_are_seen() {
    let mut random = Rng::with_seed(7);
    for _ in 0..3_000 {
        let ambiguous_from = random.usize(..6);
        let text: String = (0..6)
            .map(|number| {
                let has_length = number == ambiguous_from || random.bool();
                let has_encoding = number == ambiguous_from || !has_length && random.bool();
                request(&mut random, has_length, has_encoding)
            })
            .collect();
        let expected: Vec<bool> = (0..6).map(|number| number >= ambiguous_from).collect();
        let piece = *random.choice(&[1, 2, 30, 10_000]).unwrap();
        assert_eq!(ambiguous(&text, piece, 6), expected, "pieces of {piece}: {text:?}");
        // Damaged, the requests are seen alike however they are cut.
        let mut damaged = text.into_bytes();
        let at = random.usize(..damaged.len());
        damaged[at] = *random.choice(b"\r\n 0:x").unwrap();
        let damaged = String::from_utf8(damaged).unwrap();
        assert_eq!(
            ambiguous(&damaged, piece, 6),
            ambiguous(&damaged, 10_000, 6),
            "pieces of {piece}: {damaged:?}"
        );
    }
}
