use super::*;

#[test]
fn families_take_turns_in_the_order_of_the_resolver() {
    let order = |given: &[&str]| -> Vec<String> {
        let given = given.iter().map(|address| address.parse().unwrap()).collect();
        interleaved(given).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        order(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"]),
        ["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"]
    );
    assert_eq!(
        order(&["10.0.0.1:1", "[::1]:1", "[::2]:1", "[::3]:1"]),
        ["10.0.0.1:1", "[::1]:1", "[::2]:1", "[::3]:1"]
    );
    assert_eq!(order(&["10.0.0.2:1", "10.0.0.1:1"]), ["10.0.0.2:1", "10.0.0.1:1"]);
    assert!(order(&[]).is_empty());
}
