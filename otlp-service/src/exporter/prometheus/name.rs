//! Names of metrics and labels: from OTLP to Prometheus, by the rules of OpenTelemetry's specification "Prometheus and OpenMetrics
//! compatibility".

/// Translation of names of OTLP metrics and attributes into names of Prometheus metrics and labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TranslationStrategy {
    /// Other characters than letters, digits, `_` and `:` become `_`; the unit and the type are added to names of metrics.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// As before, but nothing is added.
    UnderscoreEscapingWithoutSuffixes,
    /// The unit and the type are added, all characters stay. A scraper that does not ask for such names gets `_` in their place.
    NoUtf8EscapingWithSuffixes,
    /// Names stay as they are.
    NoTranslation,
}

/// Translates names.
#[derive(Clone, Debug, Default)]
pub(super) struct Namer {
    strategy: TranslationStrategy,
    namespace: String,
}

// === impl TranslationStrategy ===

impl TranslationStrategy {
    fn has_suffixes(self) -> bool {
        matches!(self, Self::UnderscoreEscapingWithSuffixes | Self::NoUtf8EscapingWithSuffixes)
    }

    /// True if names may have any character.
    fn keeps_characters(self) -> bool {
        matches!(self, Self::NoUtf8EscapingWithSuffixes | Self::NoTranslation)
    }
}

// === impl Namer ===

impl Namer {
    pub(super) fn new(strategy: TranslationStrategy, namespace: &str) -> Self {
        let namespace =
            if strategy.keeps_characters() { namespace.to_owned() } else { plain(namespace, true) };
        Self { strategy, namespace }
    }

    /// Returns the name of a metric; `None` if nothing is left of the name. `suffix` is the word for the type.
    pub(super) fn metric(&self, name: &str, unit: &str, suffix: Option<&str>) -> Option<String> {
        let translated = match (self.strategy.keeps_characters(), self.strategy.has_suffixes()) {
            (true, true) => self.with_suffixes(name, unit, suffix),
            (true, false) => self.below_namespace(name),
            (false, true) => self.of_tokens(name, unit, suffix),
            (false, false) => {
                let joined = words(name, |char| is_plain(char) || char == '_').collect::<Vec<_>>().join("_");
                self.below_namespace(&joined)
            }
        };
        if self.strategy.keeps_characters() {
            return (!name.is_empty()).then_some(translated);
        }
        // A name of underscores alone is no name, unless it was given.
        let is_name = translated == name || translated.chars().any(|char| char != '_');
        let translated = after_digit(translated, "_");
        (is_name && !translated.is_empty()).then_some(translated)
    }

    /// Returns the name of a label; `None` if nothing is left of the key.
    pub(super) fn label(&self, key: &str) -> Option<String> {
        if !key.contains(|char: char| {
            if self.strategy.keeps_characters() { char != '_' } else { char.is_ascii_alphanumeric() }
        }) {
            return None;
        }
        if self.strategy.keeps_characters() {
            return Some(key.to_owned());
        }
        let name = plain(key, false);
        // Prometheus has other uses for names that begin with two.
        Some(if name.starts_with('_') { format!("key{name}") } else { after_digit(name, "key_") })
    }

    /// Returns a label's name as it was given in the settings.
    pub(super) fn given_label(&self, name: &str) -> String {
        if self.strategy.keeps_characters() { name.to_owned() } else { plain(name, true) }
    }

    /// Returns the name of the metric with the attributes of resources.
    pub(super) fn target_info(&self) -> String {
        self.below_namespace("target_info")
    }

    fn below_namespace(&self, name: &str) -> String {
        match &*self.namespace {
            "" => name.to_owned(),
            namespace => format!("{namespace}_{name}"),
        }
    }

    /// Words of the name, the unit, and the type, joined by `_`.
    fn of_tokens(&self, name: &str, unit: &str, suffix: Option<&str>) -> String {
        let mut tokens: Vec<&str> = words(name, is_plain).collect();
        let (mut main, mut per) = units(unit);
        (main, per) = (clean(&main), clean(&per));
        if tokens.contains(&&*main) {
            main.clear();
        }
        let per = if per == "per_" { "" } else { per.strip_suffix('_').unwrap_or(&per) };
        let per = if tokens.contains(&per) { "" } else { per };
        let main = if per.is_empty() { &*main } else { main.strip_suffix('_').unwrap_or(&main) };
        tokens.extend([main, per].into_iter().filter(|token| !token.is_empty()));
        if let Some(suffix) = suffix {
            tokens.retain(|token| *token != suffix);
            tokens.push(suffix);
        }
        if !self.namespace.is_empty() {
            tokens.insert(0, &self.namespace);
        }
        tokens.join("_")
    }

    /// The name with unit and type, all characters kept. Suffixes that are there move to their place.
    fn with_suffixes(&self, name: &str, unit: &str, suffix: Option<&str>) -> String {
        let mut name = self.below_namespace(name);
        if let Some(suffix) = suffix {
            trim_word(&mut name, suffix);
        }
        let (main, per) = units(unit);
        if !per.is_empty() {
            trim_word(&mut name, &per);
        }
        if !main.is_empty() && !name.ends_with(&main) {
            name = format!("{name}_{main}");
        }
        for word in [&*per, suffix.unwrap_or_default()].into_iter().filter(|word| !word.is_empty()) {
            name = format!("{name}_{word}");
        }
        name
    }
}

/// The words of a unit: `By/s` is `bytes` and `per_second`. Annotations in braces have none.
fn units(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let word = |unit: &str, words: &[(&'static str, &'static str)]| {
        let unit = unit.trim();
        if unit.contains(['{', '}']) {
            return String::new();
        }
        let known = words.iter().find(|(short, _)| *short == unit).map(|(_, long)| *long);
        known.unwrap_or(unit).to_owned()
    };
    let per = word(per, PER_UNITS);
    (word(main, UNITS), if per.is_empty() { per } else { format!("per_{per}") })
}

/// A unit in letters, digits, `:` and single underscores, without one at the start.
fn clean(unit: &str) -> String {
    let mut cleaned = String::with_capacity(unit.len());
    for char in unit.chars().map(|char| if is_plain(char) { char } else { '_' }) {
        if char != '_' || !cleaned.ends_with('_') {
            cleaned.push(char);
        }
    }
    cleaned.strip_prefix('_').map(str::to_owned).unwrap_or(cleaned)
}

/// Removes a word at the end, and the character before.
fn trim_word(name: &mut String, word: &str) {
    let is_longer = name.len() > word.len() + 1;
    if let Some(start) = name.strip_suffix(word).filter(|_| is_longer) {
        let last = start.chars().next_back().map_or(0, char::len_utf8);
        name.truncate(start.len() - last);
    }
}

fn words<'a>(name: &'a str, is_of_word: impl Fn(char) -> bool + 'a) -> impl Iterator<Item = &'a str> {
    name.split(move |char| !is_of_word(char)).filter(|word| !word.is_empty())
}

/// Replaces other characters than letters and digits by `_`: each, or runs of them by one.
fn plain(name: &str, each: bool) -> String {
    let mut replaced = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_ascii_alphanumeric() {
            replaced.push(char);
        } else if each || !replaced.ends_with('_') {
            replaced.push('_');
        }
    }
    replaced
}

fn after_digit(name: String, prefix: &str) -> String {
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("{prefix}{name}") } else { name }
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == ':'
}

const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

const PER_UNITS: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];
