use super::*;
use otlp_protocol::{ErrorKind, Retry};

#[test]
fn joined_texts_are_bounded() {
    let mut joined = String::new();
    for message in ["a", "", "b", "a", &"ä".repeat(5000), "c"] {
        join_messages(&mut joined, message);
    }
    assert!(joined.starts_with("a; b; ää") && joined.ends_with('ä'), "{joined}");
    assert!(joined.len() <= 4096 && joined.len() > 4090);
}

#[test]
fn answers_to_many_are_short() {
    let violation = || FieldViolation { field: "f".repeat(600), description: "d".repeat(1 << 20) };
    let mut error = ExportError::new(ErrorKind::InvalidData, Retry::Never, "m".repeat(1 << 20));
    for _ in 0..20 {
        error = error.with_violation(violation());
    }
    let short = shortened(Err(error)).unwrap_err();
    assert_eq!(
        (short.kind(), short.retry(), short.message().len()),
        (ErrorKind::InvalidData, Retry::Never, 4096)
    );
    let violations = short.to_status().violations;
    assert_eq!((violations.len(), violations[0].field.len(), violations[0].description.len()), (8, 512, 512));

    let accepted = shortened(Ok(Accepted { rejected: 3, message: "m".repeat(5000) })).unwrap();
    assert_eq!((accepted.rejected, accepted.message.len()), (3, 4096));
    let error = ExportError::new(ErrorKind::Internal, Retry::Never, "short");
    assert_eq!(shortened(Err(error)).unwrap_err().message(), "short");
}
