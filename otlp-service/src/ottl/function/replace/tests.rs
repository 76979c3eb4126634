use super::*;
use crate::ottl::function::tests::NOW;

/// Replaces by a pattern, a replacement, and the name of a function.
fn replaced(
    text: &str,
    pattern: &str,
    replacement: &str,
    function: Option<(&str, &str)>,
) -> Result<Option<String>, String> {
    let mut given =
        vec![Some(Argument::Expression(Expression::Literal(Value::text(replacement.to_owned()))))];
    if let Some((name, format)) = function {
        given.push(super::super::function(name).map(Argument::Function));
        given.push(Some(Argument::Expression(Expression::Literal(Value::text(format.to_owned())))));
    }
    let replacement = Replacement::new(&mut Arguments::new(given), 0);
    let replacement = replacement.map_err(|error| format!("{}: {}", error.index, error.problem))?;
    let pattern = PatternArgument::Fixed(Pattern::new(pattern).unwrap());
    replacement.replace(&pattern, text, &Environment::new(None, NOW)).map_err(|error| error.to_string())
}

/// The expected texts are those of the Collector, v0.161.
#[test]
fn matches_are_replaced_with_their_groups() {
    let groups = "$x|${x}|$2s|${2}s|$$1|$|${|$-|$01|$3|$0";
    for (text, pattern, replacement, expect) in [
        ("1111-2222", r"(\d{4})-(\d{4})", "****-$2", "****-2222"),
        ("a1111-2222b", r"(?P<x>\d{4})-(\d{4})", groups, "a1111|1111||2222s|$1|$|${|$-|||1111-2222b"),
        ("baaac", "a*", "x", "xbxcx"),
        ("é", "", "-", "-é-"),
        ("GET /items/42/x", r"/items/\d+", "/items/{id}", "GET /items/{id}/x"),
        ("ab", "(a)|(b)", "[$1$2]", "[a][b]"),
        ("ab", "(?P<01>a)(?P<_>b)", "[$01$_]", "[ab]"),
        ("a", "a", "${x", "${x"),
        ("a", "a", "$", "$"),
    ] {
        assert_eq!(
            replaced(text, pattern, replacement, None),
            Ok(Some(expect.to_owned())),
            "{text} {replacement}"
        );
    }
    assert_eq!(replaced("a", "b", "x", None), Ok(None));
}

#[test]
fn functions_and_formats_work_on_replacements() {
    let upper = |format| replaced("x user=bob y", r"user=(\w+)", "$1", Some(("ToUpperCase", format)));
    assert_eq!(upper("user=%s"), Ok(Some("x user=BOB y".into())));
    assert_eq!(upper("user=%d"), Err("2: the format must have one %s, and no other %".into()));
    let with = |name| replaced("a", "a", "x", Some((name, "%s")));
    assert_eq!(with("Substring"), Err("1: `Substring` does not take a string alone".into()));
    assert_eq!(with("Len"), Err("1: `Len` does not take a string alone".into()));
    assert_eq!(with("FNV"), Err("expected a string, found an int".into()));
    #[cfg(feature = "hash")]
    assert_eq!(
        replaced("x user=bob y", r"user=(\w+)", "$1", Some(("SHA256", "user=%s"))),
        Ok(Some("x user=81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9 y".into()))
    );
}

#[test]
fn replacements_that_explode_are_refused() {
    let long = "x".repeat(1 << 20);
    let error = replaced(&long, "x+", &"$0".repeat(20), None).unwrap_err();
    assert_eq!(error, "the resulting string is longer than 16 MiB");
    let error = replaced(&"a".repeat(20), "a", &long, None).unwrap_err();
    assert_eq!(error, "the resulting string is longer than 16 MiB");
}
