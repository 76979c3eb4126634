use super::*;

#[test]
fn globs_match_whole_texts() {
    for (glob, matching, other) in [
        ("Moz*", "Mozilla/5", "a Moz"),
        ("Moz", "Moz", "Mozilla"),
        ("[!a-l]oz{illa,x}?[456]", "Mozilla/5", "aozx/5"),
        (r"*\*", "Mozilla*", "Mozilla"),
        ("a}", "a}", "a"),
        ("[abc-]", "-", "d"),
        ("a**c", "a\n/c", "ac "),
        ("{a,{b,c}d},x", "cd,x", "c,x"),
        ("h.llo?", "h.llo!", "hello!"),
        ("", "", "a"),
    ] {
        let pattern = compile(glob).unwrap();
        assert!(pattern.matches(matching), "{glob} {matching}");
        assert!(!pattern.matches(other), "{glob} {other}");
    }
}

#[test]
fn faults_of_globs_are_said() {
    for (glob, expect) in [
        ("[a", r"unclosed class in the glob: write \[ for a bracket"),
        ("{a", r"unclosed alternatives in the glob: write \{ for a brace"),
        (r"a\", "the glob ends with a backslash"),
        ("[z-a]", "invalid character class range, the start must be <= the end"),
    ] {
        assert_eq!(compile(glob).err().as_deref(), Some(expect), "{glob}");
    }
}
