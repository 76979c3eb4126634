//! Settings of `load_balancing`, and `balancer_name`.

use super::{around, plan, problems, spec_of};
use otlp_transport::{Disk, TransportContext};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The resolver and the endpoints of an exporter's client; `None` if it has but one.
fn balance(exporter: &str) -> Option<(&'static str, Vec<String>)> {
    let exporter = format!("  {exporter}\n  nop:");
    let text = around(&exporter).replace("exporters: [otlp]", "exporters: [load_balancing]");
    let text = if exporter.contains("load_balancing:") { text } else { around(&exporter) };
    let (_, exporter) = plan(&text).exporters.remove(0);
    let outlet = (exporter.part.connect)("a".into(), &TransportContext::tcp(1 << 20), None)
        .unwrap_or_else(|_| panic!("{text}"));
    let balance = outlet.stats?.balance.clone()?;
    let endpoints = balance.endpoints().iter().map(|endpoint| endpoint.endpoint.clone()).collect();
    Some((balance.resolver, endpoints))
}

#[tokio::test]
async fn endpoints_and_ways_to_find_them() {
    let fixed =
        |endpoints: &[&str]| Some(("static", endpoints.iter().map(|&text| text.to_owned()).collect()));
    let dns = Some(("dns", Vec::new()));
    for (exporter, expected) in [
        (
            "load_balancing: {resolver: {static: {hostnames: [a, 'b:1', '[::1]', '[::1]:5']}}}",
            fixed(&["a:4317", "b:1", "[::1]:4317", "[::1]:5"]),
        ),
        (
            "load_balancing: {protocol: {otlp: {timeout: 1s, tls: {insecure: true}, wait_for_ready: true}}, \
          resolver: {static: {hostnames: [{endpoint: 'b:1', weight: 3}, c]}}, policy: weighted_round_robin}",
            fixed(&["b:1", "c:4317"]),
        ),
        (
            "load_balancing: {protocol: {otlp_http: {tls: {insecure: true}}}, routing_key: service, \
          resolver: {static: {hostnames: [a, 'https://b:1']}}, sending_queue: {enabled: false}}",
            fixed(&["http://a:4318", "https://b:1"]),
        ),
        (
            "load_balancing: {protocol: {otlp: }, resolver: {dns: {hostname: backends, port: 4317, interval: 5s, timeout: 1s}}}",
            dns.clone(),
        ),
        (
            "load_balancing: {resolver: {static: {hostnames: [a]}}, routing_key: metadata, metadata_key: x-tenant, \
          ejection: {consecutive_failures: 3, base_time: 1s, max_time: 9s, max_percent: 30}, retry_on_failure: {enabled: false}}",
            fixed(&["a:4317"]),
        ),
        ("otlp: {endpoint: 'localhost:1', balancer_name: round_robin}", dns.clone()),
        ("otlp: {endpoint: 'dns:///localhost:1'}", dns),
        ("otlp: {endpoint: 'dns:///localhost:1', balancer_name: pick_first}", None),
        ("otlp: {endpoint: 'localhost:1'}", None),
    ] {
        assert_eq!(balance(exporter), expected, "{exporter}");
    }
}

