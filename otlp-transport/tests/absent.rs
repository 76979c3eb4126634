//! Settings whose feature is not compiled in are refused by name, and accepted where it is. To run without features:
//! `cargo test -p otlp-transport --no-default-features --features client --test absent`.

use otlp_transport::{
    ClientConfig, ClientStrategy, Compression, ConfigError, GrpcTransportStrategy, Htpasswd,
    HttpTransportStrategy, Routes, ServerConfig, ServerStrategy, ServerTlsConfig, TransportContext,
};

/// Content encodings by name, with the feature of each, and whether the feature is on.
const ENCODINGS: [(Compression, &str, &str, bool); 8] = [
    (Compression::Gzip, "gzip", "gzip", cfg!(feature = "gzip")),
    (Compression::Zstd, "zstd", "zstd", cfg!(feature = "zstd")),
    (Compression::Brotli, "br", "brotli", cfg!(feature = "brotli")),
    (Compression::Zlib, "zlib", "deflate", cfg!(feature = "deflate")),
    (Compression::Deflate, "deflate", "deflate", cfg!(feature = "deflate")),
    (Compression::Snappy, "snappy", "snappy", cfg!(feature = "snappy")),
    (Compression::SnappyFramed, "x-snappy-framed", "snappy", cfg!(feature = "snappy")),
    (Compression::Lz4, "lz4", "lz4", cfg!(feature = "lz4")),
];
const CLIENTS: [&dyn ClientStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];

fn client(strategy: &dyn ClientStrategy, config: ClientConfig) -> Option<ConfigError> {
    strategy.client(&TransportContext::tcp(1 << 20), config).err()
}

#[test]
fn clients_compress_by_what_is_compiled_in() {
    for (compression, name, feature, is_on) in ENCODINGS {
        for strategy in CLIENTS {
            let mut config = ClientConfig::new("http://localhost:1");
            config.compression = compression;
            let expect = format!(
                "compression: {name} is not compiled in: build with the feature `{feature}`, or set it to `none`"
            );
            let error = client(strategy, config).map(|error| error.to_string());
            assert_eq!(error, (!is_on).then_some(expect));
        }
    }
}

#[test]
fn servers_take_the_encodings_that_are_compiled_in() {
    for (_, name, feature, is_on) in ENCODINGS {
        let mut config = ServerConfig::new("127.0.0.1:0");
        config.encodings = Some(vec!["identity".into(), name.into()]);
        let expect = format!("encodings: {name} is not compiled in: build with the feature `{feature}`");
        let error = config.check().err().map(|error| error.to_string());
        assert_eq!(error, (!is_on).then_some(expect));
    }
}

#[test]
fn clients_secure_connections_if_tls_is_compiled_in() {
    for strategy in CLIENTS {
        let error = client(strategy, ClientConfig::new("https://localhost:1"));
        assert_eq!(error.is_none(), cfg!(feature = "tls"), "{error:?}");
        if let Some(error) = error {
            assert!(
                error.to_string().ends_with("TLS is not compiled in: build with the feature `tls`"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn servers_secure_connections_if_tls_is_compiled_in() {
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(ServerTlsConfig::default());
    let context = TransportContext::tcp(1 << 20);
    let error = GrpcTransportStrategy.bind(&context, config, Routes::default()).await.err().unwrap();
    let is_absent = error.to_string() == "tls: TLS is not compiled in: build with the feature `tls`";
    assert_eq!(is_absent, cfg!(not(feature = "tls")), "{error}");
}

#[test]
fn bcrypt_hashes_are_taken_if_bcrypt_is_compiled_in() {
    let users = "user:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";
    let error = Htpasswd::parse(&[("htpasswd.inline", users)]).err().map(|error| error.to_string());
    let expect = "htpasswd.inline: line 1: bcrypt is not compiled in: build with the feature `basic-auth`";
    assert_eq!(error.as_deref(), cfg!(not(feature = "basic-auth")).then_some(expect));
}
