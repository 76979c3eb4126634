use super::*;

#[test]
fn rates_have_units() {
    for (text, expected) in [("100", 100.0), ("100/s", 100.0), ("0.5", 0.5), ("30/m", 0.5), ("36/h", 0.01)] {
        assert_eq!(parse_rate(text), Ok(expected), "{text}");
    }
    for text in ["0", "-1", "x", "", "5/d", "NaN", "inf"] {
        assert!(parse_rate(text).is_err(), "{text}");
    }
}

#[test]
fn headers_and_signals_are_parsed() {
    assert_eq!(parse_header("a = b=c"), Ok(("a".into(), " b=c".into())));
    assert!(parse_header("a").is_err());
    assert_eq!(parse_generated("all").map(|all| all.0), Ok(Signal::ALL.to_vec()));
    assert_eq!(parse_generated("logs").map(|one| one.0.len()), Ok(1));
    assert!(parse_generated("log").is_err_and(|error| error.contains("logs") && error.contains("all")));
}
