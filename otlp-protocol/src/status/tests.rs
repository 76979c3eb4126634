use super::*;

/// Each kind's successor: exhaustive, so that a new kind cannot be left out of the tables' proof.
fn next_kind(kind: ErrorKind) -> Option<ErrorKind> {
    Some(match kind {
        ErrorKind::Cancelled => ErrorKind::Internal,
        ErrorKind::Internal => ErrorKind::InvalidData,
        ErrorKind::InvalidData => ErrorKind::PermissionDenied,
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
