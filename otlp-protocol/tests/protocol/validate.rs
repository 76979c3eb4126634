//! What validate says is wrong, and where; and its limits.

use crate::by_hand::field;
use otlp_protocol::wire::{WireError, WireType, put_tag, put_varint};
use otlp_protocol::{Checked, DecodeError, DecodeErrorKind, Signal, ValidateLimits, validate};

/// Wraps `value` in fields, the innermost number last.
fn nest(numbers: &[u32], value: Vec<u8>) -> Vec<u8> {
    numbers.iter().rev().fold(value, |value, &number| field(number, &value))
}

fn check(signal: Signal, body: &[u8]) -> Result<Checked, DecodeError> {
    validate(signal, body, &ValidateLimits::default())
}

#[test]
fn faults_are_named_by_their_path() {
    let second = |first: Vec<u8>, second: Vec<u8>| [first, second].concat();
    let ok_span = field(2, &field(5, b"ok"));
    let attribute = |value: Vec<u8>| field(9, &second(field(1, b"key"), field(2, &value)));
    let cases = [
        (
            Signal::TRACES,
            nest(&[1, 2], second(ok_span.clone(), field(2, &field(5, b"ab\xffc")))),
            "resource_spans[0].scope_spans[0].spans[1].name: string is not UTF-8 (at byte 16)",
        ),
        (
            Signal::TRACES,
            second(nest(&[1, 2], vec![]), nest(&[1, 2, 2], attribute(field(1, b"\xc3\x28")))),
            "resource_spans[1].scope_spans[0].spans[0].attributes[0].value.string_value: string is not UTF-8 \
             (at byte 21)",
        ),
        (
            Signal::TRACES,
            nest(&[1, 2, 2], attribute(vec![0x10])),
            "resource_spans[0].scope_spans[0].spans[0].attributes[0].value.bool_value: truncated: the message ends inside a field \
             (at byte 15)",
        ),
        (
            Signal::TRACES,
            nest(&[1, 2, 2], vec![0x38, 1]),
            "resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano: wrong wire type Varint for this field \
             (at byte 6)",
        ),
        (
            Signal::METRICS,
            nest(&[1, 2, 2, 9, 1], field(6, &[0; 9])),
            "resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0].bucket_counts[0]: invalid \
             length of a packed field: it ends inside a value (at byte 10)",
        ),
        (
            Signal::LOGS,
            nest(&[1], vec![0x0a, 9]),
            "resource_logs[0].resource: invalid length: past the end of the enclosing message (at byte 2)",
        ),
        (
            Signal::LOGS,
            nest(&[1], vec![0x00]),
            "resource_logs[0]: invalid field number: out of range (at byte 2)",
        ),
        (
            Signal::PROFILES,
            field(2, &[0xa3, 0x06]),
            "dictionary.100: truncated: the message ends inside a field (at byte 2)",
        ),
        (Signal::LOGS, vec![0xff], "truncated: the message ends inside a field (at byte 0)"),
    ];
    for (signal, body, expect) in cases {
        let got = check(signal, &body).unwrap_err().to_string();
        assert_eq!(got, expect, "{body:02x?}");
    }
}

/// A log record whose body is `depth` lists inside each other.
fn lists(depth: usize) -> Vec<u8> {
    let mut lens = vec![0usize];
    for _ in 0..2 * depth {
        let inner = *lens.last().unwrap();
        lens.push(inner + 1 + otlp_protocol::wire::varint_len(inner as u64));
    }
    let mut value = Vec::new();
    for (level, len) in lens.iter().rev().skip(1).enumerate() {
        put_tag(&mut value, if level % 2 == 0 { 5 } else { 1 }, WireType::Len);
        put_varint(&mut value, *len as u64);
    }
    nest(&[1, 2, 2, 5], value)
}

#[test]
fn depth_is_bounded_and_costs_no_stack() {
    let check_depth = |depth: usize| check(Signal::LOGS, &lists(depth));
    // Four levels of envelope and two for each list are at most a hundred.
    assert_eq!(check_depth(48).unwrap().count.items, 1);
    let error = check_depth(49).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 100 });
    assert!(
        error.path.starts_with("resource_logs[0].scope_logs[0].log_records[0].body.array_value.values[0].")
    );
    assert!(error.path.contains(".(85 more)."), "{}", error.path);

    let small = std::thread::Builder::new().stack_size(64 * 1024);
    let deep = small.spawn(move || {
        let body = lists(100_000);
        let limits = ValidateLimits { max_depth: usize::MAX, ..ValidateLimits::default() };
        assert_eq!(validate(Signal::LOGS, &body, &limits).unwrap().count.items, 1);
        let limits = ValidateLimits { max_depth: 150_000, ..limits };
        assert!(validate(Signal::LOGS, &body, &limits).unwrap_err().path.len() < 1000);
    });
    deep.unwrap().join().unwrap();
}

