use super::super::decode_error::Place;
use super::*;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A setting at a place, in a syntax that tells types apart.
struct Tree(Content, usize);

enum Content {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(&'static str),
    List(Vec<Tree>),
    Map(Vec<(&'static str, Tree)>),
}

/// A setting below another.
struct Below<'a>(&'a Tree);

impl Setting for Below<'_> {
    fn value(&self) -> Result<SettingValue<'_>, DecodeError> {
        Ok(match &self.0.0 {
            Content::Null => SettingValue::Null,
            Content::Bool(value) => SettingValue::Bool(*value),
            Content::Integer(number) => SettingValue::Integer(*number),
            Content::Number(number) => SettingValue::Number(*number),
            Content::Text(text) => SettingValue::Text(text),
            Content::List(items) => {
                SettingValue::List(Box::new(items.iter().map(|item| Box::new(Below(item)) as _)))
            }
            Content::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (*key, Box::new(Below(value)) as _));
                SettingValue::Map(Box::new(entries))
            }
        })
    }

    fn place(&self) -> Option<Place> {
        Some(Place { source: 0, start: self.0.1, len: 1 })
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    size: u16,
    #[serde(default)]
    offset: i32,
    #[serde(default)]
    ratio: Option<f64>,
    #[serde(default)]
    on: bool,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    name: Name,
    #[serde(default)]
    parts: Vec<Sample>,
    #[serde(default)]
    counts: BTreeMap<String, u8>,
    #[serde(default)]
    letter: Option<char>,
    #[serde(default)]
    pair: Option<(Even, String)>,
    #[serde(default)]
    even: Option<Even>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Slow,
    Fast,
}

#[derive(Debug, Default, PartialEq)]
struct Even(u8);

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        if number % 2 == 0 { Ok(Self(number)) } else { Err(de::Error::custom("it is odd")) }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Name(String);

fn decode<T: for<'de> Deserialize<'de>>(content: Content) -> Result<T, DecodeError> {
    T::deserialize(Settings::new(&Below(&Tree(content, 0))))
}

