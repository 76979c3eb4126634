use super::*;
use std::io;

struct Vars<'a>(&'a [(&'a str, &'a str)]);

impl Lookup for Vars<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
    }

    fn file(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Variables, whether the stream is a terminal, whether it gets colours.
type Case<'a> = (&'a [(&'a str, &'a str)], bool, bool);

#[test]
fn variables_decide_over_the_terminal() {
    let cases: &[Case<'_>] = &[
        (&[], true, true),
        (&[], false, false),
        (&[("TERM", "xterm")], true, true),
        (&[("TERM", "dumb")], true, false),
        (&[("NO_COLOR", "1")], true, false),
        (&[("NO_COLOR", "")], true, true),
        (&[("CLICOLOR_FORCE", "1")], false, true),
        (&[("CLICOLOR_FORCE", "0")], false, false),
        (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], false, true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false),
    ];
    for (vars, is_terminal, expected) in cases {
        assert_eq!(is_wanted(&Vars(vars), *is_terminal), *expected, "{vars:?} {is_terminal}");
    }
}
