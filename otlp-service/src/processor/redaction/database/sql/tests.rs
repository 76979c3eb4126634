use super::*;
use proptest::prelude::*;

/// Statements with what go-sqllexer 0.2.4 makes of them, a line each: the dialect, the statement, the result.
const STATEMENTS: &str = include_str!("tests/statements.txt");

#[track_caller]
fn check(dialect: Dialect, statement: &str, sanitized: &str) {
    assert_eq!(sanitize(statement, dialect), sanitized, "of {statement:?} in {dialect:?}");
}

#[test]
fn statements_become_what_the_collector_makes_of_them() {
    let mut count = 0;
    for line in STATEMENTS.lines() {
        let mut columns = line.split('\t').map(unescape);
        let mut column = || columns.next().unwrap();
        let (dialect, statement, sanitized) = (column(), column(), column());
        let dialects: &[Dialect] = match dialect.as_str() {
            "both" => &[Dialect::MySql, Dialect::Standard],
            "mysql" => &[Dialect::MySql],
            "standard" => &[Dialect::Standard],
            other => panic!("{other} is no dialect"),
        };
        dialects.iter().for_each(|dialect| check(*dialect, &statement, &sanitized));
        count += 1;
    }
    assert!(count > 300, "{count} statements");
}

/// Reads `\n`, `\t`, `\r`, `\0` and `\\`.
fn unescape(column: &str) -> String {
    let mut text = String::new();
    let mut letters = column.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next().unwrap() {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                letter => letter,
            },
            letter => letter,
        });
    }
    text
}

#[test]
fn values_in_comments_are_replaced() {
    for dialect in [Dialect::MySql, Dialect::Standard] {
        check(dialect, "SELECT a -- for 'bob', 42", "SELECT a -- for ?, ?");
        // The example of docs/service.md.
        let (from, to) = (
            "SELECT total FROM orders_2024 WHERE card = '4111 1111' AND id IN (1, 2) -- for alice: 'a@b.example'",
            "SELECT total FROM orders_? WHERE card = ? AND id IN (?, ?) -- for alice: ?",
        );
        check(dialect, from, to);
        check(dialect, "SELECT a -- don't\nFROM b", "SELECT a -- don?\nFROM b");
        check(dialect, "SELECT /* don't, 5 */ 'x' /* 7", "SELECT /* don?*/ ? /* ?");
        check(dialect, "/*traceparent='00-1-2-01'*/ SELECT 1", "/*traceparent=?*/ SELECT ?");
        check(dialect, "/*!40101 SET a='x' */", "/*!? SET a=? */");
        check(dialect, "-- a -- 'b' /* c\n/* -- 'd' */", "-- a -- ? /* c\n/* -- ? */");
        check(dialect, "-- $func$ SELECT 1 $func$ '", "-- $func$ SELECT ? $func$ ?");
    }
    check(Dialect::MySql, "SELECT a # don't\n, 'b'", "SELECT a # don?\n, ?");
}

/// The Collector reads these comments as operators and names, so that their quotes would begin a text.
#[test]
fn comments_begin_directly_behind_names_and_operators() {
    for dialect in [Dialect::MySql, Dialect::Standard] {
        check(dialect, "SELECT a/* don't */, 'secret'", "SELECT a/* don?*/, ?");
        check(dialect, "SELECT a=/* don't */'secret'", "SELECT a=/* don?*/?");
        check(dialect, "SELECT a=--don't\n'secret'", "SELECT a=--don?\n?");
        check(dialect, "SELECT true/* a */, TRUE-- a", "SELECT ?/* a */, ?-- a");
    }
    check(Dialect::MySql, "SELECT a#don't\n,'secret'", "SELECT a#don?\n,?");
    check(Dialect::MySql, "SELECT a=#don't\n'secret'", "SELECT a=#don?\n?");
}

#[test]
fn what_has_no_end_is_a_value() {
    for dialect in [Dialect::MySql, Dialect::Standard] {
        check(dialect, "SELECT $$secret 'x'", "SELECT ?");
        check(dialect, "SELECT $a, 'secret'", "SELECT ?");
        check(dialect, "SELECT $tag$ secret $$", "SELECT ?");
        check(dialect, "SELECT \"secret", "SELECT ?");
        check(dialect, "SELECT 'secret", "SELECT ?");
    }
    check(Dialect::Standard, "SELECT \"a\".\"secret, 5", "SELECT ?");
    check(Dialect::MySql, "SELECT `secret", "SELECT ?");
}

#[test]
fn backslashes_that_may_be_no_escapes_hide_what_follows() {
    for dialect in [Dialect::MySql, Dialect::Standard] {
        check(dialect, r"SELECT 'it\'s', 'b' FROM c", "SELECT ?, ? FROM c");
        check(dialect, r"a = 'C:\' AND b = 'secret'", "a = ?");
        check(dialect, r"a = 1 AND b = 'C:\' AND c = 'D:\' AND d = 'secret'", "a = ? AND b = ?");
        check(dialect, r"a LIKE 'b' ESCAPE '\'", "a LIKE ? ESCAPE ?");
        check(dialect, r"a LIKE 'b' ESCAPE '\' AND c = 'secret'", "a LIKE ? ESCAPE ?");
        check(dialect, r"$func$ a = 'C:\', 'secret' $func$ b", "$func$a = ?$func$ b");
    }
}

#[test]
fn double_quotes_have_values_for_mysql_and_mariadb() {
    for system in ["mysql", "mariadb"] {
        check(Dialect::of(system), "a = \"secret\" AND b IN(\"x\")", "a = ? AND b IN(?)");
        check(Dialect::of(system), "SELECT\"secret\"", "SELECT?");
    }
    for system in ["postgresql", "sqlite", "other_sql", ""] {
        check(
            Dialect::of(system),
            "SELECT \"Name1\" FROM \"a\".\"b2\"",
            "SELECT \"Name?\" FROM \"a\".\"b?\"",
        );
    }
}

#[test]
fn keywords_are_in_order() {
    for word in ["add", "With", "STRAIGHT_JOIN", "select"] {
        check(Dialect::Standard, &format!("{word}.null"), &format!("{word}.?"));
    }
    check(Dialect::Standard, "selects.null, a.null", "selects.null, a.null");
}

proptest! {
    /// Each byte is read in constant time, and no text makes a longer one, nor panics.
    #[test]
    fn any_text_is_read(text in r#"([a-z0-9'"`$\\#@/*\-.\x00é表 ]|\$func\$|/\*|--|TRUE|key\.|EXTRACT\()*"#) {
        for dialect in [Dialect::MySql, Dialect::Standard] {
            prop_assert!(sanitize(&text, dialect).len() <= text.len());
        }
    }

    /// A text in quotes leaves nothing, wherever it is.
    #[test]
    fn no_text_in_quotes_stays(
        before in "([a-z]{1,4}|[0-9]{1,3}|'[^'\\\\\0]*'|[(),;=<>+]|-- [a-z ']*\n|/\\*[a-z ']*\\*/| \\$\\$[a-z ']*\\$\\$| ){0,9}",
        secret in "[^'\\\\\0]*",
    ) {
        for dialect in [Dialect::MySql, Dialect::Standard] {
            let kept = sanitize(&format!("{before} , 'SECRET{secret}' , last"), dialect);
            prop_assert!(!kept.contains("SECRET") && kept.ends_with(" , last"), "{}", kept);
        }
    }
}
