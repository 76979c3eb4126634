use super::*;
use otlp_protocol::encode::{LogRecords, Metrics, Profiles, Spans};
use otlp_protocol::{Payload, json};

fn spans(name: &str) -> Body {
    Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", "cart");
            });
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.trace_id(&[7; 16]).span_id(&[8; 8]).name(name).start_time_unix_nano(1);
                });
            });
        });
    })
}

fn one_of_each() -> [Body; 4] {
    let logs = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.time_unix_nano(5).body("checked out");
                });
            });
        });
    });
    let metrics = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| {
                    metric.name("a name of 16 byt").unit("1").gauge(|gauge| {
                        gauge.point(|point| {
                            point.int(7);
                        });
                    })
                });
            });
        });
    });
    let profiles = Body::write::<Profiles>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.profile(|profile| {
                    profile.sample(|sample| {
                        sample.values([1]);
                    });
                    profile.time_unix_nano(9);
                });
            });
        });
    });
    [spans("GET /"), metrics, logs, profiles]
}

fn input(bytes: impl Into<Vec<u8>>) -> Input {
    Input::new(Box::new(Cursor::new(bytes.into()))).expect("an input")
}

/// The bodies of all requests; faults as their texts.
fn read(bytes: impl Into<Vec<u8>>) -> Vec<Result<Bytes, String>> {
    let body = |record: Result<Record, InputError>| {
        let body = record.and_then(|record| record.body(None));
        body.map(|body| body.to_bytes()).map_err(|error| error.to_string())
    };
    input(bytes).map(body).collect()
}

fn compressed(name: &str, plain: &[u8]) -> Vec<u8> {
    let compressor = codec(name).and_then(|codec| codec.compressor()).expect("a compressor");
    let plain = Payload::from(Bytes::copy_from_slice(plain));
    compressor.compress(&plain, &BufferPool::new(0)).expect("compress").to_vec()
}

fn prefixed(requests: &[&[u8]]) -> Vec<u8> {
    requests
        .iter()
        .flat_map(|request| [&(request.len() as u32).to_be_bytes()[..], request].concat())
        .collect()
}

