//! Meaning, unit and default of each key, from the comments of the settings: a test makes `descriptions.txt` of them.

/// Descriptions of the keys of one component.
#[derive(Debug, Default)]
pub(super) struct Descriptions(Vec<(&'static str, &'static str)>);

impl Descriptions {
    /// Descriptions of the keys below a heading, such as `exporters: otlp_grpc`.
    pub(super) fn of(heading: &str) -> Self {
        let lines = TEXT.lines().skip_while(|line| line.strip_prefix("# ") != Some(heading)).skip(1);
        Self(
            lines
                .take_while(|line| !line.starts_with("# "))
                .filter_map(|line| line.split_once('\t'))
                .collect(),
        )
    }

    /// The description of a key, by its dotted path.
    pub(super) fn get(&self, path: &str) -> Option<&'static str> {
        self.0.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
    }
}

/// `# heading`, then a line for each key: path, tab, description.
const TEXT: &str = include_str!("descriptions.txt");
