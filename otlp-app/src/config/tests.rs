mod auth;
mod balance;
mod errors;
mod processors;
mod receivers;
mod reference;
mod references;
mod secrets;
mod settings;

use super::*;
use std::collections::HashMap;
use std::io;

/// Files and variables of a test.
#[derive(Default)]
struct Fake {
    files: HashMap<String, String>,
    vars: HashMap<String, String>,
}

impl Fake {
    fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    fn load(&self, files: &[&str], sets: &[&str]) -> Result<Plan, String> {
        let files: Vec<_> = files.iter().map(PathBuf::from).collect();
        let sets: Vec<_> = sets.iter().map(|set| (*set).to_owned()).collect();
        let mut sources = Sources::default();
        let plan = load(&files, &sets, self, &mut sources);
        plan.map_err(|problems| problems.render(&sources, false))
    }
}

impl Lookup for Fake {
    fn env(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    fn file(&self, path: &str) -> io::Result<String> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// A whole configuration around a few lines of it.
fn around(exporter: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n{exporter}\nservice:\n  pipelines:\n    \
         traces: {{receivers: [otlp], exporters: [otlp]}}\n"
    )
}

fn plan(text: &str) -> Plan {
    Fake::default()
        .file("c.yaml", text)
        .load(&["c.yaml"], &[])
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn problems(text: &str) -> String {
    match Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]) {
        Ok(_) => panic!("nothing found wrong with:\n{text}"),
        Err(problems) => problems,
    }
}
