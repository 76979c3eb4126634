use super::*;

const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn traceparents_are_read_as_the_specification_says() {
    for (text, is_valid) in [
        (VALID.to_owned(), true),
        (VALID.replace("-01", "-00"), true),
        // A later version may have more fields.
        (VALID.replacen("00", "cc", 1) + "-more", true),
        (VALID.replacen("00", "cc", 1), true),
        (VALID.replacen("00", "cc", 1) + "more", false),
        (VALID.to_owned() + "-more", false),
        (VALID.replacen("00", "ff", 1), false),
        (VALID.replacen("00", "0x", 1), false),
        (VALID.to_uppercase(), false),
        (VALID.replace("b7ad6b7169203331", "0000000000000000"), false),
        (VALID.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)), false),
        (VALID.replace('-', "_"), false),
        (String::new(), false),
        ("00-".to_owned(), false),
    ] {
        assert_eq!(SpanContext::from_traceparent(text.as_bytes()).is_some(), is_valid, "{text}");
    }
    for end in 0..VALID.len() {
        assert_eq!(SpanContext::from_traceparent(&VALID.as_bytes()[..end]), None);
    }
}

#[test]
fn a_merged_batch_has_the_spans_of_its_requests_once_each_up_to_the_limit() {
    let trace = |id: u8| {
        let span = SpanContext { trace_id: [id; 16], span_id: [id; 8], is_sampled: true };
        Arc::new(BatchTrace::new(span, false))
    };
    let mut joined = trace(1);
    for id in 1..=100 {
        joined = BatchTrace::join(joined, &trace(id));
        joined = BatchTrace::join(joined, &trace(1));
    }
    let ids: Vec<u8> = joined.spans().iter().map(|span| span.span_id[0]).collect();
    assert_eq!(ids, (1..=BatchTrace::MAX_SPANS as u8).collect::<Vec<_>>());
}
