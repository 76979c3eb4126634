//! Health of the real binary: the page of `health_check`, and the status of `healthcheckv2`.

use crate::process::{Otlp, command, file, http};

/// A gateway with a pipeline of that id, an exporter with a secret, and both health extensions.
fn config(pipeline: &str, directory: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{otlp_http: {{endpoint: 'http://127.0.0.1:1', headers: {{authorization: s3cret}}}}}}\n\
         extensions:\n  \
           healthcheckv2: {{http: {{endpoint: 127.0.0.1:0, config: {{enabled: true}}}}, grpc: {{endpoint: 127.0.0.1:0}}, \
           checks: {{connect: {{period: 200ms}}, stores: [{{directory: {directory}, min_free_mib: 1, affects: readiness}}]}}}}\n\
         service:\n  extensions: [healthcheckv2]\n  telemetry: {{metrics: {{level: none}}}}\n  \
         pipelines: {{{pipeline}: {{receivers: [otlp], exporters: [otlp_http]}}}}\n"
    )
}

#[test]
fn the_status_of_components_follows_the_configuration() {
    let directory = std::env::temp_dir().join(format!("otlp-health-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("make a directory");
    let shown = directory.display().to_string();
    let path = file(&config("traces/first", &shown));
    let mut otlp = Otlp::start(command(&["--config", &path]), &["otlp/http", "health", "health/grpc"]);
    let health = otlp.address("health");
    let get = |target: &str| http(health, "GET", target, b"");
    let until = |target: &str, part: &str| {
        let found = (0..1000).find_map(|_| {
            let (status, page) = get(target);
            let found = page.contains(part).then_some((status, page));
            found.or_else(|| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                None
            })
        });
        found.unwrap_or_else(|| panic!("{part} is not in {:?}", get(target)))
    };
    // Nobody listens on the port of the exporter, and nothing was sent.
    let (status, _) = until("/status?pipeline=traces%2Ffirst&verbose", "cannot connect to 127.0.0.1:1: ");
    assert_eq!(status, 200);
    until("/status?verbose", &format!("\"store/{shown}\":{{\"healthy\":true,\"status\":\"StatusOK\""));
    let (status, page) = get("/config");
    assert!(status == 200 && page.contains("traces/first:") && !page.contains("s3cret"), "{page}");

    std::fs::write(&path, config("traces/second", &shown)).expect("write");
    otlp.signal("HUP");
    otlp.line("configuration reloaded");
    assert_eq!(get("/status?pipeline=traces/second").0, 200);
    assert_eq!(get("/status?pipeline=traces/first").0, 404);
    assert!(get("/config").1.contains("traces/second:"));

    // A directory that is gone makes the gateway unready.
    std::fs::remove_dir_all(&directory).expect("remove the directory");
    std::fs::write(&path, config("traces/second", &shown).replace("min_free_mib: 1", "min_free_mib: 2"))
        .expect("write");
    otlp.signal("HUP");
    otlp.line("configuration reloaded");
    let (status, page) = until("/status", "cannot write to ");
    assert!(status == 500 && page.contains("StatusFatalError"), "{status} {page}");
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
    let _ = std::fs::remove_file(&path);
}
