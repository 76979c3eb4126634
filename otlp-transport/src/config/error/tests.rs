use super::*;
use std::error::Error as _;
use std::io::ErrorKind;

#[test]
fn an_address_that_is_none_is_quoted_with_what_to_write() {
    for (endpoint, expected) in [
        ("127.0.0.1", "no port; write host:port, such as 127.0.0.1:4317"),
        ("", "no port; write host:port, such as 127.0.0.1:4317"),
        ("tcp4://localhost", "no port; write host:port, such as localhost:4317"),
        ("::1", "no port; write [address]:port, such as [::1]:4317"),
        ("[::1]", "no port; write [address]:port, such as [::1]:4317"),
        ("localhost:otlp", "the port is not a number from 0 to 65535"),
        ("localhost:65536", "the port is not a number from 0 to 65535"),
        ("http://0.0.0.0:4318", "a server's endpoint is no URL; write host:port, such as 127.0.0.1:4317"),
        ("[::1]:4317", "cannot listen: address already in use"),
        (":4317", "cannot listen: address already in use"),
        ("tcp6://[::1]:4317", "cannot listen: address already in use"),
        ("unix:///run/otlp.sock", "cannot listen: address already in use"),
    ] {
        let error = ConfigError::cannot_listen(
            endpoint,
            io::Error::new(ErrorKind::AddrInUse, "address already in use"),
        );
        assert_eq!(error.to_string(), format!("endpoint {endpoint:?}: {expected}"));
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>()).unwrap();
        assert_eq!(source.kind(), ErrorKind::AddrInUse);
    }
}

#[test]
fn other_names_of_a_setting_keep_value_and_source() {
    let error =
        ConfigError::new("endpoint", "it is bad").with_value("a\nb").with_source(ErrorKind::NotFound.into());
    let error = error.with_key("logs_endpoint");
    assert_eq!(error.to_string(), r#"logs_endpoint "a\nb": it is bad"#);
    assert_eq!(error.without_key(), r"`a\nb`: it is bad");
    assert!(error.source().is_some());
    assert_eq!(ConfigError::new("tokens", "no token").without_key(), "no token");
}
