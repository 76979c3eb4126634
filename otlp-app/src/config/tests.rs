use super::*;
use crate::start;
use otlp_protocol::Signal;
use otlp_service::OnFull;
use std::collections::HashMap;
use std::io;
use std::time::Duration;

/// Files and variables of a test.
#[derive(Default)]
struct Fake {
    files: HashMap<String, String>,
    vars: HashMap<String, String>,
}

impl Fake {
    fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    fn load(&self, files: &[&str], sets: &[&str]) -> Result<Plan, String> {
        let files: Vec<_> = files.iter().map(PathBuf::from).collect();
        let sets: Vec<_> = sets.iter().map(|set| (*set).to_owned()).collect();
        let mut sources = Sources::default();
        let plan = load(&files, &sets, self, &mut sources);
        plan.map_err(|problems| problems.render(&sources, false))
    }
}

impl Lookup for Fake {
    fn env(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    fn file(&self, path: &str) -> io::Result<String> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// A whole configuration around a few lines of it.
fn around(exporter: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n{exporter}\nservice:\n  pipelines:\n    \
         traces: {{receivers: [otlp], exporters: [otlp]}}\n"
    )
}

fn plan(text: &str) -> Plan {
    Fake::default()
        .file("c.yaml", text)
        .load(&["c.yaml"], &[])
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(text: &str) -> String {
    match Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]) {
        Ok(_) => panic!("nothing found wrong with:\n{text}"),
        Err(problems) => problems,
    }
}