#[test]
fn what_cannot_work_is_told_with_its_place() {
    for (settings, place, problem) in [
        ("{}", "3:3", "resolver: it is required"),
        ("{resolver: {}}", "3:30", "resolver: it is required"),
        ("{resolver: {static: {hostnames: []}}}", "3:51", "it is required"),
        (
            "{resolver: {static: {hostnames: [{endpoint: a, weight: 0}]}}}",
            "3:52",
            "weight: it must be 1 to 1000",
        ),
        ("{resolver: {static: {hostnames: [{endpoint: a, wait: 0}]}}}", "3:52", "wait"),
        ("{resolver: {file: {interval: 1s}}}", "3:37", "resolver.file.path: it is required"),
        (
            "{resolver: {file: {path: /a}, static: {hostnames: [a]}}}",
            "3:30",
            "`static`, `dns` and `file` exclude each other",
        ),
        ("{resolver: {dns: {port: 1}}}", "3:36", "resolver.dns.hostname: it is required"),
        (
            "{resolver: {dns: {hostname: a}, static: {hostnames: [a]}}}",
            "3:30",
            "`static` and `dns` exclude each other",
        ),
        (
            "{resolver: {k8s: {service: a}, static: {hostnames: [a]}}}",
            "3:31",
            "resolver.k8s is not supported",
        ),
        (
            "{protocol: {otlp: {}, otlp_http: {}}, resolver: {dns: {hostname: a}}}",
            "3:30",
            "`otlp` and `otlp_http` exclude each other",
        ),
        (
            "{protocol: {otlp: {tls: {tpm: {path: a}}}}, resolver: {dns: {hostname: a}}}",
            "3:44",
            "protocol.otlp.tls.tpm is not supported",
        ),
        ("{resolver: {static: {hostnames: ['u:s3cret@a:1']}}}", "3:51", "no user or password here"),
        (
            "{routing_key: attributes, resolver: {dns: {hostname: a}}}",
            "3:3",
            "routing_attributes: it is required",
        ),
        (
            "{protocol: {otlp: {timeoout: 1s}}, resolver: {dns: {hostname: a}}}",
            "3:38",
            "did you mean `timeout`",
        ),
        (
            "{protocol: {otlp_http: {logs_endpoint: 'http://a'}}, resolver: {dns: {hostname: a}}}",
            "3:42",
            "come from `resolver`",
        ),
        (
            "{resolver: {dns: {hostname: 'http://a'}}}",
            "3:47",
            "a host name without scheme and port is expected",
        ),
        (
            "{protocol: {otlp: {sending_queue: {queue_size: 0}}}, resolver: {dns: {hostname: a}}}",
            "3:66",
            "protocol.otlp.sending_queue.queue_size: it must be 1",
        ),
        (
            "{sending_queue: {queue_size: 0}, resolver: {dns: {hostname: a}}}",
            "3:48",
            "load_balancing: sending_queue.queue_size: it must be 1",
        ),
        ("{routing_key: metadata, resolver: {dns: {hostname: a}}}", "3:3", "metadata_key: it is required"),
        ("{routing_key: streamID, resolver: {dns: {hostname: a}}}", "3:33", "unknown value `streamID`"),
        ("{policy: roundrobin, resolver: {dns: {hostname: a}}}", "3:28", "did you mean `round_robin`"),
        ("{ejection: {max_percent: 101}, resolver: {dns: {hostname: a}}}", "3:44", "0 to 100"),
    ] {
        let text = around(&format!("  load_balancing: {settings}\n  otlp: {{endpoint: 'c:1'}}"));
        let told = problems(&text);
        assert!(told.contains(&format!("c.yaml:{place}\n")) && told.contains(problem), "{settings}:\n{told}");
    }
}

