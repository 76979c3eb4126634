use super::*;

fn text(labels: &[(&str, &str)]) -> String {
    let mut all = Labels::default();
    labels.iter().for_each(|(name, value)| all.add((*name).into(), value));
    let mut out = String::new();
    all.write(&mut out);
    out
}

/// Guarantee: labels are read as they were written.
#[test]
fn labels_are_read_again() {
    let labels = [("a", "x\\n\"y\n,b=\"z\\"), ("b.c", "ü"), ("q\"uote\\", ""), ("z", ",")];
    let text = text(&labels);
    let read: Vec<_> = pairs(&text).collect();
    let read: Vec<_> = read.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(read, labels);
    assert_eq!(pairs("").count(), 0);
    assert_eq!(escaped(&text, Escaping::AllowUtf8), text);
    let shown = r#"a="x\\n\"y\n,b=\"z\\",b_c="ü",q_uote_="",z=",""#;
    assert_eq!(escaped(&text, Escaping::Underscores), shown);
}

#[test]
fn values_of_one_name_are_joined() {
    assert_eq!(text(&[("b", "1"), ("a", "2"), ("b", "3")]), r#"a="2",b="1;3""#);
}

#[test]
fn attributes_make_way_for_labels_with_a_meaning() {
    let mut labels = Labels::default();
    labels.add("job".into(), "of the point");
    labels.set("job", "cart");
    let mut out = String::new();
    labels.write(&mut out);
    assert_eq!(out, r#"exported_job="of the point",job="cart""#);
}

#[test]
fn doubles_are_as_in_go() {
    let shown = |value, is_open| {
        let mut out = String::new();
        put_double(&mut out, value, is_open);
        out
    };
    let cases = [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-17.0, "-17"),
        (999_999.0, "999999"),
        (1e6, "1e+06"),
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ];
    for (value, expected) in cases {
        assert_eq!(shown(value, false), expected);
    }
    assert_eq!([shown(3.0, true), shown(1e6, true), shown(f64::NAN, true)], ["3.0", "1e+06", "NaN"]);
}
