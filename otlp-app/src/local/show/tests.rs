use super::*;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Charge, Count, Signal};

fn field(number: u32, body: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    put_len_delimited(&mut field, number, body);
    field
}

fn attribute(key: &str, value: &str) -> Vec<u8> {
    field(1, &[field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat())
}

fn batch(service: &str) -> Batch {
    let resource = field(1, &[attribute("host.name", "h"), attribute("service.name", service)].concat());
    let scope = field(2, &[field(1, &field(1, b"lib")), field(2, b""), field(2, b"")].concat());
    let body = field(1, &[resource, scope].concat());
    Batch::new(Signal::METRICS, body, Count { items: 5, entries: 2 }, true, Charge::none())
}

#[test]
fn a_batch_is_a_line() {
    let shown = Show { details: false }.text(&batch("shop"));
    assert_eq!(shown, "metrics         5 metric points         59 B  shop\n");
}

#[test]
fn details_are_lines_below() {
    let shown = Show { details: true }.text(&batch("shop"));
    let lines: Vec<_> = shown.lines().skip(1).collect();
    assert_eq!(lines, ["  resource host.name=h service.name=shop", "    scope lib: 2 entries"]);
}

#[test]
fn senders_cannot_steer_the_terminal() {
    let shown = Show { details: true }.text(&batch("a\u{1b}[2J\n\u{9b}b"));
    assert!(!shown.contains(['\u{1b}', '\u{9b}']), "{shown:?}");
    assert!(shown.lines().next().is_some_and(|line| line.ends_with(r"a\u{1b}[2J\n\u{9b}b")), "{shown:?}");
    let long = Show { details: false }.text(&batch(&"é".repeat(150)));
    assert_eq!(long.matches('é').count(), 100, "{long:?}");
}

#[test]
fn a_damaged_body_is_a_line_too() {
    let whole = batch("shop").body().plain().to_contiguous();
    for end in 0..whole.len() {
        let body = whole.slice(..end);
        let cut = Batch::new(Signal::LOGS, body, Count::default(), true, Charge::none());
        assert!(Show { details: true }.text(&cut).starts_with("logs"));
    }
}