#[test]
fn errors_show_place_line_and_what_exists() {
    // Configuration, place, the lines under it, parts of the message.
    let cases: &[(&str, &str, &str, &[&str])] = &[
        (
            &around("  otlp:\n    endpont: c:1"),
            "[c.yaml:4:5]",
            "    endpont: c:1\n   :     ^^^^^^^\n",
            &["unknown key `endpont`", "did you mean `endpoint`?", "retry_on_failure"],
        ),
        (
            &around("  otpl:\n    endpoint: c:1"),
            "[c.yaml:3:3]",
            "  otpl:\n   :   ^^^^\n",
            &["unknown exporter `otpl`", "there is: debug, nop, otlp_grpc, otlp_http"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    timeout: 5"),
            "[c.yaml:5:14]",
            "    timeout: 5\n   :              ^\n",
            &["timeout: a unit is missing: 5ms, 5s, 5m?"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    sending_queue: {queue_size: many}"),
            "[c.yaml:5:33]",
            "^^^^\n",
            &["sending_queue.queue_size: expected a whole number, found `many`"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    sending_queue: {queue_size: 0}"),
            "[c.yaml:5:33]",
            "^\n",
            &["otlp: sending_queue.queue_size: it must be 1 to 1000000"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    sending_queue: {num_consumers: -1}"),
            "[c.yaml:5:36]",
            "^^\n",
            &["expected a number that is not negative, found `-1`"],
        ),
        (
            &around("  otlp:\n    endpoint: [c:1]"),
            "[c.yaml:4:15]",
            "    endpoint: [c:1]\n",
            &["endpoint: expected a text, found a list"],
        ),
        (
            &around("  otlp:\n    endpoint: c:1\n    compression: gzp"),
            "[c.yaml:5:18]",
            "^^^\n",
            &["unknown value `gzp`", "did you mean `gzip`? there is: gzip, zstd, none"],
        ),
        (&around("  otlp:\n    timeout: 5s"), "[c.yaml:3:3]", "^^^^\n", &["otlp: endpoint: it is required"]),
        (
            &around("  otlp:\n    endpoint: c:1\n    tls: {cert_file: x}"),
            "[c.yaml:5:11]",
            "^^^^^^^^^\n",
            &["exporters.otlp.tls.cert_file is not supported", "client certificate"],
        ),
        (
            &around("  otlp_grpc:\n    endpoint: c:1"),
            "[c.yaml:7:45]",
            "^^^^\n",
            &["unknown exporter `otlp`", "there is: otlp_grpc"],
        ),
        (
            &around("  otlp:\n    endpoint: ${env:NOPE}"),
            "[c.yaml:4:15]",
            "^^^^^^^^^^^\n",
            &["the environment variable `NOPE` is not set", "${env:NOPE:-default}"],
        ),
        ("a: [1\nb: 2\n", "[c.yaml:2:1]", "b: 2\n", &["not YAML"]),
        ("a: 1\na: 2\n", "[c.yaml:2:1]", "a: 2\n   : ^\n", &["the key `a` is here twice"]),
        ("a: 1\n---\nb: 2\n", "[c.yaml:2:1]", "---\n", &["a second YAML document"]),
        ("receivers:\n", "[c.yaml:1:1]", "receivers:\n", &["there is no `service` with `pipelines`"]),
        (
            "service: {pipelines: {spans: }}",
            "[c.yaml:1:23]",
            "^^^^^\n",
            &["unknown signal `spans`", "profiles"],
        ),
        ("service: {pipelines: {logs: }}", "[c.yaml:1:23]", "^^^^\n", &["logs: a pipeline needs receivers"]),
        ("service: {}", "[c.yaml:1:10]", "^^\n", &["there are no pipelines"]),
    ];
    for (text, place, under, messages) in cases {
        let problems = problems(text);
        for part in [place, under].into_iter().chain(*messages) {
            assert!(problems.contains(part), "{part:?} is not in:\n{problems}");
        }
    }
}

#[test]
fn several_problems_are_shown_at_once_in_order() {
    let problems =
        problems(&around("  otlp: {endpont: a, timeot: 1s}\n  otlphttp: {endpoint: h, encodin: proto}"));
    let places: Vec<_> =
        ["endpont", "timeot", "encodin"].iter().map(|key| problems.find(&format!("`{key}`"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{problems}");
}

#[test]
fn secrets_are_not_shown() {
    for exporter in [
        "  otlp: {endpoint: c:1, headers: {authorization: Bearer s3cret}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: [{name: authorization, value: s3cret}], timeout: 1y}",
        "  otlp: {endpoint: c:1, timeout: 1y, headers: {authorization: \"${env:S}\"}}",
        "  otlp: {endpoint: c:1, headers: ${env:M}, timeout: 1y}",
        "  otlp: {endpoint: c:1, headers: {a: {b: s3cret}}}",
    ] {
        let fake =
            Fake::default().var("S", "s3cret").var("M", "{a: s3cret}").file("c.yaml", around(exporter));
        let problems = fake.load(&["c.yaml"], &[]).err().unwrap_or_default();
        assert!(problems.contains("c.yaml:3:") && !problems.contains("s3cret"), "{problems}");
    }
    let headers = headers::Headers(vec![("authorization".into(), "s3cret".into())]);
    assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
}

#[test]
fn a_clients_refusal_is_shown_at_its_key() {
    let fake = Fake::default().file("c.yaml", around("  otlp:\n    endpoint: unix:///x\n"));
    let mut sources = Sources::default();
    let plan = load(&["c.yaml".into()], &[], &fake, &mut sources)
        .unwrap_or_else(|_| panic!("the reader refused it"));
    let context = start::context(&plan);
    let problems = start::spec(plan, &context).err().map(|problems| problems.render(&sources, false));
    assert!(problems.as_ref().is_some_and(|shown| shown.contains("[c.yaml:4:15]")), "{problems:?}");
}

#[test]
fn files_merge_and_sets_come_last() {
    let base = around(
        "  otlp:\n    endpoint: base:1\n    headers: {a: one, b: two}\n    sending_queue: {queue_size: 5}",
    );
    let over = "exporters: {otlp: {endpoint: over:1, sending_queue: {num_consumers: 2}}}\n\
                service: {pipelines: {traces: {exporters: [otlp, nop]}}}\nexporters/x: \n";
    let fake = Fake::default().file("base.yaml", base).file("over.yaml", over.replace("exporters/x: \n", ""));
    let sets = [
        "exporters.nop=",
        "exporters.otlp.sending_queue.num_consumers=7",
        "service.telemetry.logs.level=warn",
    ];
    let plan = fake.load(&["base.yaml", "over.yaml"], &sets).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(plan.pipelines[0].exporters, ["otlp", "nop"], "lists replace");
    let (_, otlp) = plan.exporters.iter().find(|(id, _)| id == "otlp").unwrap();
    assert_eq!((otlp.queue.queue_size, otlp.queue.num_consumers), (5, 7), "maps merge, --set comes last");
    assert_eq!(plan.logs.level, tracing::level_filters::LevelFilter::WARN);

    let problems = fake.load(&["base.yaml"], &["exporters.otlp.timout=3s"]).err().unwrap_or_default();
    assert!(problems.contains("[--set:1:16]") && problems.contains("did you mean `timeout`?"), "{problems}");
    let problems = fake.load(&["base.yaml", "nope.yaml"], &[]).err().unwrap_or_default();
    assert!(problems.contains("cannot read `nope.yaml`"), "{problems}");
    for set in ["a", "=1", "a..b=1", "a=["] {
        assert!(fake.load(&["base.yaml"], &[set]).is_err(), "{set}");
    }
}

#[test]
fn references_take_the_type_of_what_they_refer_to() {
    let text = around(
        "  otlp:\n    endpoint: ${env:HOST}:${PORT}\n    compression: ${C:-zstd}\n    sending_queue: ${file:queue.yaml}\n    \
         headers: {number: \"${env:PORT}\", dollar: $$x$y, secret: \"${env:ODD}\", file: \"${file:secret}\"}",
    );
    let fake = Fake::default()
        .var("HOST", "collector")
        .var("PORT", "4317")
        .var("ODD", "{not: yaml")
        .var("SIZE", "42")
        .file("secret", "s3cret\n")
        .file("queue.yaml", "block_on_overflow: true\nqueue_size: ${env:SIZE}\n")
        .file("c.yaml", text);
    let plan = fake.load(&["c.yaml"], &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let queue = &plan.exporters[0].1.queue;
    assert_eq!((queue.queue_size, queue.on_full), (42, OnFull::Block));
}

#[test]
fn references_are_bounded() {
    let bomb = Fake::default().file("c.yaml", "a: ${file:c.yaml}\nb: 1\n");
    let problems = bomb.load(&["c.yaml"], &[]).err().unwrap_or_default();
    assert!(problems.contains("nested deeper than 8"), "{problems}");
    let many = Fake::default().var("X", "x").file("c.yaml", format!("a: \"{}\"", "${X}".repeat(101)));
    let problems = many.load(&["c.yaml"], &[]).err().unwrap_or_default();
    assert!(problems.contains("more than 100 references"), "{problems}");
    for text in ["a: ${", "a: ${}", "a: ${1x}", "a: ${http://x}", "a: ${env:}"] {
        assert!(problems_of_expansion(text), "{text}");
    }
}

fn problems_of_expansion(text: &str) -> bool {
    let problems = problems(text);
    problems.contains("[c.yaml:1:4]") && !problems.contains("unknown key")
}

#[test]
fn trees_are_bounded() {
    let aliases: String = (1..30).map(|n| format!("k{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    let bomb = format!("k0: &a0 x\n{aliases}");
    assert!(problems(&bomb).contains("more than 100000 values"), "{}", problems(&bomb));
    let text_bomb = format!("k: &a {}\nl: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
    assert!(problems(&text_bomb).contains("more than 100000 values"));
    let deep = format!("a: {}", "[".repeat(200));
    assert!(problems(&deep).contains("nested deeper than 64"), "{}", problems(&deep));
    assert!(problems("a: &a [*a]").contains("alias"), "{}", problems("a: &a [*a]"));
    assert!(problems(&format!("a: {}", "x".repeat(2 << 20))).contains("larger than"));
}

#[test]
fn aliases_and_merge_keys_unfold() {
    let text = around(
        "  nop: &defaults {}\n  otlp: {<<: *defaults, endpoint: c:1}\n  otlp/b: {<<: {endpoint: d:1}}",
    );
    assert_eq!(plan(&text).exporters.len(), 1);
    assert!(problems(&around("  otlp: {<<: 3}")).contains("merges maps only"));
}

#[test]
fn defaults_are_the_collectors() {
    let plan = plan(
        "receivers: {otlp: {protocols: {grpc: , http: {}}}}\nprocessors: {batch: }\nexporters: {otlp: {endpoint: c:1}}\n\
         extensions: {health_check: }\nservice:\n  extensions: [health_check]\n  \
         pipelines: {traces/a: {receivers: [otlp], processors: [batch], exporters: [otlp]}}",
    );
    let endpoints: Vec<_> =
        plan.receivers[0].1.servers.iter().map(|server| server.config.endpoint.as_str()).collect();
    assert_eq!(endpoints, ["localhost:4317", "localhost:4318"]);
    assert_eq!(plan.metrics_endpoint.as_deref(), Some("localhost:8888"));
    assert_eq!(
        plan.health.map(|health| (health.endpoint, health.path)),
        Some(("localhost:13133".into(), "/".into()))
    );
    let (id, batch) = plan.pipelines[0].batch.clone().unwrap();
    assert_eq!(
        (id.as_str(), batch.timeout, batch.send_batch_size),
        ("batch", Duration::from_millis(200), 8192)
    );
    assert_eq!((plan.pipelines[0].id.as_str(), plan.pipelines[0].signal), ("traces/a", Signal::TRACES));
    let otlp = &plan.exporters[0].1;
    assert!(otlp.queue.enabled && otlp.queue.queue_size == 1000 && otlp.retry.enabled);
    assert_eq!(plan.memory_limit_bytes, None);
    assert!(plan.notes.is_empty());
}

#[test]
fn settings_reach_the_layers_below() {
    let plan = plan(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 1.2.3.4:1\n        max_recv_msg_size_mib: 8\n        \
         max_concurrent_streams: 7\n        keepalive: {server_parameters: {max_connection_age: 1m30s, time: 10s}}\n      \
         http: {endpoint: '[::1]:2', max_request_body_size: 1000, logs_url_path: l, idle_timeout: 0}\n\
         processors:\n  memory_limiter: {limit_mib: 64, check_interval: 1s}\n  batch: {send_batch_max_size: 100, timeout: 1s}\n\
         exporters:\n  otlphttp:\n    logs_endpoint: http://c/l\n    timeout: 0\n    retry_on_failure: {max_elapsed_time: 0, multiplier: 2}\n    \
         sending_queue: {enabled: false}\n\
         service:\n  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: '::1', port: 9}}}}]}, logs: {level: DEBUG, encoding: json}}\n  \
         pipelines: {logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlphttp]}}",
    );
    let [grpc, http] = plan.receivers[0].1.servers.as_slice() else { panic!("not two servers") };
    let limits = &grpc.config.limits;
    assert_eq!((limits.max_request_bytes, limits.max_concurrent_streams), (8 << 20, 7));
    assert_eq!(limits.max_connection_age, Some(Duration::from_secs(90)));
    assert_eq!(limits.keepalive_interval, Duration::from_secs(10));
    assert_eq!((http.config.limits.max_request_bytes, http.config.endpoint.as_str()), (1000, "[::1]:2"));
    assert_eq!(http.config.limits.idle_timeout, Duration::from_secs(60));
    assert_eq!(http.http_paths, [(Signal::LOGS, "/l".to_owned())]);
    assert_eq!(plan.memory_limit_bytes, Some(64 << 20));
    let (_, batch) = plan.pipelines[0].batch.clone().unwrap();
    assert_eq!((batch.send_batch_max_size, batch.send_batch_size), (100, 100));
    let exporter = &plan.exporters[0].1;
    assert_eq!((exporter.retry.max_elapsed_time, exporter.retry.multiplier), (None, 2.0));
    assert!(!exporter.queue.enabled);
    assert_eq!(plan.metrics_endpoint.as_deref(), Some("[::1]:9"));
    assert!(plan.logs.json && plan.logs.level == tracing::level_filters::LevelFilter::DEBUG);
    assert_eq!(plan.notes.len(), 1, "check_interval: {:?}", plan.notes);
}

#[test]
fn keys_without_use_are_noted_or_refused() {
    let noted = around("  otlp: {endpoint: c:1, write_buffer_size: 3, balancer_name: round_robin}\n  nop:");
    let noted = plan(&noted);
    let notes: Vec<_> = noted.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(
        notes.iter().any(|note| note.starts_with("exporters.otlp.write_buffer_size is ignored: ")),
        "{notes:?}"
    );
    assert!(notes.contains(&"nop is defined but not used"), "{notes:?}");

    for taken in ["auth: ", "sending_queue: {sizer: requests}", "tls: {min_version: \"1.2\"}"] {
        let text = around(&format!("  otlp: {{endpoint: c:1, {taken}}}"));
        let wrong = Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]).err();
        assert_eq!(wrong.is_some(), taken.starts_with("auth"), "{taken}: {wrong:?}");
    }
    for refused in [
        "auth: {authenticator: basic}",
        "sending_queue: {storage: file_storage}",
        "sending_queue: {batch: {min_size: 3}}",
        "sending_queue: {sizer: items}",
        "tls: {min_version: \"1.3\"}",
        "authority: x",
    ] {
        let problems = problems(&around(&format!("  otlp: {{endpoint: c:1, {refused}}}")));
        assert!(problems.contains("[c.yaml:3:"), "{refused}: {problems}");
    }
}

