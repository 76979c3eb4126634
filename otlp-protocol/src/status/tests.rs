use super::*;

/// Each kind's successor: exhaustive, so that a new kind cannot be left out of the tables' proof.
fn next_kind(kind: ErrorKind) -> Option<ErrorKind> {
    Some(match kind {
        ErrorKind::Cancelled => ErrorKind::Internal,
        ErrorKind::Internal => ErrorKind::InvalidData,
        ErrorKind::InvalidData => ErrorKind::Loop,
        ErrorKind::Loop => ErrorKind::PermissionDenied,
        ErrorKind::PermissionDenied => ErrorKind::Exhausted,
        ErrorKind::Exhausted => ErrorKind::Timeout,
        ErrorKind::Timeout => ErrorKind::TooLarge,
        ErrorKind::TooLarge => ErrorKind::Unauthenticated,
        ErrorKind::Unauthenticated => ErrorKind::Unavailable,
        ErrorKind::Unavailable => ErrorKind::Unimplemented,
        ErrorKind::Unimplemented => ErrorKind::UnsupportedMediaType,
        ErrorKind::UnsupportedMediaType => ErrorKind::UnsupportedEncoding,
        ErrorKind::UnsupportedEncoding => return None,
    })
}

/// What a server decided is what its client reads, over either transport: nothing final is sent again, nothing
/// retryable is lost.
#[test]
fn a_servers_answer_reads_back_as_it_was_meant() {
    let second = Duration::from_secs(1);
    for kind in std::iter::successors(Some(ErrorKind::Cancelled), |&kind| next_kind(kind)) {
        for (retry, delay) in
            [(Retry::Never, None), (Retry::Backoff, None), (Retry::After(second), Some(second))]
        {
            let code = grpc_code(kind, retry);
            assert_ne!(code, Code::Ok, "{kind:?}, {retry:?}");
            assert_eq!(classify_grpc(code, delay).1, retry, "{kind:?}, {retry:?} as {code:?}");

            let status = http_status(kind, retry);
            assert!(status >= 400, "{kind:?}, {retry:?} as {status}");
            assert_eq!(classify_http(status, delay).1, retry, "{kind:?}, {retry:?} as {status}");
        }
        let unhurried = Retry::After(Duration::ZERO);
        let (code, status) = (grpc_code(kind, unhurried), http_status(kind, unhurried));
        assert_eq!(classify_grpc(code, Some(Duration::ZERO)).1, Retry::Backoff, "{kind:?}");
        assert_eq!(classify_http(status, Some(Duration::ZERO)).1, Retry::Backoff, "{kind:?}");
    }
}

/// The texts of real servers, under the codes they use; and texts that must not count.
#[test]
fn refusals_for_size_are_told_by_their_text_under_codes_that_can_mean_size() {
    let grpc = [
        (Code::ResourceExhausted, "grpc: received message larger than max (5242880 vs. 4194304)", true),
        (Code::ResourceExhausted, "CLIENT: Received message larger than max (5242880 vs. 4194304)", true),
        (Code::ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5242880", true),
        (Code::ResourceExhausted, "Received message exceeds the maximum configured message size.", true),
        (Code::ResourceExhausted, "the message of 3250000 bytes is over max_request_bytes (1048576)", true),
        (
            Code::ResourceExhausted,
            "the message of 3250000 bytes is over the request limit of 1048576 bytes",
            true,
        ),
        (
            Code::OutOfRange,
            "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes",
            true,
        ),
        (Code::Internal, "gRPC message exceeds maximum size 4194304: 5242880", true),
        (Code::ResourceExhausted, "quota of spans used up", false),
        (Code::OutOfRange, "timestamp out of range", false),
        (Code::Unauthenticated, "token larger than max", false),
        (Code::PermissionDenied, "received message larger than max", false),
        (Code::Unavailable, "received message larger than max", false),
    ];
    for (code, text, is_size) in grpc {
        let read = classify_grpc_refusal(code, None, text);
        let expected = if is_size { (ErrorKind::TooLarge, Retry::Never) } else { classify_grpc(code, None) };
        assert_eq!(read, expected, "{code:?} {text}");
        let delay = Some(Duration::from_secs(1));
        assert_eq!(classify_grpc_refusal(code, delay, text), classify_grpc(code, delay), "{code:?} {text}");
    }
    let http = [
        (413, "", true),
        (400, "http: request body too large", true),
        (500, "Request Entity Too Large", true),
        (400, "bad data", false),
        (401, "key larger than max", false),
        (403, "request body too large", false),
        (503, "request body too large", false),
    ];
    for (status, text, is_size) in http {
        let read = classify_http_refusal(status, None, text);
        let expected =
            if is_size { (ErrorKind::TooLarge, Retry::Never) } else { classify_http(status, None) };
        assert_eq!(read, expected, "{status} {text}");
    }
}

/// FAILED_PRECONDITION has many meanings; our receivers' loops are told by the header that their text names.
#[test]
fn a_loop_is_told_by_508_and_by_the_name_of_the_header() {
    let text = "forwarding loop: see the header otlp-hops";
    let looped = (ErrorKind::Loop, Retry::Never);
    assert_eq!(classify_grpc_refusal(Code::FailedPrecondition, None, text), looped);
    assert_eq!(classify_http_refusal(508, None, ""), looped);
    for code in [Code::Internal, Code::InvalidArgument, Code::Unavailable] {
        assert_ne!(classify_grpc_refusal(code, None, text), looped, "{code:?}");
    }
    let other = classify_grpc_refusal(Code::FailedPrecondition, None, "out of order");
    assert_eq!(other, (ErrorKind::Internal, Retry::Never));
}

#[test]
fn codes_are_numbered_as_grpc_numbers_them() {
    for number in 0..17 {
        assert_eq!(Code::from_number(number).map(|code| code as u32), Some(number));
    }
    assert_eq!(Code::from_number(17), None);
    assert_eq!(Code::from_number(u32::MAX), None);
}

/// gRPC's "HTTP to gRPC Status Code Mapping": what a proxy's plain HTTP answer stands for.
#[test]
fn http_statuses_map_to_grpc_codes() {
    let named = [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (429, Code::Unavailable),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
    ];
    for status in 0..=u16::MAX {
        let expected = named.iter().find(|row| row.0 == status).map_or(Code::Unknown, |row| row.1);
        assert_eq!(http_to_grpc(status), expected, "{status}");
    }
}

/// A refusal for size is one that parts of the request may escape, under whichever code it comes.
#[test]
fn what_may_be_about_the_content_is_told_by_the_kind() {
    let kinds = std::iter::successors(Some(ErrorKind::Cancelled), |&kind| next_kind(kind));
    let about_content: Vec<_> = kinds.filter(|kind| kind.may_be_about_content()).collect();
    let expected = [ErrorKind::Internal, ErrorKind::InvalidData, ErrorKind::Exhausted, ErrorKind::TooLarge];
    assert_eq!(about_content, expected);
    let text = "decoded message length too large: found 5 bytes, the limit is: 4 bytes";
    for code in [Code::OutOfRange, Code::Unknown, Code::ResourceExhausted] {
        assert!(classify_grpc_refusal(code, None, text).0.may_be_about_content(), "{code:?}");
    }
}
