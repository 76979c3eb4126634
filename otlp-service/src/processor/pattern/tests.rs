use super::*;

#[test]
fn expressions_are_gos() {
    for (expression, matching, other) in [
        (r"^\d+$", "12", "\u{663}"),
        (r"^[\d.]+$", "1.2", "1,2"),
        (r"^\w+$", "a_1", "é"),
        (r"^[^\w]$", "é", "a"),
        (r"\bdog\b", "a dog", "dogs"),
        (r"^\S+$", "\u{a0}x", "a b"),
        (r"^\Qa.b\Ec$", "a.bc", "axbc"),
        (r"^\Qa.b", "a.b", "axb"),
        ("^{id}$", "{id}", "id"),
        ("^a{,2}$", "a{,2}", "aa"),
        ("^a{2}b{1,}c{0,1}$", "aab", "ab"),
        ("^[[]$", "[", "]"),
        ("^[]a]$", "]", "b"),
        ("^[^]a]$", "b", "]"),
        ("^[[:digit:][]+$", "1[", "a"),
        ("^[a[:]+$", "[:a", "]"),
        (r"^\b.\B", "ab", "aö"),
        ("^[a&&b]+$", "a&b", "c"),
        ("^[+--]$", ",", "."),
        (r"^(?P<protocol>.*):\/\/(?P<host>.*)$", "http://x", "http:x"),
        ("(?i)^É$", "é", "e"),
        (r"^\p{Greek}\pL\P{Greek}$", "αβb", "aβb"),
        (r"^\p{^Greek}$", "b", "β"),
        (r"^[\p{Lu}\x{1F600}]{2}$", "Ü😀", "ü😀"),
        (r"^\x{1F600}\x41{2}$", "😀AA", "😀A"),
        (r"^\07\101\0$", "\u{7}A\0", "07A0"),
        (r"^[\1011]+$", "A1", "0"),
        ("needle", "hay needle hay", "hay"),
        (r"\Aa\z", "a", "ab"),
        (r"(?s)^a.b$", "a\nb", "ab"),
        ("(?U)^a+b$", "aab", "b"),
        ("(?m)^b$", "a\nb", "ab"),
        ("^(?<n>a)(?:b)$", "ab", "a"),
    ] {
        let pattern = Pattern::new(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert!(pattern.matches(matching), "{expression} on {matching:?}: {pattern:?}");
        assert!(!pattern.matches(other), "{expression} on {other:?}: {pattern:?}");
    }
}

#[test]
fn what_is_wrong_is_said_in_a_line() {
    for (expression, expect) in [
        ("(", "unclosed group"),
        ("a**b\\", "incomplete escape sequence, reached end of pattern prematurely"),
        (r"(a)\1", "backreferences are not supported"),
        (r"(a)\18", "backreferences are not supported"),
        (r"\C", "unrecognized escape sequence"),
        ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
        ("a{1000}{1000}{1000}", "the expression is too large: it compiles to more than 1048576 bytes"),
    ] {
        assert_eq!(Pattern::new(expression).err().as_deref(), Some(expect), "{expression}");
    }
}

#[test]
fn a_search_finds_each_message_with_a_text_that_matches() {
    let texts =
        ["4111111111111", "a 4111111111111 b", "password", "Pass", "a", "é", "a@b.org", "line\nend", "4", ""];
    for (expression, least) in [
        ("4[0-9]{12}(?:[0-9]{3})?", 2),
        (r"\b4\d{12}\b", 2),
        ("^4[0-9]{12}$", 1),
        ("(?i)^pass(word)?$", 2),
        (r"(?P<user>\w+)@(?P<host>\w+)\.org", 1),
        ("^é$", 1),
        ("(?m)^end$|^a$", 2),
        (r"\Aa\z", 1),
        ("(?U)a+?", 4),
    ] {
        let pattern = Pattern::new(expression).unwrap();
        let search = Search::new([expression.to_owned()].iter()).unwrap();
        let matching: Vec<_> = texts.iter().filter(|text| pattern.matches(text)).collect();
        assert!(matching.len() >= least, "{expression}: {matching:?}");
        for text in matching {
            let message = [b"\x12\x344\xff".as_slice(), text.as_bytes(), b"4a\xc3"].concat();
            assert!(search.finds(&message), "{expression}: {text}");
        }
        assert!(!search.finds(b"\x12\x34-\xff"), "{expression}");
    }
}

#[test]
fn expressions_that_match_the_empty_text_have_no_search() {
    for expression in [".*", "^$", "a?", r"\b", "(?:a|)", "^"] {
        assert!(Search::new([expression.to_owned()].iter()).is_none(), "{expression}");
    }
    assert!(Search::new([].iter()).is_none());
    assert!(Search::new(["a".to_owned(), "b*".to_owned()].iter()).is_none());
}
