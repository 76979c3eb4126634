use super::{MediaType, is_any_grpc, is_grpc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

#[test]
fn what_is_served_as_grpc_is_told_from_http_on_one_port() {
    for (value, is_served, is_any) in [
        ("application/grpc", true, true),
        ("Application/GRPC ; charset=utf-8", true, true),
        // HTTP/2 does not strip what surrounds a value.
        ("  application/grpc+proto", true, true),
        ("application/grpc+json", false, true),
        ("application/grpcx", false, true),
        ("application/x-protobuf", false, false),
        ("", false, false),
    ] {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
        assert_eq!((is_grpc(&headers), is_any_grpc(&headers)), (is_served, is_any), "{value:?}");
    }
    assert!(!is_any_grpc(&HeaderMap::new()));
    let repeated = |values: [&'static str; 2]| {
        HeaderMap::from_iter(values.map(|value| (CONTENT_TYPE, HeaderValue::from_static(value))))
    };
    assert!(is_grpc(&repeated(["application/grpc", "application/grpc"])));
    assert!(!is_any_grpc(&repeated(["application/grpc", "application/json"])));
    assert!(MediaType::of(&repeated(["application/json", "application/x-protobuf"])).is_err());
}
