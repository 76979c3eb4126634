use super::replace;

#[test]
fn halves_alone_are_replaced_and_nothing_else() {
    for (text, expected, count) in [
        (r#""\ud83d""#, r#""\ufffd""#, 1),
        (r#""\uDE00x""#, r#""\ufffdx""#, 1),
        (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, 0),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#, 1),
        (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#, 2),
        (r#""\ud83d\n\u0041""#, r#""\ufffd\n\u0041""#, 1),
        // The backslash is escaped, not the letter.
        (r#""\\ud83d""#, r#""\\ud83d""#, 0),
        (r#""\\\ud83d""#, r#""\\\ufffd""#, 1),
        (r#""\ud83"#, r#""\ud83"#, 0),
        (r#""\u+83d""#, r#""\u+83d""#, 0),
        ("\\", "\\", 0),
        ("", "", 0),
    ] {
        let mut text = text.as_bytes().to_vec();
        assert_eq!(replace(&mut text), count, "{expected}");
        assert_eq!(text, expected.as_bytes());
    }
}
