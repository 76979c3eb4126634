//! Where to send and how.

use opentelemetry_otlp::{
    Compression, ExporterBuildError, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig,
    WithHttpConfig, WithTonicConfig,
};

pub struct Target {
    pub endpoint: String,
    pub encoding: Encoding,
    pub compression: Option<Compression>,
}

/// Transport and encoding.
#[derive(Clone, Copy)]
pub enum Encoding {
    Grpc,
    Http(Protocol),
}

impl Encoding {
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" => Ok(Self::Http(Protocol::HttpBinary)),
            "http/json" => Ok(Self::Http(Protocol::HttpJson)),
            other => Err(format!("no protocol {other}")),
        }
    }
}

pub fn compression(name: &str) -> Result<Option<Compression>, String> {
    match name {
        "none" => Ok(None),
        "gzip" => Ok(Some(Compression::Gzip)),
        "zstd" => Ok(Some(Compression::Zstd)),
        other => Err(format!("no compression {other}")),
    }
}

/// The three builders are alike but share no trait.
macro_rules! exporter {
    ($name:ident, $type:ident, $path:literal) => {
        pub fn $name(&self) -> Result<$type, ExporterBuildError> {
            match self.encoding {
                Encoding::Grpc => {
                    let builder =
                        $type::builder().with_tonic().with_endpoint(format!("http://{}", self.endpoint));
                    match self.compression {
                        Some(compression) => builder.with_compression(compression).build(),
                        None => builder.build(),
                    }
                }
                Encoding::Http(protocol) => {
                    let builder = $type::builder()
                        .with_http()
                        .with_protocol(protocol)
                        .with_endpoint(format!("http://{}{}", self.endpoint, $path));
                    match self.compression {
                        Some(compression) => builder.with_compression(compression).build(),
                        None => builder.build(),
                    }
                }
            }
        }
    };
}

impl Target {
    pub fn is_json(&self) -> bool {
        matches!(self.encoding, Encoding::Http(Protocol::HttpJson))
    }

    exporter!(spans, SpanExporter, "/v1/traces");
    exporter!(metrics, MetricExporter, "/v1/metrics");
    exporter!(logs, LogExporter, "/v1/logs");
}