/// A log record whose body is `lists` lists inside each other, the innermost with `inside`.
fn lists_around(lists: usize, inside: Vec<u8>) -> Vec<u8> {
    nest(&[1, 2, 2, 5], (0..lists).fold(inside, |value, _| nest(&[5, 1], value)))
}

#[test]
fn unknown_groups_and_messages_are_counted_together() {
    let groups = |depth: usize| [[0x8b, 0x06].repeat(depth), [0x8c, 0x06].repeat(depth)].concat();
    // Four levels of envelope and record, 40 lists of two levels each, and groups.
    assert!(check(Signal::LOGS, &lists_around(40, groups(15))).is_ok());
    for depth in [16, 60, 100_000] {
        let error = check(Signal::LOGS, &lists_around(40, groups(depth))).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 100 }, "{depth}");
    }
    // An unknown field is a level to prost: there is none left in the innermost of a hundred messages.
    let unknown = vec![0xa8, 0x06, 0x01];
    assert!(check(Signal::LOGS, &lists_around(48, vec![])).is_ok());
    let error = check(Signal::LOGS, &lists_around(48, unknown.clone())).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 100 });
    assert!(check(Signal::LOGS, &lists_around(47, unknown)).is_ok());
    // With a limit of their own, groups are still bounded by 100.
    let limits = ValidateLimits { max_depth: usize::MAX, ..ValidateLimits::default() };
    assert!(validate(Signal::LOGS, &groups(99), &limits).is_ok());
    assert!(validate(Signal::LOGS, &groups(101), &limits).is_err());
}

#[test]
fn what_the_check_takes_prost_decodes_alone_and_merged_however_deep() {
    let unknown: [&[u8]; 3] = [&[], &[0xa8, 0x06, 0x01], &[0xaa, 0x06, 0x00]];
    let mut taken = 0;
    for lists in [0, 1, 40, 46, 47, 48, 49] {
        for groups in (0..20).chain(85..101) {
            for fields in unknown {
                let open = [0x8b, 0x06].repeat(groups);
                let inside = [open.as_slice(), fields, &[0x8c, 0x06].repeat(groups)].concat();
                let body = lists_around(lists, inside);
                if check(Signal::LOGS, &body).is_ok() {
                    taken += 1;
                    let other = nest(&[1, 2, 2], vec![0x10, 1]);
                    for body in [body.clone(), [other, body].concat()] {
                        crate::oracle::decode(Signal::LOGS, &body).unwrap();
                    }
                }
            }
        }
    }
    assert!(taken > 200, "{taken}");
}

#[test]
fn a_body_with_unknown_groups_is_sound_but_not_merged() {
    let group = [0x8b, 0x06, 0x08, 0x01, 0x8c, 0x06];
    for body in [nest(&[1], group.to_vec()), nest(&[1, 2, 2], group.to_vec())] {
        let checked = check(Signal::LOGS, &body).unwrap();
        assert!(!checked.mergeable);
    }
    assert!(check(Signal::LOGS, &nest(&[1, 2, 2], vec![0xa8, 0x06, 0x01])).unwrap().mergeable);
}

#[test]
fn tags_and_lengths_of_more_than_five_bytes_are_refused() {
    // Log records with a body of no bytes, tag and length padded.
    let tag = |padding: &[u8]| nest(&[1, 2, 2], [&[0xaa], padding, &[0x00, 0x00]].concat());
    let len = |padding: &[u8]| nest(&[1, 2, 2], [&[0x2a, 0x80], padding, &[0x00]].concat());
    let id = |padding: &[u8]| nest(&[1, 2, 2], [&[0x4a, 0x80], padding, &[0x00]].concat());
    let unknown = |padding: &[u8]| nest(&[1, 2, 2], [&[0xaa, 0x86], padding, &[0x00, 0x00]].concat());
    for make in [&tag as &dyn Fn(&[u8]) -> Vec<u8>, &len, &id, &unknown] {
        assert!(check(Signal::LOGS, &make(&[0x80; 2])).is_ok());
        let error = check(Signal::LOGS, &make(&[0x80; 4])).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Wire(WireError::Overlong), "{error}");
        assert_eq!(error.offset, 6);
    }
}

#[test]
fn bodies_of_two_gib_are_refused() {
    // Zeros that nobody reads take no memory.
    let body = vec![0; 1 << 31];
    let error = check(Signal::LOGS, &body).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooLong { limit: (1 << 31) - 1 });
}

