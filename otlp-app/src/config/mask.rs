//! Finds the parts of a configuration's text that may be secrets, and replaces them by `*`.
//!
//! A masked text has as many characters as before, so that places stay right.

/// Returns true if every value below `key` is a secret, as below `headers`. Keys that differ from such a key by one
/// character count as well, since they are probably mistyped.
pub(super) fn holds_secrets(key: &str) -> bool {
    // The value of `header` is the name of a header, not a secret.
    SECRET_KEYS.iter().any(|word| *word == key || (key != "header" && is_near(key, word, 1)))
}

/// Returns true if the value of `key`, or the values in its list, may be secrets, because the key holds a word such as
/// `password` or nearly such a word. Keys that name files (`…_file`, `filename`) hold no secret.
pub(super) fn may_be_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_file = key.ends_with("file") || key.ends_with("filename");
    !is_file && WORDS.iter().any(|word| key.contains(word) || is_near(&key, word, 2))
}

fn is_near(key: &str, word: &str, distance: usize) -> bool {
    word.len() > 4 && key.len() <= 2 * word.len() && strsim::damerau_levenshtein(key, word) <= distance
}

/// The parts of an address, as characters from `start` to `end`, that may be secret: user and password, which are all
/// before the last `@`, from `://` on if the text has one; and the query of a URL.
pub(super) fn secrets_of_address(text: &[char]) -> impl Iterator<Item = (usize, usize)> + use<> {
    let scheme = text.windows(3).position(|three| three == [':', '/', '/']).map(|at| at + 3);
    let user = text.iter().rposition(|&c| c == '@').map(|end| (scheme.unwrap_or(0), end));
    let query = scheme.and_then(|_| text.iter().position(|&c| c == '?')).map(|at| (at + 1, text.len()));
    user.into_iter().chain(query).filter(|(start, end)| start < end)
}

/// Returns the text with user, password and query masked, if it is an address.
pub(super) fn without_secrets(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (start, end) in secrets_of_address(&characters) {
        mask(characters.get_mut(start..end).unwrap_or_default());
    }
    characters.into_iter().collect()
}

/// Masks one line of a text whose values are known: comments, and what follows a word such as `password:`.
pub(super) fn mask_line(line: &mut [char]) {
    let lower: String = line.iter().map(char::to_ascii_lowercase).collect();
    let lower: Vec<char> = lower.chars().collect();
    let comment = lower.iter().position(|&c| c == '#').filter(|&at| at == 0 || lower[at - 1].is_whitespace());
    let values = WORDS.iter().filter_map(|word| value_after(&lower, word));
    if let Some(start) = values.chain(comment.map(|at| at + 1)).min() {
        mask(line.get_mut(start..).unwrap_or_default());
    }
}

/// Masks one line of a text that could not be read: all but dashes, a key and its colon.
pub(super) fn mask_unread_line(line: &mut [char]) {
    if line.iter().all(|c| c.is_whitespace() || "-[]{},:".contains(*c)) {
        return;
    }
    let key = line.iter().position(|&c| c != ' ' && c != '-').unwrap_or_default();
    let len = line.iter().skip(key).take_while(|&&c| c.is_ascii_alphanumeric() || "_./".contains(c)).count();
    let colon = key + len;
    let ends = line.get(colon + 1).is_none_or(|c| c.is_whitespace());
    let shown = if len > 0 && line.get(colon) == Some(&':') && ends { colon + 1 } else { 0 };
    mask(line.get_mut(shown..).unwrap_or_default());
}

/// Replaces every character except white space by `*`.
pub(super) fn mask(text: &mut [char]) {
    text.iter_mut().filter(|c| !c.is_whitespace()).for_each(|c| *c = '*');
}

/// Returns the index of the value after `word` and a `:` or `=`.
fn value_after(line: &[char], word: &str) -> Option<usize> {
    let word: Vec<char> = word.chars().collect();
    let mut ends = line.windows(word.len()).enumerate().filter(|(_, part)| *part == word);
    ends.find_map(|(at, _)| {
        let after = at + word.len();
        let skipped = line.get(after..)?.iter().take_while(|&&c| "s\"' ".contains(c)).count();
        matches!(line.get(after + skipped), Some(':' | '=')).then_some(after + skipped + 1)
    })
}

/// Keys of our components and the Collector's below which everything is secret.
const SECRET_KEYS: [&str; 10] = [
    "authorization",
    "headers",
    "headers_list",
    "inline",
    "key_pem",
    "keys",
    "password",
    "secret",
    "token",
    "tokens",
];
/// In keys that we do not know, too.
const WORDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "api_key",
    "api-key",
    "apikey",
    "credential",
    "cookie",
];
