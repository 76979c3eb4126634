use super::*;

const IDS: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

#[test]
fn headers_of_any_version_are_read_and_unknown_flags_cleared() {
    let valid = [
        ("00", "00", "", 0),
        ("00", "01", "", 1),
        ("00", "03", "", 3),
        ("00", "ff", "", 3),
        ("cc", "0a", "-x", 2),
    ];
    for (version, flags, rest, expect) in valid {
        let text = format!("{version}-{IDS}-{flags}{rest}");
        let context = TraceContext::from_traceparent(text.as_bytes()).unwrap();
        assert_eq!((context.flags, context.is_remote, &context.state), (expect, true, &None), "{text}");
        assert_eq!(context.to_traceparent(), format!("00-{IDS}-{expect:02x}"));
    }
    for text in [
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        assert_eq!(TraceContext::from_traceparent(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn an_invalid_state_is_dropped_and_its_parent_kept() {
    let context = TraceContext::from_traceparent(format!("00-{IDS}-01").as_bytes()).unwrap();
    let with = |state: &str| context.clone().with_tracestate([state.as_bytes()]);
    assert_eq!(with("a=1,b=2").state.as_deref(), Some("a=1,b=2"));
    let without = with("a=1,A=2");
    assert_eq!((&without.state, without.trace_id), (&None, context.trace_id));
}
