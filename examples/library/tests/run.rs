//! The programs of this package, run as their first lines say.

use otlp_protocol::encode::Spans;
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, Signal};
use otlp_transport::testing::Sink;
use otlp_transport::{
    Attempt, BearerConfig, BearerCredentials, ClientConfig, ClientStrategy, ExportResult,
    GrpcTransportStrategy, HttpTransportStrategy, TransportContext,
};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, fs};

#[test]
fn requests() {
    let shown = run(env!("CARGO_BIN_EXE_requests"), &[]);
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[0].starts_with(r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name""#),
        "{shown}"
    );
    assert!(lines[1].starts_with("3 spans in "), "{shown}");
    assert_eq!(lines[2..4], ["a part of 2 spans", "a part of 1 spans"]);
    assert!(lines[4].starts_with("1 dropped: ") && !lines[4].contains("health"), "{shown}");
    assert!(!lines[4].contains("ada") && lines[4].contains("***"), "{shown}");
    assert!(lines[5].starts_with("refused: resource_spans[0].schema_url: "), "{shown}");
    assert!(lines[6].starts_with("refused: resourceSpans[0].schemaUrl: "), "{shown}");
}

#[tokio::test]
async fn server() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = env::temp_dir().join(format!("otlp-examples-server-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_server"))
        .args(["127.0.0.1:0", certificate.to_str().unwrap(), key.to_str().unwrap()])
        .env("OTLP_TOKEN", "s3cret")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = BufReader::new(server.stdout.take().unwrap());
    let mut first = String::new();
    shown.read_line(&mut first).unwrap();
    let port = first.trim().rsplit(':').next().unwrap();

    let context = TransportContext::tcp(1 << 20);
    let send = async |strategy: &dyn ClientStrategy, token: &str| -> ExportResult {
        let bearer = BearerConfig::new([token]);
        let mut config = ClientConfig::new(format!("https://localhost:{port}"));
        config.credentials = Some(Arc::new(BearerCredentials::new(&context, &bearer).unwrap()));
        config.tls.ca_pem = Some(made.cert.pem());
        strategy.client(&context, config).unwrap().attempt(&spans("cart")).await
    };
    assert_eq!(send(&GrpcTransportStrategy, "s3cret").await.unwrap(), Accepted::FULL);
    assert_eq!(send(&HttpTransportStrategy, "s3cret").await.unwrap(), Accepted::FULL);
    assert_eq!(send(&HttpTransportStrategy, "guess").await.unwrap_err().kind(), ErrorKind::Unauthenticated);

    drop(server.stdin.take());
    let mut rest = String::new();
    shown.read_to_string(&mut rest).unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(rest, "cart: 1 spans\n".repeat(2));
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn client() {
    let (first, second, http) =
        (Sink::start().await.unwrap(), Sink::start().await.unwrap(), Sink::start().await.unwrap());
    http.answer(Ok(Accepted { rejected: 1, message: "too old".to_owned() }));
    let arguments = [first.endpoint(), second.endpoint(), http.endpoint()];
    let shown = blocking(env!("CARGO_BIN_EXE_client"), arguments.to_vec()).await;
    assert_eq!(shown, format!("http: accepted but for 1: too old\n{}", "grpc: accepted\n".repeat(4)));
    let items = |sink: &Sink| sink.received().iter().map(|batch| batch.items()).collect::<Vec<_>>();
    assert_eq!((items(&first), items(&second), items(&http)), (vec![2, 2], vec![2, 2], vec![1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn http_client() {
    let sink = Sink::start().await.unwrap();
    let shown = blocking(env!("CARGO_BIN_EXE_http_client"), vec![sink.endpoint()]).await;
    assert_eq!(shown, "sent, 0 rejected\n");
    assert_eq!(sink.received()[0].signal(), Signal::LOGS);
}

#[test]
fn pipeline() {
    let shown = run(env!("CARGO_BIN_EXE_pipeline"), &[]);
    assert!(shown.starts_with("2 log_records\n"), "{shown}");
    let line = |exporter: &str| shown.lines().find(|line| line.contains(exporter)).unwrap_or_default();
    assert!(line("printing").contains(" 2 "), "{shown}");
    assert!(line("failing").contains("retries_exhausted"), "{shown}");
}

#[test]
fn file_to_file() {
    let folder = env::temp_dir().join(format!("otlp-examples-files-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (from, to) = (folder.join("in.jsonl"), folder.join("out.jsonl"));
    let line = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"a"}]}]}]}"#;
    fs::write(&from, format!("{line}\n{{\"resourceSpans\":[{{\"schemaUrl\":1}}]}}\n{line}\n")).unwrap();
    let shown = run(env!("CARGO_BIN_EXE_file_to_file"), &[from.to_str().unwrap(), to.to_str().unwrap()]);
    assert!(shown.starts_with("a line is left out: resourceSpans[0].schemaUrl: "), "{shown}");
    assert_eq!(fs::read_to_string(&to).unwrap(), format!("{line}\n{line}\n"));
    fs::remove_dir_all(folder).unwrap();
}

/// What a program prints, which must succeed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same beside servers of the test.
async fn blocking(program: &'static str, arguments: Vec<String>) -> String {
    let arguments = move || run(program, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(arguments).await.unwrap()
}

fn spans(service: &str) -> Batch {
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", service);
            });
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.trace_id(&[7; 16]).span_id(&[8; 8]).name("GET /cart");
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}
