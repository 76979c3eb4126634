use super::*;
use crate::view::RequestView;
use crate::{Signal, ValidateLimits};

fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len_delimited(&mut out, number, value);
    out
}

/// A request with a log record of these fields.
fn record(fields: &[&[u8]]) -> Vec<u8> {
    field(1, &field(2, &field(2, &fields.concat())))
}

#[track_caller]
fn check(from: Vec<u8>, to: &[u8]) {
    let limits = ValidateLimits::default();
    let body = Body::check(Signal::LOGS, from.clone(), &limits).unwrap();
    let known = known_fields(&body, 1 << 20).unwrap();
    if from == to {
        assert!(known.is_none());
        return;
    }
    let known = known.unwrap();
    assert_eq!(known.to_bytes(), to);
    assert_eq!(known.count(), body.count());
    Body::check(Signal::LOGS, known.to_bytes(), &limits).unwrap();
    let [old, new] = [&body, &known].map(Body::to_bytes);
    let value = |bytes| {
        RequestView::new(Signal::LOGS, bytes).log_records().next().map(|record| format!("{record:?}"))
    };
    assert_eq!(value(&old), value(&new));
}

#[test]
fn what_is_usual_stays_as_it_is() {
    let long = "x".repeat(300);
    let values = [
        field(1, long.as_bytes()),
        vec![BOOL, 1],
        vec![INT, 0x80, 1],
        [&[DOUBLE][..], &[0; 8]].concat(),
        field(7, b"\xff"),
        field(5, &[field(1, &field(1, b"a")), field(1, &[])].concat()),
        field(6, &field(1, &[field(1, b"k"), field(2, &[INT, 1])].concat())),
        Vec::new(),
    ];
    let attributes: Vec<Vec<u8>> =
        values.iter().map(|value| field(6, &[field(1, b"key"), field(2, value)].concat())).collect();
    let all: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
    let body = field(5, &values[5]);
    let bytes =
        record(&[&all.concat(), &body, &field(6, &field(1, b"alone")), &field(6, &field(2, &[INT, 1]))]);
    check(bytes.clone(), &bytes);
}

#[test]
fn unknown_fields_go_at_every_level() {
    let unknown = field(25, b"secret");
    let far = field(1000, b"secret");
    let group = [0xa3, 1, 0x08, 1, 0xa4, 1];
    let name = field(3, b"INFO");
    let value = field(6, &[&field(1, b"k")[..], &field(2, &field(1, b"v"))].concat());
    let with = field(
        6,
        &[&field(1, b"k")[..], &unknown, &field(2, &[&unknown[..], &field(1, b"v")].concat())].concat(),
    );
    check(record(&[&name, &unknown, &value, &far, &group]), &record(&[&name, &value]));
    check(record(&[&with, &name]), &record(&[&value, &name]));
    let inside = field(5, &field(5, &[&field(1, &field(1, b"a"))[..], &unknown].concat()));
    check(record(&[&inside]), &record(&[&field(5, &field(5, &field(1, &field(1, b"a"))))]));
    let request = [record(&[&name]), far.clone()].concat();
    check(request, &record(&[&name]));
}

#[test]
fn values_that_no_reader_sees_go() {
    let usual = |value: &[u8]| field(6, &[&field(1, b"k")[..], &field(2, value)].concat());
    let text = field(1, b"secret");
    // The last type of a value counts, the last key, and a reference to a dictionary that is not there is no value.
    check(record(&[&usual(&[&text[..], &[INT, 5]].concat())]), &record(&[&usual(&[INT, 5])]));
    let keys = [field(1, b"secret"), field(1, b"k"), field(2, &[INT, 5])].concat();
    check(record(&[&field(6, &keys)]), &record(&[&usual(&[INT, 5])]));
    let pieces = [field(1, b"k"), field(2, &text), field(2, &[INT, 5])].concat();
    check(record(&[&field(6, &pieces)]), &record(&[&usual(&[INT, 5])]));
    let index = [&text[..], &[8 << 3, 1]].concat();
    let known = known_fields(
        &Body::check(Signal::LOGS, record(&[&usual(&index)]), &ValidateLimits::default()).unwrap(),
        1 << 20,
    );
    assert_eq!(known.unwrap().unwrap().to_bytes(), record(&[&usual(&[])]));
}

#[test]
fn the_limit_holds() {
    let many = vec![&b"\x7a\x00"[..]; 1000];
    let body = Body::check(Signal::LOGS, record(&many), &ValidateLimits::default()).unwrap();
    assert!(known_fields(&body, 100).is_ok());
    let unusual = field(
        6,
        &[&field(1, b"k")[..], &field(2, &[&[INT, 1][..], &field(1, &[b'x'; 500])].concat())].concat(),
    );
    let body = Body::check(Signal::LOGS, record(&[&unusual]), &ValidateLimits::default()).unwrap();
    assert_eq!(known_fields(&body, 100).unwrap_err(), EditError::TooLarge { limit: 100 });
}