#[test]
fn requests_of_all_signals_are_told_from_their_bytes() {
    for body in one_of_each() {
        assert_eq!(of_protobuf(&body.to_bytes()), Guess::Signal(body.signal()), "{}", body.signal());
        let text = json::to_string(&body).expect("JSON");
        assert_eq!(by_key(text.as_bytes()), Some(body.signal()));
        assert_eq!(read(body.to_bytes()), [Ok(body.to_bytes())]);
        assert_eq!(read(text), [Ok(body.to_bytes())]);
    }
    // A resource alone may be of any signal.
    assert_eq!(of_protobuf(b"\x0a\x00"), Guess::Unclear);
    assert!(read(*b"\x0a\x00")[0].as_ref().is_err_and(|error| error.contains("--signal")));
    // A span cut off.
    let [span, ..] = one_of_each();
    let bytes = span.to_bytes();
    assert_eq!(of_protobuf(&bytes[..bytes.len() - 1]), Guess::Broken(span.signal()));
    assert_eq!(by_key(br#"{"x": "resourceLogs", "resourceSpans" : []}"#), Some(span.signal()));
}

#[test]
fn json_lines_and_json_of_several_lines_are_read() {
    let bodies = one_of_each();
    let lines: Vec<String> = bodies.iter().map(|body| json::to_string(body).expect("JSON")).collect();
    let expected: Vec<Result<Bytes, String>> = bodies.iter().map(|body| Ok(body.to_bytes())).collect();
    assert_eq!(read(lines.join("\n") + "\n\n"), expected);
    assert_eq!(read(lines.concat()), expected);
    let indented = lines.join("\r\n").replace('{', "{\n  ").replace(',', "\n,\t");
    assert_eq!(read(format!("\n {indented}")), expected);
    assert_eq!(input(lines.concat()).description(), "JSON");
    assert_eq!(input(lines.concat()).last().and_then(Result::ok).map(|record| record.number), Some(4));
}

#[test]
fn files_of_the_collectors_exporter_are_read() {
    let bodies = one_of_each();
    let bytes: Vec<Bytes> = bodies.iter().map(Body::to_bytes).collect();
    let expected: Vec<Result<Bytes, String>> = bytes.iter().cloned().map(Ok).collect();
    let plain: Vec<&[u8]> = bytes.iter().map(|bytes| &bytes[..]).collect();
    assert_eq!(read(prefixed(&plain)), expected);
    let texts = bodies.each_ref().map(|body| json::to_string(body).expect("JSON"));
    let each = texts.each_ref().map(|text| compressed("zstd", text.as_bytes()));
    assert_eq!(read(prefixed(&each.each_ref().map(|text| &text[..]))), expected);
    for name in ["gzip", "zstd"] {
        assert_eq!(read(compressed(name, &prefixed(&plain))), expected);
        assert_eq!(read(compressed(name, texts.join("\n").as_bytes())), expected);
        let whole = input(compressed(name, texts.join("\n").as_bytes()));
        assert_eq!(whole.description(), format!("{name}, JSON"));
    }
    let message = [&[0][..], &(bytes[0].len() as u32).to_be_bytes(), &bytes[0]].concat();
    assert_eq!(read(message.clone()), expected[..1]);
    assert!(
        read(&message[..message.len() - 1])[0].as_ref().is_err_and(|error| error.contains("gRPC message"))
    );
    // Empty requests have no signal, and are skipped.
    let empty = &b""[..];
    let with_empty = prefixed(&[empty, empty, plain[0], empty, plain[1], empty]);
    assert_eq!(read(with_empty), expected[..2]);
    // Messages of all lengths, also of those that end with a byte that a request begins with.
    for len in 250..850 {
        let bytes = spans(&"n".repeat(len)).to_bytes();
        let message = [&[0][..], &(bytes.len() as u32).to_be_bytes(), &bytes].concat();
        assert_eq!(read(message), [Ok(bytes.clone())], "{}", bytes.len());
        assert_eq!(read(prefixed(&[&bytes])), [Ok(bytes)]);
    }
}

#[test]
fn faults_have_their_places_and_requests_behind_them_are_read() {
    let line = json::to_string(&spans("a")).expect("JSON");
    let good = Ok(spans("a").to_bytes());
    let faults = [
        ("nonsense", "expected a JSON object (at byte"),
        (r#"{"resourceSpans": 5}"#, "invalid JSON of traces: resourceSpans: expected"),
        (r#"{"resourceSpans": [{"scopeSpans": "cut"#, "a line ends inside a string"),
        (r#"{"other": 1}"#, "no request in OTLP/JSON"),
    ];
    for (fault, text) in faults {
        let found = read(format!("{line}\n{fault}\n{line}"));
        let [first, wrong, last] = found.as_slice() else { panic!("{fault}: {found:?}") };
        assert!(*first == good && *last == good, "{fault}: {found:?}");
        assert!(
            wrong.as_ref().is_err_and(|error| error.contains(text) && error.starts_with("request 2: ")),
            "{wrong:?}"
        );
    }
    let found = read(format!("{line}\n{{\"resourceSpans\": ["));
    assert!(found.len() == 2 && found[1].as_ref().is_err_and(|error| error.contains("the file ends inside")));
    let bytes = spans("a").to_bytes();
    let cut = prefixed(&[&bytes, &bytes]);
    let found = read(&cut[..cut.len() - 1]);
    assert!(found[0] == good && found[1].as_ref().is_err_and(|error| error.contains("the file ends inside")));
    for (bytes, text) in [
        (&b""[..], "the file is empty"),
        (b"\0\0\0\0", "the file has only empty requests"),
        (b"\0\0\0\0\0\0\0\0", "the file has only empty requests"),
        (b"\0\0\0\0\0\0", "the file ends inside"),
        (b"\x07\xff\xff\xff\x0a\0", "the file ends inside"),
        (b"\x08\x01", "wrong wire type"),
        (b"\x1f", "invalid protobuf of"),
    ] {
        let found = read(bytes);
        assert!(found.len() == 1 && found[0].as_ref().is_err_and(|error| error.contains(text)), "{found:?}");
    }
}

#[test]
fn a_compressed_file_that_is_too_large_or_corrupt_is_refused() {
    let mut corrupt = compressed("gzip", b"{}");
    corrupt.truncate(12);
    for bytes in [corrupt, vec![0x28, 0xb5, 0x2f, 0xfd, 0], vec![0x1f, 0x8b]] {
        let opened = Input::new(Box::new(Cursor::new(bytes)));
        assert!(opened.is_err_and(|error| error.to_string().contains("not valid")));
    }
    // A bomb in a frame: the limit of one request applies.
    let bomb = compressed("zstd", &vec![0; MAX_REQUEST_BYTES + 1]);
    let found = read(prefixed(&[&bomb]));
    assert!(found[0].as_ref().is_err_and(|error| error.contains("inflates to more than")), "{found:?}");
    assert!(
        Input::open(Path::new("/nonexistent")).is_err_and(|error| error.to_string().contains("cannot open"))
    );
}