#[test]
fn an_exporter_gets_only_signals_it_has_an_endpoint_for() {
    let text = around("  otlphttp: {logs_endpoint: http://c/l}")
        .replace("[otlp], exporters: [otlp]", "[otlp], exporters: [otlphttp]");
    assert!(problems(&text).contains("otlphttp has no endpoint for traces"), "{}", problems(&text));
}

#[test]
fn durations_are_gos() {
    let cases = [
        ("0", Some(0)),
        ("200ms", Some(200_000_000)),
        ("1m30s", Some(90_000_000_000)),
        ("1.5h", Some(5_400_000_000_000)),
        ("3us", Some(3_000)),
        ("3µs", Some(3_000)),
        ("+1s", Some(1_000_000_000)),
        (".5s", Some(500_000_000)),
        ("", None),
        ("5", None),
        ("-1s", None),
        ("1d", None),
        ("s", None),
        ("1s2", None),
        ("1.2.3s", None),
        ("99999999h", None),
        (&"9".repeat(400), None),
    ];
    for (text, nanos) in cases {
        let parsed = parse_duration(text).ok().map(|duration| duration.as_nanos());
        assert_eq!(parsed, nanos, "{text}");
    }
}

#[test]
fn damaged_files_never_panic() {
    let sound = include_str!("../../tests/app/configs/bench_db.yaml");
    let pieces = [
        "{", "}", "[", "]", ": ", "- ", "\n", "  ", "&a ", "*a", "<<: ", "${", "}", "'", "\"", "\u{0}", "é",
        "|", ">", "!!str ", "---\n", "#", "? ", "%", "\t", "0x",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3000 {
        let mut text: Vec<char> = sound.chars().collect();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(0..text.len());
            match random.u8(0..3) {
                0 => drop(text.drain(at..(at + random.usize(0..20)).min(text.len()))),
                1 => drop(text.splice(at..at, random.choice(pieces).unwrap_or("").chars())),
                _ => text[at] = random.char(..),
            }
            if text.is_empty() {
                break;
            }
        }
        let text: String = text.into_iter().collect();
        let _ = Fake::default().file("c.yaml", text.clone()).load(&["c.yaml"], &[&format!("a.b={text}")]);
    }
}
