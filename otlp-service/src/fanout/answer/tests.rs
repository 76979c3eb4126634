use super::*;

#[test]
fn joined_texts_are_bounded() {
    let mut joined = String::new();
    for message in ["a", "", "b", "a", &"ä".repeat(5000), "c"] {
        join_messages(&mut joined, message);
    }
    assert!(joined.starts_with("a; b; ää") && joined.ends_with('ä'), "{joined}");
    assert!(joined.len() <= 4096 && joined.len() > 4090);
}
