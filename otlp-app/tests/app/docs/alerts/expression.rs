//! Expressions of PromQL, as far as rules use them: which metrics, labels and functions are named.

use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(super) struct Expression {
    pub(super) selectors: Vec<Selector>,
    /// Labels of `by (…)`.
    pub(super) groupings: BTreeSet<String>,
    pub(super) is_aggregated: bool,
}

#[derive(Debug)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<Matcher>,
}

/// Label and value of a `=`.
type Matcher = (String, String);

const AGGREGATIONS: [&str; 4] = ["count", "max", "min", "sum"];
const FUNCTIONS: [&str; 5] = ["histogram_quantile", "increase", "rate", "resets", "time"];
const OPERATORS: [&str; 3] = ["and", "or", "unless"];

// === impl Expression ===

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut rest = text.trim_start();
        let mut depth = 0_i32;
        while let Some(first) = rest.chars().next() {
            if first.is_ascii_alphabetic() || first == '_' {
                rest = parsed.take_word(rest)?.trim_start();
                continue;
            }
            if first == '[' {
                let (range, after) = rest[1..].split_once(']').ok_or("an open `[`")?;
                let digits = range.trim_end_matches(|c: char| "smhd".contains(c));
                digits.parse::<u32>().map_err(|_| format!("`{range}` is no range"))?;
                rest = after.trim_start();
                continue;
            }
            depth += match first {
                '(' => 1,
                ')' => -1,
                '<' | '>' | '=' | '!' | '+' | '-' | '*' | '/' | ',' | '.' | '0'..='9' => 0,
                other => return Err(format!("unexpected `{other}`")),
            };
            if depth < 0 {
                return Err("a `)` too many".into());
            }
            rest = rest[1..].trim_start();
        }
        if depth == 0 { Ok(parsed) } else { Err("an open `(`".into()) }
    }

    /// Takes a word and what belongs to it; what follows.
    fn take_word<'a>(&mut self, text: &'a str) -> Result<&'a str, String> {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (word, after) = text.split_at(end);
        let after = after.trim_start();
        match word {
            _ if OPERATORS.contains(&word) => Ok(after),
            "by" => {
                let labels = after.strip_prefix('(').and_then(|after| after.split_once(')'));
                let (labels, after) = labels.ok_or("no labels behind `by`")?;
                self.groupings.extend(labels.split(',').map(|label| label.trim().to_owned()));
                Ok(after)
            }
            _ if AGGREGATIONS.contains(&word) => {
                self.is_aggregated = true;
                Ok(after)
            }
            _ if after.starts_with('(') && FUNCTIONS.contains(&word) => Ok(after),
            _ if after.starts_with('(') => Err(format!("unknown function {word}")),
            _ => {
                let (matchers, after) = matchers(after)?;
                self.selectors.push(Selector { metric: word.to_owned(), matchers });
                Ok(after)
            }
        }
    }
}

/// The matchers in braces, if there are any; what follows.
fn matchers(text: &str) -> Result<(Vec<Matcher>, &str), String> {
    let Some(inside) = text.strip_prefix('{') else { return Ok((Vec::new(), text)) };
    let (inside, after) = inside.split_once('}').ok_or("an open `{`")?;
    let matcher = |part: &str| {
        let (label, value) = part.split_once('=')?;
        let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
        Some((label.trim().to_owned(), value.to_owned()))
    };
    let read =
        inside.split(',').map(|part| matcher(part).ok_or_else(|| format!("`{part}` is not label=\"value\"")));
    Ok((read.collect::<Result<_, _>>()?, after))
}