/// One file in memory.
#[derive(Debug)]
struct Memory(&'static str);

impl Disk for Memory {
    fn read(&self, path: &Path, _: u64) -> io::Result<Vec<u8>> {
        assert_eq!(path, Path::new("/backends"));
        Ok(self.0.into())
    }
}

/// The endpoints of a file with that content, or the error.
fn of_file(protocol: &str, content: &'static str) -> Result<Vec<String>, String> {
    let settings =
        format!("{{protocol: {{{protocol}}}, resolver: {{file: {{path: /backends, interval: 1s}}}}}}");
    let text = around(&format!("  load_balancing: {settings}"))
        .replace("exporters: [otlp]", "exporters: [load_balancing]");
    let (_, exporter) = plan(&text).exporters.remove(0);
    let context = TransportContext { disk: Arc::new(Memory(content)), ..TransportContext::tcp(1 << 20) };
    let made = (exporter.part.connect)("a".into(), &context, None);
    let stats = made.map_err(|error| exporter.component.unwrap().wrong(&error).to_string())?.stats.unwrap();
    let balance = stats.balance.as_ref().unwrap();
    assert_eq!(balance.resolver, "file");
    Ok(balance.endpoints().iter().map(|endpoint| endpoint.endpoint.clone()).collect())
}

#[tokio::test]
async fn a_file_of_endpoints_is_yaml_or_json() {
    let grpc = "otlp: {tls: {insecure: true}}";
    for content in [
        "- a\n- endpoint: b:1\n  weight: 3\n- {endpoint: c, connect_to: 10.0.0.1}\n",
        r#"["a", {"endpoint": "b:1", "weight": 3}, {"endpoint": "c", "connect_to": "10.0.0.1"}]"#,
    ] {
        assert_eq!(of_file(grpc, content).unwrap(), ["a:4317", "b:1", "10.0.0.1:4317"], "{content}");
    }
    assert_eq!(of_file("otlp_http: {tls: {insecure: true}}", "[a]").unwrap(), ["http://a:4318"]);
    for (content, problem) in [
        ("", "the list of endpoints is empty"),
        ("- a\n- {endpoint: b, weight: 0}", "2:3: weight: it must be 1 to 1000"),
        ("- a\n- {endpoint: b, wait: 0}", "2:3: unknown field `wait`"),
        ("- a\n- [", "2:4: invalid YAML"),
        ("- u:hunter2@a:1", "no user or password here"),
        ("- {endpoint: a, connect_to: 'u:hunter2@b'}", "no user or password here"),
    ] {
        let error = of_file(grpc, content).unwrap_err();
        assert!(
            error.starts_with("load_balancing: resolver.file.path: ") && error.contains(problem),
            "{content}: {error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_destinations_queue_stands_in_either_place() {
    for (queue, enabled) in [
        ("", true),
        ("sending_queue: {enabled: false},", false),
        ("protocol: {otlp: {sending_queue: {enabled: false}}},", false),
        ("sending_queue: {enabled: true}, protocol: {otlp: {sending_queue: {enabled: false}}},", true),
    ] {
        let exporter = format!("  load_balancing: {{{queue} resolver: {{dns: {{hostname: a}}}}}}");
        let text = around(&exporter).replace("exporters: [otlp]", "exporters: [load_balancing]");
        assert_eq!(plan(&text).exporters[0].1.part.queue.enabled, enabled, "{queue}");
    }
}

/// Errors of the client are shown at their key, below `protocol` or in the resolver.
#[tokio::test]
async fn what_the_client_finds_wrong_is_told_with_its_place() {
    for (settings, path) in [
        ("resolver: {static: {hostnames: ['a b']}}", "resolver.static.hostnames"),
        (
            "protocol: {otlp: {tls: {ca_file: /no/ca}}}, resolver: {static: {hostnames: [a]}}",
            "protocol.otlp.tls.ca_file",
        ),
    ] {
        let text = around(&format!("  load_balancing: {{{settings}}}"))
            .replace("exporters: [otlp]", "exporters: [load_balancing]");
        let (_, exporter) = plan(&text).exporters.remove(0);
        let error = (exporter.part.connect)("a".into(), &TransportContext::tcp(1 << 20), None).err().unwrap();
        let problem = exporter.component.unwrap().wrong(&error);
        assert!(problem.to_string().starts_with(&format!("load_balancing: {path}: ")), "{problem}");
    }
}

#[test]
fn endpoints_beside_the_resolver_are_noted() {
    let settings =
        "{protocol: {otlp: {endpoint: 'a:1', balancer_name: round_robin}}, resolver: {dns: {hostname: a}}}";
    let text = around(&format!("  load_balancing: {settings}"))
        .replace("exporters: [otlp]", "exporters: [load_balancing]");
    let notes: Vec<_> = plan(&text).notes.into_iter().map(|note| note.text).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
}

#[tokio::test]
async fn receivers_keep_the_header_that_is_routed_by() {
    let text = "receivers: {otlp: {protocols: {grpc: {include_metadata: true}}}}\nprocessors: {batch: }\n\
                exporters: {load_balancing: {routing_key: metadata, metadata_key: X-Tenant, resolver: {dns: {hostname: a}}}}\n\
                service: {pipelines: {logs: {receivers: [otlp], processors: [batch], exporters: [load_balancing]}}}\n";
    let kept = &spec_of(plan(text)).needs()[0].needs.headers;
    assert_eq!(kept.iter().map(ToString::to_string).collect::<Vec<_>>(), ["x-tenant"]);
}
