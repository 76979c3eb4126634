use super::*;
use crate::ottl::function::tests::NOW;
use crate::ottl::program::{Group, Texts};
use otlp_protocol::encode::Spans;
use otlp_protocol::rewrite::{Level as Open, OpenMessages, Rewriter, rewrite};
use otlp_protocol::view::RequestView;
use otlp_protocol::{Body, Decision};

struct Run(Group);

impl Rewriter for Run {
    fn shows(&self, level: Open) -> bool {
        level == Open::Entry
    }

    fn visit(&mut self, _: Open, messages: &mut OpenMessages) -> Decision {
        let mut env = Environment::open(messages, None, NOW);
        for statement in &self.0.statements {
            statement.run(&mut env).unwrap();
        }
        Decision::Keep
    }
}

/// Returns the name of a span, and the name that it had before if that was kept.
fn named(kind: SpanKind, attributes: &[(&str, &str)]) -> (String, Option<String>) {
    let group = Group::new(Texts {
        context: Some(Context::Span),
        allowed: &[Context::Span],
        conditions: &[],
        statements: &[r#"set_semconv_span_name("1.37.0", "was")"#.to_owned()],
    });
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.span(|span| {
                    span.name("old").kind(kind);
                    for (key, value) in attributes {
                        match *value {
                            "true" => span.attribute(key, true),
                            value => span.attribute(key, value),
                        };
                    }
                });
            });
        });
    });
    let bytes = rewrite(&body, &mut Run(group.unwrap()), 1 << 20).unwrap().body.to_bytes();
    let span = RequestView::new(body.signal(), &bytes).spans().next().unwrap();
    let was = span.attributes().get("was").and_then(|was| was.as_str().map(str::to_owned));
    (span.name().to_owned(), was)
}

#[test]
fn spans_are_named_by_the_conventions_of_their_kind() {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    let (method, rpc, db, mq) = (
        ("http.request.method", "GET"),
        ("rpc.system", "grpc"),
        ("db.system", "mysql"),
        ("messaging.system", "kafka"),
    );
    for (kind, attributes, expect) in [
        (Server, &[method, ("http.route", "/users/{id}")][..], "GET /users/{id}"),
        (Server, &[("http.method", "GET"), ("url.template", "/x")], "GET"),
        (Client, &[method, ("url.template", "/x")], "GET /x"),
        (Server, &[rpc, ("rpc.service", "s"), ("rpc.method", "m")], "s/m"),
        (Server, &[rpc, ("rpc.service", "s")], "s/*"),
        (Client, &[rpc, ("rpc.grpc.method", "m")], "m"),
        (Client, &[("rpc.system.name", "grpc")], "grpc"),
        (Server, &[db], "old"),
        (Client, &[db], "mysql"),
        (Client, &[db, ("db.query.summary", "SELECT t")], "SELECT t"),
        (
            Client,
            &[db, ("db.operation", "SELECT"), ("db.name", "n"), ("db.collection.name", "t")],
            "SELECT n.t",
        ),
        (Client, &[db, ("server.address", "h"), ("server.port", "5")], "h:5"),
        (
            Producer,
            &[mq, ("messaging.operation.name", "send"), ("messaging.destination.name", "q")],
            "send q",
        ),
        (
            Consumer,
            &[mq, ("messaging.destination.temporary", "true"), ("messaging.operation", "receive")],
            "receive (temporary)",
        ),
        (Consumer, &[mq, ("messaging.destination.anonymous", "true")], "(anonymous)"),
        (Server, &[mq], "kafka"),
        (Internal, &[method], "old"),
        (Producer, &[method], "old"),
    ] {
        let was = (expect != "old").then(|| "old".to_owned());
        assert_eq!(named(kind, attributes), (expect.to_owned(), was), "{attributes:?}");
    }
}

#[test]
fn versions_without_these_names_are_refused() {
    for (statement, expect) in [
        (r#"set_semconv_span_name("1.36.0")"#, "1:23: the version \"1.36.0\" is not from 1.37.0 to 1.43.0"),
        (r#"set_semconv_span_name("1.37")"#, "1:23: the version \"1.37\" is not from 1.37.0 to 1.43.0"),
        (r#"set_semconv_span_name("1.43.0", "")"#, "1:33: the key must not be empty"),
    ] {
        let group = Group::new(Texts {
            context: Some(Context::Span),
            allowed: &[Context::Span],
            conditions: &[],
            statements: &[statement.to_owned()],
        });
        let errors = group.map(|_| ()).unwrap_err();
        assert_eq!(errors[0].error.to_string().lines().next(), Some(expect));
    }
}
