//! Doc comments open with a verb or with the noun that they are about: "Parses …", "The largest body accepted, in bytes." One that
//! opens with a question word promises an answer in place of giving it.

const QUESTION_WORDS: [&str; 7] = ["How", "What", "When", "Where", "Whether", "Which", "Who"];
/// The share of doc comments that may open so, in percent.
const MAX_PERCENT: usize = 3;

/// Doc comments of a file, each with the line that it starts at. Lines that follow one another are one.
fn blocks(text: &str) -> Vec<(usize, &str)> {
    let mut blocks = Vec::new();
    let mut before = "";
    for (index, line) in text.lines().map(str::trim_start).enumerate() {
        let kind =
            ["///", "//!"].into_iter().find(|kind| line.starts_with(kind) && !line.starts_with("////"));
        let kind = kind.unwrap_or_default();
        if !kind.is_empty() && kind != before {
            blocks.push((index + 1, line[kind.len()..].trim_start()));
        }
        before = kind;
    }
    blocks
}

fn opens_with_a_question_word(block: &str) -> bool {
    let word = block.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
    QUESTION_WORDS.contains(&word)
}

/// The doc comments that open so, if there are too many of them.
fn too_many(files: &[(String, String)]) -> Vec<String> {
    let mut all = 0;
    let mut found = Vec::new();
    for (path, text) in files {
        for (line, block) in blocks(text) {
            all += 1;
            if opens_with_a_question_word(block) {
                found.push(format!("{path}:{line}: opens with a question word: {block}"));
            }
        }
    }
    if found.len() * 100 <= all * MAX_PERCENT {
        return Vec::new();
    }
    found.push(format!("{} of {all} doc comments, {MAX_PERCENT} % at most", found.len()));
    found
}

#[test]
fn doc_comments_open_with_a_verb_or_a_noun() {
    let sources = super::sources().into_iter().filter(|path| !super::is_test(path));
    let sources: Vec<_> = sources.map(|path| (path.clone(), super::read(&path))).collect();
    super::report(too_many(&sources));
}

#[test]
fn question_words_are_counted_once_a_doc_comment() {
    let text = "//! What it is.\n//! Whether a line within.\n\n/// Reads.\n/// How, is within.\n#[derive(Debug)]\nstruct A {\n    \
                /// Which one.\n    a: u8, // What\n    //// What\n    /// Whatever is there.\n}\n";
    let openings: Vec<_> = blocks(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(openings, [1, 4, 8, 11]);
    let file = |text: &str| vec![("a.rs".to_owned(), text.to_owned())];
    assert_eq!(
        too_many(&file(text)),
        [
            "a.rs:1: opens with a question word: What it is.",
            "a.rs:8: opens with a question word: Which one.",
            "2 of 4 doc comments, 3 % at most"
        ]
    );
    let good = "/// Reads.\na\n".repeat(97);
    assert_eq!(too_many(&file(&format!("{good}{}", "/// Who asks.\na\n".repeat(3)))), super::no());
    assert_eq!(too_many(&file(&format!("{good}{}", "/// Who asks.\na\n".repeat(4)))).len(), 5);
}