#[test]
fn messages_are_bounded() {
    let body = [0x0a, 0x00].repeat(10);
    let limits = |max_elements| ValidateLimits { max_elements, ..ValidateLimits::default() };
    assert!(validate(Signal::LOGS, &body, &limits(10)).is_ok());
    let error = validate(Signal::LOGS, &body, &limits(9)).unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooManyElements { limit: 9 }, 18));

    // The shortcut for plain attributes counts what it saw.
    let attributes = field(1, &field(1, &field(1, &field(1, b"k"))));
    assert!(validate(Signal::LOGS, &attributes, &limits(3)).is_ok());
    let with_value = field(1, &field(1, &field(1, &[field(1, b"k"), field(2, &[])].concat())));
    assert!(validate(Signal::LOGS, &with_value, &limits(4)).is_ok());
    assert!(validate(Signal::LOGS, &with_value, &limits(3)).is_err());
    let three = field(1, &field(1, &field(1, &[field(1, b"k"), field(2, &[])].concat()).repeat(3)));
    assert!(validate(Signal::LOGS, &three, &limits(8)).is_ok());
    for limit in 0..8 {
        let error = validate(Signal::LOGS, &three, &limits(limit)).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::TooManyElements { limit });
    }
    let shallow = |max_depth| ValidateLimits { max_depth, ..ValidateLimits::default() };
    assert!(validate(Signal::LOGS, &with_value, &shallow(4)).is_ok());
    assert!(validate(Signal::LOGS, &with_value, &shallow(3)).is_err());
}

#[test]
fn only_resources_at_the_top_are_mergeable() {
    let resource = field(1, &[]);
    let unknown = field(77, b"?");
    for (signal, body, mergeable) in [
        (Signal::TRACES, vec![], true),
        (Signal::TRACES, resource.clone(), true),
        (Signal::TRACES, [resource.clone(), unknown.clone()].concat(), false),
        (Signal::PROFILES, resource.clone(), true),
        (Signal::PROFILES, [field(2, &[]), resource].concat(), false),
    ] {
        assert_eq!(check(signal, &body).unwrap().mergeable, mergeable, "{signal} {body:02x?}");
    }
}

/// Plain attributes take a shortcut: each of its edges must be judged as the table judges it.
#[test]
fn attributes_are_judged_alike_on_the_shortcut_and_off_it() {
    let long = "x".repeat(127);
    let keys: [&[u8]; 6] = [b"", b"k", b"key-of-sixteen-b", b"caf\xc3\xa9", b"\xff", long.as_bytes()];
    let values: [&[u8]; 16] = [
        &[],
        &[0x10, 1],
        &[0x10],
        &[0x18, 0x80],
        &[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        &[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
        &[0x21, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x21, 1, 2, 3, 4, 5, 6, 7],
        &[0x0a, 1, b'v'],
        &[0x0a, 1, 0xff],
        &[0x0a, 2, b'v'],
        &[0x0a, 1, b'v', 0x10, 1],
        &[0x3a, 1, 0xff],
        &[0x2a, 0],
        &[0x11, 1, 2, 3, 4, 5, 6, 7, 8],
    ];
    for key in keys {
        for value in values {
            for tail in [&[][..], b"a tail that leaves room to read past the value"] {
                let attribute = [field(1, key), field(2, value)].concat();
                // Behind a field that the shortcut does not expect, the same attribute is walked.
                let walked = [&[0xa8, 0x06, 0x00], attribute.as_slice()].concat();
                for before in [vec![], field(1, &[field(1, b"k"), field(2, &[0x10, 1])].concat())] {
                    let [quick, walked] = [&attribute, &walked].map(|attribute| {
                        let resource = field(1, &[before.clone(), field(1, attribute)].concat());
                        check(Signal::LOGS, &field(1, &[resource, field(3, tail)].concat()))
                    });
                    let kind = |result: Result<Checked, DecodeError>| {
                        result.map_err(|error| (error.kind, error.path))
                    };
                    assert_eq!(kind(quick), kind(walked), "key {key:02x?}, value {value:02x?}");
                }
            }
        }
    }
    let not_utf8 = field(1, &field(1, &field(1, &field(1, b"\xff"))));
    assert_eq!(check(Signal::LOGS, &not_utf8).unwrap_err().kind, DecodeErrorKind::Utf8);
    let truncated = field(1, &field(1, &field(1, &field(2, &[0x18]))));
    assert_eq!(check(Signal::LOGS, &truncated).unwrap_err().kind, WireError::Truncated.into());
}

#[test]
fn text_of_every_length_is_checked_to_the_last_byte() {
    for len in 1..=100 {
        for bad in 0..len {
            let mut text = vec![b'a'; len];
            let good = field(1, &field(3, &text));
            text[bad] = 0xff;
            let body = field(1, &field(3, &text));
            for tail in [vec![], field(1, &field(3, b"something follows in the body"))] {
                assert!(check(Signal::LOGS, &[good.clone(), tail.clone()].concat()).is_ok());
                let error = check(Signal::LOGS, &[body.clone(), tail].concat()).unwrap_err();
                assert_eq!(error.offset, 4 + bad, "length {len}");
            }
        }
    }
}
