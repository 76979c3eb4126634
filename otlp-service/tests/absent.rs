//! Settings whose feature is not compiled in are refused by name, and accepted where it is. To run without features:
//! `cargo test -p otlp-service --no-default-features --test absent`.

use otlp_protocol::Signal;
use otlp_service::{
    ActionConfig, ActionKind, DiskCompression, DiskConfig, ExporterSpec, Gateway, GatewaySpec, NopExporter,
    PipelineSpec, ResourceProcessor,
};
use otlp_transport::testing::FaultyDisk;
use otlp_transport::{BoxAttempt, TransportContext};
use std::sync::Arc;

#[test]
fn attributes_are_hashed_if_sha_256_is_compiled_in() {
    let mut hash = ActionConfig::default();
    (hash.key, hash.action) = ("user.id".into(), ActionKind::Hash);
    let error = ResourceProcessor::new(&[hash]).err().map(|error| error.to_string());
    let expect = "action 0: action: hash is not compiled in: build with the feature `hash`";
    assert_eq!(error.as_deref(), cfg!(not(feature = "hash")).then_some(expect));
}

#[tokio::test]
async fn batches_are_stored_compressed_if_zstd_is_compiled_in() {
    let mut disk = DiskConfig::new("/data");
    disk.compression = DiskCompression::Zstd;
    let mut exporter = ExporterSpec::new("out", BoxAttempt::new(NopExporter));
    exporter.queue.storage = Some(disk);
    let spec = GatewaySpec {
        exporters: vec![exporter],
        pipelines: vec![PipelineSpec::new("logs", Signal::LOGS).with_exporter("out")],
        ..GatewaySpec::default()
    };
    let disk = Arc::new(FaultyDisk::new(1));
    let started = Gateway::start(TransportContext { disk, ..TransportContext::tcp(1 << 20) }, spec).await;
    let error = started.err().map(|error| error.to_string());
    let is_told = error.is_some_and(|error| {
        error.ends_with("compression by zstd is not compiled in: build with the feature `zstd`")
    });
    assert_eq!(is_told, cfg!(not(feature = "zstd")));
}