/// A map whose values have the places 1, 2, ….
fn map(entries: impl IntoIterator<Item = (&'static str, Content)>) -> Content {
    let entries = entries.into_iter().enumerate();
    Content::Map(entries.map(|(at, (key, value))| (key, Tree(value, at + 1))).collect())
}

fn list(items: impl IntoIterator<Item = Content>) -> Content {
    let items = items.into_iter().enumerate();
    Content::List(items.map(|(at, item)| Tree(item, 10 * (at + 1))).collect())
}

#[test]
fn each_type_is_asked_for_as_what_it_is() {
    let part = || map([("size", Content::Integer(1))]);
    let sample = map([
        ("size", Content::Integer(65_535)),
        ("offset", Content::Integer(-7)),
        ("ratio", Content::Integer(2)),
        ("on", Content::Bool(true)),
        ("mode", Content::Text("fast")),
        ("name", Content::Text("n")),
        ("parts", list([part(), part()])),
        ("counts", map([("a", Content::Integer(1)), ("b", Content::Integer(255))])),
        ("letter", Content::Text("l")),
        ("even", Content::Integer(2)),
        ("pair", list([Content::Integer(4), Content::Text("t")])),
    ]);
    let part = || Sample {
        size: 1,
        offset: 0,
        ratio: None,
        on: false,
        mode: Mode::Slow,
        name: Name::default(),
        parts: Vec::new(),
        counts: BTreeMap::new(),
        letter: None,
        pair: None,
        even: None,
    };
    let expected = Sample {
        size: 65_535,
        offset: -7,
        ratio: Some(2.0),
        on: true,
        mode: Mode::Fast,
        name: Name("n".into()),
        parts: vec![part(), part()],
        counts: [("a".into(), 1), ("b".into(), 255)].into(),
        letter: Some('l'),
        pair: Some((Even(4), "t".into())),
        even: Some(Even(2)),
    };
    assert_eq!(decode::<Sample>(sample), Ok(expected));
    let sample = map([("size", Content::Integer(1)), ("ratio", Content::Null)]);
    assert_eq!(decode::<Sample>(sample), Ok(part()));
    assert_eq!(decode::<()>(Content::Null), Ok(()));
    assert_eq!(decode::<f32>(Content::Number(0.5)), Ok(0.5));
}

#[test]
fn errors_have_path_and_place_and_do_not_show_values() {
    const SECRET: Content = Content::Text("s3cret");
    let deep = map([("size", Content::Integer(1)), ("parts", list([map([("size", SECRET)])]))]);
    for (content, expected, place) in [
        (SECRET, "expected a map", 0),
        (map([]), "missing field `size`", 0),
        (map([("part", SECRET)]), "unknown field `part`, expected one of `size`, `offset`", 0),
        (map([("size", SECRET)]), "size: expected a whole number", 1),
        (map([("size", Content::Integer(65_536))]), "size: expected a whole number from 0 to 65535", 1),
        (map([("size", Content::Integer(-1))]), "size: expected a whole number from 0 to 65535", 1),
        (map([("offset", Content::Integer(1 << 31))]), "offset: expected i32", 1),
        (map([("ratio", SECRET)]), "ratio: expected a number", 1),
        (map([("on", SECRET)]), "on: expected true or false", 1),
        (map([("mode", SECRET)]), "mode: expected one of slow, fast", 1),
        (map([("mode", Content::Integer(1))]), "mode: expected a word", 1),
        (map([("name", Content::Bool(true))]), "name: expected a text", 1),
        (map([("parts", SECRET)]), "parts: expected a list", 1),
        (map([("counts", SECRET)]), "counts: expected a map", 1),
        (
            map([("counts", map([("a", Content::Integer(256))]))]),
            "counts.a: expected a whole number from 0 to 255",
            1,
        ),
        (map([("pair", SECRET)]), "pair: expected a tuple of size 2", 1),
        (map([("size", Content::Integer(1)), ("even", Content::Integer(3))]), "even: it is odd", 2),
        (map([("pair", list([Content::Integer(3)]))]), "pair: it is odd", 10),
        (deep, "parts.size: expected a whole number", 1),
    ] {
        let error = decode::<Sample>(content).expect_err(expected);
        let shown = error.to_string();
        assert!(shown.starts_with(expected) && !shown.contains("s3cret"), "{expected}: {shown}");
        let place = (place > 0).then_some(Place { source: 0, start: place, len: 1 });
        assert_eq!(error.place(), place, "{expected}");
    }
    let debug = format!("{:?}", Below(&Tree(SECRET, 0)).value());
    assert_eq!(debug, "Ok(Text)");
}

/// A setting that keeps what it is asked for.
#[derive(Default)]
struct Asked(RefCell<Vec<String>>);

impl Setting for Asked {
    fn value(&self) -> Result<SettingValue<'_>, DecodeError> {
        Ok(SettingValue::Null)
    }

    fn is_given(&self) -> bool {
        true
    }

    fn newtype(&self, name: &'static str) {
        self.0.borrow_mut().push(format!("newtype {name}"));
    }

    fn text(&self, expected: &dyn fmt::Display) -> Result<Option<&str>, DecodeError> {
        self.0.borrow_mut().push(format!("text {expected}"));
        Ok(None)
    }

    fn word(&self, words: &'static [&'static str]) -> Result<&'static str, DecodeError> {
        self.0.borrow_mut().push(format!("word {words:?}"));
        words.last().copied().ok_or_else(|| DecodeError::new("no words").with_help("add a word"))
    }

    fn map(&self, fields: Option<&'static [&'static str]>) -> Result<SettingMap<'_>, DecodeError> {
        self.0.borrow_mut().push(format!("map {:?}", fields.map(<[_]>::len)));
        Ok(Box::new(std::iter::empty()))
    }
}

#[test]
fn a_setting_is_told_what_is_expected() {
    let asked = Asked::default();
    let settings = Settings::new(&asked);
    assert_eq!(Option::<Name>::deserialize(settings), Ok(Some(Name::default())));
    assert_eq!(Mode::deserialize(settings), Ok(Mode::Fast));
    assert_eq!(crate::GoDuration::deserialize(settings), Ok(crate::GoDuration::default()));
    assert_eq!(BTreeMap::<String, u8>::deserialize(settings), Ok(BTreeMap::new()));
    assert!(Sample::deserialize(settings).is_err(), "`size` is missing");
    let expected = [
        "newtype Name",
        "text a text",
        "word [\"slow\", \"fast\"]",
        "text a duration such as 200ms or 1m30s",
        "map None",
        "map Some(11)",
    ];
    assert_eq!(*asked.0.borrow(), expected);
}

#[test]
fn help_of_a_setting_is_kept() {
    #[derive(Debug, Deserialize)]
    enum Empty {}
    let error = Empty::deserialize(Settings::new(&Asked::default())).expect_err("no words");
    assert_eq!((error.to_string().as_str(), error.help()), ("no words", &["add a word".to_owned()][..]));
}
