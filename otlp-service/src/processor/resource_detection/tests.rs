use super::*;
use crate::telemetry::Registry;
use detector::{Sources, detect};
use otlp_protocol::view::RequestView;
use otlp_protocol::{Body, Charge, Signal, json};
use otlp_transport::{BoxIo, Disk, Listener, Net, NetFuture};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Files by path.
#[derive(Debug, Default)]
struct Files(HashMap<&'static str, &'static str>);

impl Disk for Files {
    fn read(&self, path: &Path, _: u64) -> io::Result<Vec<u8>> {
        let found = self.0.get(path.to_str().unwrap());
        found.map(|text| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A network with some names, and an engine that answers by path: `None` answers no connection.
#[derive(Debug, Default)]
struct Town {
    names: Vec<&'static str>,
    engine: Mutex<VecDeque<Option<(u16, &'static str)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Net for Town {
    fn bind<'a>(&'a self, _: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo> {
        let answer = self.engine.lock().pop_front().flatten();
        let (asked, address) = (self.asked.clone(), address.to_owned());
        Box::pin(async move {
            let (status, body) = answer.ok_or(io::ErrorKind::ConnectionRefused)?;
            let (here, mut there) = tokio::io::duplex(4096);
            tokio::spawn(async move {
                let mut head = vec![0; 1024];
                let read = there.read(&mut head).await.unwrap();
                let line =
                    String::from_utf8_lossy(&head[..read]).lines().next().unwrap_or_default().to_owned();
                asked.lock().push(format!("{address} {line}"));
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                there.write_all(answer.as_bytes()).await.unwrap();
            });
            Ok(Box::new(here) as BoxIo)
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> NetFuture<'a, Vec<std::net::SocketAddr>> {
        let found = self.names.iter().any(|known| format!("{known}.:0") == name);
        let found = if found { vec![([10, 0, 0, 1], 0).into()] } else { Vec::new() };
        Box::pin(async { Ok(found) })
    }
}

fn context(files: &[(&'static str, &'static str)], town: Town) -> TransportContext {
    let mut context = TransportContext::tcp(1 << 20);
    context.disk = Arc::new(Files(files.iter().copied().collect()));
    context.net = Arc::new(town);
    context
}

fn variables(name: &str) -> Option<String> {
    (name == "OTEL_RESOURCE_ATTRIBUTES").then(|| "team=shop,host.name=env".to_owned())
}

fn nothing(_: &str) -> Option<String> {
    None
}

fn config(detectors: &[DetectorKind]) -> ResourceDetectionConfig {
    ResourceDetectionConfig { detectors: detectors.to_vec(), ..ResourceDetectionConfig::default() }
}

fn shown(found: &Found) -> String {
    let pair = |(key, value): &(Box<str>, otlp_protocol::AttributeValue)| format!("{key}={:?}", value.view());
    found.attributes.iter().map(pair).collect::<Vec<_>>().join(" ")
}

async fn found(
    kind: DetectorKind,
    context: &TransportContext,
    config: &ResourceDetectionConfig,
) -> Result<String, String> {
    detect(kind, &Sources::new(context, variables), config).await.map(|found| shown(&found))
}

#[test]
fn the_variable_is_read_as_the_collector_reads_it() {
    let read = |text: &'static str| {
        let lookup = |name: &str| (name == "OTEL_RESOURCE").then(|| text.to_owned());
        env::detect(&lookup).map(|found| shown(&found)).map_err(drop)
    };
    for (text, expected) in [
        ("", Ok("")),
        (" a=b , c = d%2C+e,", Ok(r#"a="b" c="d, e""#)),
        ("a=1,a=2", Ok(r#"a="2""#)),
        ("a=", Ok(r#"a="""#)),
        ("a,b=c", Ok(r#"a,b="c""#)),
        ("a", Err(())),
        ("a=b,c", Err(())),
        ("=b", Err(())),
        ("a=%4", Err(())),
        ("a=ü", Err(())),
    ] {
        assert_eq!(read(text), expected.map(str::to_owned), "{text}");
    }
}

const HOST: &[(&str, &str)] = &[
    ("/proc/sys/kernel/hostname", "node-1\n"),
    ("/proc/sys/kernel/ostype", "Linux\n"),
    ("/proc/sys/kernel/osrelease", "6.1.0\n"),
    ("/proc/sys/kernel/version", "#1 SMP\n"),
    ("/etc/machine-id", "fee1\n"),
    ("/etc/os-release", "PRETTY_NAME=\"Debian 13\"\nID=debian\nVERSION_ID=\"13\"\n"),
    ("/etc/debian_version", "13.1\n"),
    ("/proc/net/dev", "Inter-|\n face |\n    lo: 1 2\n  eth0: 3 4\n  eth1: 3 4\n"),
    ("/sys/class/net/lo/flags", "0x9\n"),
    ("/sys/class/net/lo/address", "00:00:00:00:00:00\n"),
    ("/sys/class/net/eth0/flags", "0x1003\n"),
    ("/sys/class/net/eth0/address", "0a:1b:2c:3d:4e:5f\n"),
    ("/sys/class/net/eth1/flags", "0x1002\n"),
    ("/sys/class/net/eth1/address", "0a:1b:2c:3d:4e:60\n"),
    (
        "/proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineX\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: X 1\nstepping\t: 7\ncache size\t: 512 \
         KB\n\nprocessor\t: 1\nmodel\t: 1\n",
    ),
];

#[tokio::test(start_paused = true)]
async fn the_system_is_read_from_files() {
    let context = context(HOST, Town::default());
    let mut config = config(&[DetectorKind::System]);
    config.addresses = || vec![[10, 0, 0, 7].into()];
    assert_eq!(
        found(DetectorKind::System, &context, &config).await.unwrap(),
        r#"host.name="node-1" os.type="linux""#.replace("linux", crate::surroundings::host::os_type())
    );
    let all = DetectorKind::System.attributes().iter();
    config.switches = all.map(|(key, _)| (DetectorKind::System, (*key).to_owned(), true)).collect();
    config.switches.extend(["host.arch", "os.type"].map(|key| (DetectorKind::System, key.to_owned(), false)));
    let arch = std::env::consts::ARCH;
    assert_eq!(
        found(DetectorKind::System, &context, &config).await.unwrap(),
        format!(
            "host.cpu.cache.l2.size=512 host.cpu.family=\"6\" host.cpu.model.id=\"85\" host.cpu.model.name=\"X 1\" \
             host.cpu.stepping=\"7\" host.cpu.vendor.id=\"GenuineX\" host.id=\"fee1\" host.interface=[\"lo\", \"eth0\", \"eth1\"] \
             host.ip=[\"10.0.0.7\"] host.mac=[\"0A-1B-2C-3D-4E-5F\"] host.name=\"node-1\" os.build.id=\"6.1.0\" \
             os.description=\"Debian 13 (Linux node-1 6.1.0 #1 SMP {arch})\" os.name=\"debian\" os.version=\"13.1\""
        )
    );
    // A host without files has what the program knows.
    let none = self::context(&[], Town::default());
    assert!(found(DetectorKind::System, &none, &config).await.unwrap_err().contains("no name"));
}

#[tokio::test(start_paused = true)]
async fn the_name_of_the_host_is_that_of_the_first_source() {
    let (dns, os, cname) = (HostnameSource::Dns, HostnameSource::Os, HostnameSource::Cname);
    let resolv = ("/etc/resolv.conf", "domain old\n# search no\nsearch a.example b.example.\n");
    let name = ("/proc/sys/kernel/hostname", "n1");
    for (files, names, sources, expected) in [
        (vec![name, ("/etc/hosts", "10.0.0.1 n1.corp n1 # n2\n")], vec![], vec![dns, os], Ok("n1.corp")),
        (vec![name, ("/etc/hosts", "10.0.0.1 n1 n1.corp\n")], vec![], vec![dns], Ok("n1")),
        (
            vec![name, ("/etc/hosts", "10.0.0.1 n2 # n1\n"), resolv],
            vec!["n1.b.example"],
            vec![dns, os],
            Ok("n1.b.example"),
        ),
        (vec![name, resolv], vec!["n1.a.example", "n1.b.example"], vec![cname], Ok("n1.a.example")),
        (vec![("/proc/sys/kernel/hostname", "n1.c")], vec!["n1.c"], vec![HostnameSource::Lookup], Ok("n1.c")),
        (vec![name, resolv], vec![], vec![dns, os], Ok("n1")),
        (
            vec![name, resolv],
            vec![],
            vec![dns, cname],
            Err("no name of the host \"n1\" in the sources dns, cname"),
        ),
    ] {
        let context = context(&files, Town { names, ..Town::default() });
        let found = hostname::find(&Sources::new(&context, nothing), &sources).await;
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
    }
}

#[tokio::test(start_paused = true)]
async fn the_engine_is_asked_over_its_socket() {
    let info = r#"{"ID":"x","Name":"docker-1","OSType":"linux","Plugins":{"Volume":["local"]}}"#;
    let container = r#"{"Name":"/shop","Image":"sha256:1","State":{}}"#;
    let town = |answers: &[Option<(u16, &'static str)>]| Town {
        engine: Mutex::new(answers.to_vec().into()),
        ..Town::default()
    };
    let whole = town(&[Some((200, info)), Some((200, container))]);
    let asked = whole.asked.clone();
    let context = context(HOST, whole);
    let mut config = config(&[DetectorKind::Docker]);
    config.switches = ["container.name", "container.image.name"]
        .map(|key| (DetectorKind::Docker, key.to_owned(), true))
        .to_vec();
    let expected =
        r#"host.name="docker-1" os.type="linux" container.name="/shop" container.image.name="sha256:1""#;
    assert_eq!(found(DetectorKind::Docker, &context, &config).await.unwrap(), expected);
    let socket = "unix:///var/run/docker.sock GET";
    assert_eq!(
        *asked.lock(),
        [format!("{socket} /info HTTP/1.1"), format!("{socket} /containers/node-1/json HTTP/1.1")]
    );
    // An engine that is not there is none, unless that is to be a failure.
    for (answers, problem) in [
        (vec![], "connection refused"),
        (vec![Some((403, "{}"))], "answered with the status 403"),
        (vec![Some((200, "[]"))], "the answer is not what was expected"),
    ] {
        config.fail_on_missing_metadata = false;
        assert_eq!(
            found(DetectorKind::Docker, &self::context(HOST, town(&answers)), &config).await.unwrap(),
            ""
        );
        config.fail_on_missing_metadata = true;
        let error =
            found(DetectorKind::Docker, &self::context(HOST, town(&answers)), &config).await.unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    let strange = self::context(&[("/proc/sys/kernel/hostname", "a/../b")], town(&[Some((200, info))]));
    assert!(
        found(DetectorKind::Docker, &strange, &config)
            .await
            .unwrap_err()
            .contains("is not the id of a container")
    );
    let secure = |name: &str| (name == "DOCKER_HOST").then(|| "npipe:////./pipe".to_owned());
    let error = docker::detect(&Sources::new(&strange, secure), &config).await.map(drop).unwrap_err();
    assert!(error.contains("neither unix://PATH nor tcp://HOST:PORT"), "{error}");
}

fn processor(config: ResourceDetectionConfig) -> ResourceDetectionProcessor {
    ResourceDetectionProcessor { detection: Arc::new(Detection::new(config, variables)) }
}

fn batch(body: Body) -> Batch {
    Batch::unchecked(body.signal(), body.to_bytes(), body.count(), body.is_mergeable(), Charge::none())
}

/// Resources after the processor, with schema URLs.
fn processed(processor: &ResourceDetectionProcessor, body: Body) -> Vec<String> {
    let (signal, mut out) = (body.signal(), Out::new());
    let items = body.count().items;
    processor.process(batch(body), &mut out).unwrap();
    let batch = out.into_batches().remove(0);
    assert_eq!(batch.items(), items);
    let bytes = batch.body().to_bytes();
    let resources = RequestView::new(signal, &bytes).resources();
    resources.map(|group| format!("{:?} {}", group.resource().attributes(), group.schema_url())).collect()
}

const SCHEMA: &str = "https://opentelemetry.io/schemas/1.40.0";

#[tokio::test(start_paused = true)]
async fn resources_of_all_signals_get_the_attributes() {
    let context = context(HOST, Town::default());
    let mut config = config(&[DetectorKind::Env, DetectorKind::System]);
    config.switches = vec![(DetectorKind::System, "os.type".to_owned(), false)];
    let overriding = processor(config.clone());
    config.override_existing = false;
    let keeping = processor(config);
    let registry = Registry::new();
    for processor in [&overriding, &keeping] {
        processor.with_metrics(&ProcessorMetrics::new(&registry, "rd", "p", Signal::LOGS));
        processor.start(&context).await;
    }
    for signal in Signal::ALL {
        let (resources, scopes, entries) = match signal.name {
            "traces" => ("resourceSpans", "scopeSpans", r#""spans":[{}]"#),
            "metrics" => ("resourceMetrics", "scopeMetrics", r#""metrics":[{"gauge":{"dataPoints":[{}]}}]"#),
            "logs" => ("resourceLogs", "scopeLogs", r#""logRecords":[{}]"#),
            _ => ("resourceProfiles", "scopeProfiles", r#""profiles":[{"samples":[{}]}]"#),
        };
        let resource = |resource: &str| format!(r#"{{{resource}"{scopes}":[{{{entries}}}]}}"#);
        let other = r#""schemaUrl":"s","resource":{"attributes":[{"key":"host.name","value":{"stringValue":"other"}},{"key":"a","value":{"intValue":"1"}}]},"#;
        let text = format!(r#"{{"{resources}":[{},{}]}}"#, resource(""), resource(other));
        let body = json::from_str(signal, &text).unwrap();
        assert_eq!(
            processed(&overriding, body.clone()),
            [
                format!(r#"{{"team": "shop", "host.name": "env"}} {SCHEMA}"#),
                r#"{"host.name": "env", "a": 1, "team": "shop"} s"#.to_owned(),
            ],
            "{signal}"
        );
        assert_eq!(processed(&keeping, body)[1], r#"{"host.name": "other", "a": 1, "team": "shop"} s"#);
    }
    let page = registry.snapshot().to_string();
    for line in [
        "otlp_resourcedetection_renamed_resources{processor=\"rd\"} 4\n",
        "otelcol_resourcedetection_detector_results{processor=\"rd\",detector=\"env\",outcome=\"success\"} 2\n",
        "otelcol_resourcedetection_detector_duration_count{processor=\"rd\",detector=\"system\",outcome=\"success\"} 2\n",
        "otelcol_resourcedetection_detector_results{processor=\"rd\",detector=\"system\",outcome=\"failure\"} 0\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_schema_url_is_set_without_an_attribute() {
    let mut config = config(&[DetectorKind::System]);
    config.switches =
        ["host.name", "os.type"].map(|key| (DetectorKind::System, key.to_owned(), false)).into();
    let processor = processor(config);
    processor.start(&context(HOST, Town::default())).await;
    let body =
        json::from_str(Signal::LOGS, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}"#).unwrap();
    assert_eq!(processed(&processor, body), [format!("{{}} {SCHEMA}")]);
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_and_keys_in_a_dictionary_are_kept_in_place() {
    use otlp_protocol::wire::put_len_delimited;
    let field = |number: u32, value: &[u8]| {
        let mut out = Vec::new();
        put_len_delimited(&mut out, number, value);
        out
    };
    let processor = processor(config(&[DetectorKind::Env]));
    processor.start(&context(&[], Town::default())).await;
    // The resource has the key by its index in the dictionary, and a field that nobody knows.
    let key = [vec![0x18, 1], field(2, &field(1, b"other"))].concat();
    let resource = field(1, &[field(1, &key), field(99, b"resource")].concat());
    let profiles =
        field(1, &[resource, field(98, b"envelope"), field(2, &field(2, &field(2, b"")))].concat());
    let dictionary = field(2, &[field(5, b""), field(5, b"host.name")].concat());
    let whole = [profiles, dictionary].concat();
    let body = Body::check(Signal::PROFILES, whole, &otlp_protocol::ValidateLimits::default()).unwrap();
    assert!(!body.is_mergeable());
    let mut out = Out::new();
    processor.process(batch(body), &mut out).unwrap();
    let bytes = out.into_batches().remove(0).body().to_bytes();
    let has = |text: &[u8]| bytes.windows(text.len()).filter(|part| *part == text).count();
    assert_eq!(
        (has(b"resource"), has(b"envelope"), has(b"other"), has(b"env"), has(b"shop")),
        (1, 1, 0, 2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_beside_the_pipelines() {
    let info = |name: &'static str| Some((200, name));
    let answers = [None, None, info(r#"{"Name":"one"}"#), None, info(r#"{"Name":"two"}"#)];
    let context = context(HOST, Town { engine: Mutex::new(answers.into()), ..Town::default() });
    let mut config = config(&[DetectorKind::Docker]);
    config.fail_on_missing_metadata = true;
    config.refresh_interval = Some(Duration::from_secs(600));
    config.retry.randomization_factor = 0.0;
    config.override_existing = false;
    let processor = processor(config);
    let clock = context.clock.clone();
    let begun = clock.now();
    processor.start(&context).await;
    assert_eq!(clock.now(), begun, "the first run has ended");
    let hosts = || {
        let body = json::from_str(Signal::LOGS, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}"#);
        let resource = processed(&processor, body.unwrap()).remove(0);
        ["one", "two"].into_iter().find(|name| resource.contains(name)).unwrap_or("none")
    };
    assert_eq!(hosts(), "none");
    clock.sleep(Duration::from_millis(2900)).await;
    assert_eq!(hosts(), "none");
    clock.sleep(Duration::from_millis(200)).await;
    assert_eq!(hosts(), "one");
    // A run that fails leaves what is known.
    clock.sleep(Duration::from_millis(600_100)).await;
    assert_eq!(hosts(), "one");
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(hosts(), "two");
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_hangs_delays_the_start_by_its_time_limit() {
    /// A network that answers nothing.
    #[derive(Debug)]
    struct Hole;

    impl Net for Hole {
        fn bind<'a>(&'a self, _: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
            Box::pin(std::future::pending())
        }

        fn connect<'a>(&'a self, _: &'a str) -> NetFuture<'a, BoxIo> {
            Box::pin(std::future::pending())
        }
    }

    let mut context = context(HOST, Town::default());
    context.net = Arc::new(Hole);
    let processor = processor(config(&[DetectorKind::Docker, DetectorKind::System]));
    let begun = context.clock.now();
    processor.start(&context).await;
    assert_eq!(context.clock.now() - begun, Duration::from_secs(5));
    assert!(shown(&processor.detection.found()).contains("node-1"));
    // The tasks end with the last processor.
    let weak = Arc::downgrade(&processor.detection);
    drop(processor);
    assert!(weak.upgrade().is_none());
}
