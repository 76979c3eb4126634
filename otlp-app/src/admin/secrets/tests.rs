use super::*;

#[test]
fn keys_of_secrets_are_hidden() {
    for key in [
        "password",
        "db.password",
        "http.request.header.authorization",
        "http.request.header.cookie",
        "API_KEY",
        "x-api-key",
        "clientSecret",
        "access_token",
        "user.pwd",
        "aws.credentials",
        "private-key",
        "card.cvv",
    ] {
        assert!(Secrets.hides(key), "{key}");
    }
    for key in [
        "service.name",
        "http.route",
        "gen_ai.usage.input_tokens",
        "llm.token_count",
        "process.working_directory",
        "db.query.text",
        "keyboard",
        "shipping",
        "",
    ] {
        assert!(!Secrets.hides(key), "{key}");
    }
}

#[test]
fn secrets_in_texts_are_masked() {
    for (text, masked) in [
        ("Authorization: Bearer abc123DEF456", "Authorization: Bearer ****"),
        ("basic dXNlcjpwYXNz== end", "basic **** end"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "jwt ****!"),
        ("key AKIAIOSFODNN7EXAMPLE.", "key ****."),
        ("ghp_0123456789abcdefghij", "****"),
        ("POST /login?user=a&password=hunter2&x=1", "POST /login?user=a&password=****&x=1"),
        (r#"{"password": "hunter2", "a": 1}"#, r#"{"password": "****", "a": 1}"#),
        (r#"{\"api_key\":\"k1\"}"#, r#"{\"api_key\":\"****\"}"#),
        ("PASSWORD = geheim straße", "PASSWORD = **** straße"),
        ("postgres://user:p@ss@host/db", "postgres://user:****@host/db"),
        ("card 4111 1111 1111 1111 paid", "card **** paid"),
        ("5555555555554444", "****"),
        ("order 123 4111-1111-1111-1111 12/29", "order 123 **** 12/29"),
        ("378282246310005,6011111111111117", "****,****"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "****\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "****"),
    ] {
        assert_eq!(Secrets.masked(text).as_deref(), Some(masked), "{text}");
    }
}

#[test]
fn plain_texts_stay() {
    for text in [
        "",
        "GET /cart",
        "basic authentication failed",
        "the token is invalid",
        "4111 1111 1111 1112",
        "1700000000000000000",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "https://host:4317/a@b",
        "bearer of news",
        "eyJust.a",
        "sk-short",
        "0af7651916cd43dd8448eb211c80319c",
        "ünïcödé: ok",
    ] {
        assert_eq!(Secrets.masked(text), None, "{text}");
    }
}

/// Each rule reads a part of a text once, so that a hostile sender's text takes a time in proportion to its length.
#[test]
fn a_part_of_a_text_is_read_once() {
    type Rule = fn(&str, &mut Vec<Range<usize>>);
    let rules: [(Rule, &str); 4] = [
        (web_tokens, "eyJaaaa."),
        (known_keys, "sk-"),
        (assignments, "password="),
        (private_keys, "-----BEGIN PRIVATE KEY-----"),
    ];
    for (find, part) in rules {
        let (text, mut found) = (part.repeat(1_000), Vec::new());
        find(&text, &mut found);
        assert_eq!(found.len(), 1, "{part}");
    }
    assert_eq!(Secrets.masked("a-sk-sk-sk-0123456789abcdefghij b").as_deref(), Some("a-**** b"));
    assert_eq!(Secrets.masked("eyJeyJhbGci.eyJzdWIi.x c").as_deref(), Some("**** c"));
    assert_eq!(Secrets.masked("password=token=a secret: b").as_deref(), Some("password=**** secret: ****"));
}
