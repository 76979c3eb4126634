//! `otlp ottl`: checks conditions and statements in OTTL, and runs them on a file.

mod check;
mod difference;
mod run;

use crate::args::parse_signal;
use crate::exit::Failure;
use clap::{Args, Subcommand};
use otlp_protocol::Signal;
use otlp_service::{
    ErrorMode, FilterConditions, FilterConfig, FilterProcessor, OttlError, Processor, TransformConfig,
    TransformGroup, TransformProcessor,
};
use std::path::PathBuf;

/// Commands below `otlp ottl`.
#[derive(Debug, Subcommand)]
pub(crate) enum OttlCommand {
    /// Check conditions and statements, and say what surprises in them
    #[command(after_help = CHECK_HELP)]
    Check(Texts),
    /// Run statements on a file of requests, or remove what meets a condition, and show what changes
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
}

/// Conditions and statements.
#[derive(Clone, Debug, Args)]
pub(crate) struct Texts {
    /// Statement, as in the processor `transform`. May be given several times: they are one group
    #[arg(long, short = 's', value_name = "TEXT", required_unless_present = "condition")]
    statement: Vec<String>,
    /// Condition. With statements, they run on what meets one of the conditions; alone, what meets one is removed, as in the
    /// processor `filter`
    #[arg(long, short = 'c', value_name = "TEXT")]
    condition: Vec<String>,
    /// Context of paths without a context: resource, scope, span, spanevent, metric, datapoint, exemplar, log
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
    /// Signal: traces, metrics, logs, profiles. Default: each signal for which the texts are valid
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal)]
    signal: Option<Signal>,
    /// Let `set` of nil do nothing, as Collectors before v0.161 do
    #[arg(long)]
    ignore_nil: bool,
}

/// Flags of `otlp ottl run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    texts: Texts,
    /// File of requests, `-` for stdin. Format, compression and signal are found by the content
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Largest number of changed items to show
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    max_items: u64,
}

/// Runs a command below `otlp ottl`.
pub(crate) fn run(command: &OttlCommand) -> Result<(), Failure> {
    match command {
        OttlCommand::Check(texts) => check::run(texts),
        OttlCommand::Run(args) => run::run(args),
    }
}

/// Conditions and statements that were checked, for one signal.
enum Program {
    Filter(FilterProcessor),
    Transform(TransformProcessor),
}

/// A faulty text, by its flag and number: `--statement 1`.
struct Fault {
    text: String,
    error: OttlError,
}

// === impl Texts ===

impl Texts {
    /// Checks the texts for a signal.
    fn program(&self, signal: Signal, error_mode: ErrorMode) -> Result<Program, Vec<Fault>> {
        if self.statement.is_empty() {
            let mut conditions = FilterConditions::new(signal, self.condition.iter().map(String::as_str));
            conditions.context.clone_from(&self.context);
            conditions.error_mode = error_mode;
            let mut config = FilterConfig::default();
            config.conditions.push(conditions);
            let fault =
                |error: otlp_service::FilterError| Fault { text: label(&error.path), error: error.error };
            let filter = FilterProcessor::new(config);
            return filter.map(Program::Filter).map_err(|errors| errors.into_iter().map(fault).collect());
        }
        let mut group = TransformGroup::new(signal, self.statement.iter().map(String::as_str));
        group.context.clone_from(&self.context);
        group.conditions.clone_from(&self.condition);
        group.error_mode = error_mode;
        let mut config = TransformConfig::default();
        config.groups.push(group);
        config.ignores_nil = self.ignore_nil;
        let fault =
            |error: otlp_service::TransformError| Fault { text: label(&error.path), error: error.error };
        let transform = TransformProcessor::new(config);
        transform.map(Program::Transform).map_err(|errors| errors.into_iter().map(fault).collect())
    }
}

// === impl Program ===

impl Program {
    /// Returns what is strange about the texts, each with the text's flag.
    fn remarks(&self) -> Vec<(String, &'static str)> {
        let remarks = match self {
            Self::Filter(filter) => filter.remarks(),
            Self::Transform(transform) => transform.remarks(),
        };
        remarks.into_iter().map(|(path, remark)| (label(&path), remark)).collect()
    }

    fn processor(&self) -> &dyn Processor {
        match self {
            Self::Filter(filter) => filter,
            Self::Transform(transform) => transform,
        }
    }
}

/// Makes a flag and a number of the path of a text: `statements.0`, or `0` for conditions alone.
fn label(path: &str) -> String {
    let (list, index) = path.rsplit_once('.').unwrap_or(("conditions", path));
    let flag = if list == "statements" { "--statement" } else { "--condition" };
    match index.parse::<usize>() {
        Ok(index) => format!("{flag} {}", index + 1),
        Err(_) => "--context".to_owned(),
    }
}

/// Writes faults for people.
fn explained(faults: &[Fault]) -> String {
    let mut text = String::new();
    for Fault { text: flag, error } in faults {
        for (problem, lines) in error.explained() {
            text += &format!("error: {flag}: {problem}\n");
            for (index, line) in lines.iter().enumerate() {
                text += &format!("  {}{line}\n", if index < 2 { "| " } else { "= " });
            }
        }
    }
    text
}

const CHECK_HELP: &str = "\
Examples:
  otlp ottl check -c 'span.attributes[\"http.route\"] == \"/health\"'
  otlp ottl check --context log -s 'set(severity_text, \"WARN\") where IsMatch(body, \"(?i)warn\")'

Conditions and statements of a configuration are checked by `otlp validate`.

Exit codes:
  0    the texts are valid; remarks are no errors
  1    a text is wrong
  2    wrong command line";

const RUN_HELP: &str = "\
Each changed item is shown before (-) and after (+), as a request of OTLP/JSON with the item alone.

Examples:
  otlp ottl run -s 'set(span.attributes[\"env\"], \"prod\") where span.kind == 2' spans.json
  otlp ottl run -c 'log.severity_number < SEVERITY_NUMBER_WARN' logs.jsonl.gz

Exit codes:
  0    all requests were processed
  1    a text is wrong, a request is broken, or a statement failed on an item
  2    wrong command line";

#[cfg(test)]
mod tests;
