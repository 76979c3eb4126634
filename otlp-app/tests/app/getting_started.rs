//! docs/getting-started.md: its commands are run in their order, and print what the page shows but for times, ids, numbers.
//!
//! `UPDATE_DOCS=1 cargo test -p otlp-app --test app getting_started` writes the page anew.
#![expect(clippy::expect_used, clippy::panic, reason = "what the test shares may panic like the test itself")]

use regex::Regex;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A shell in a directory of its own, in which `otlp` uses free ports in place of the usual ones.
struct Shell {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    ports: [(String, String); 2],
}

/// A command of the page, and what it prints.
struct Step {
    command: String,
    output: String,
}

/// A part of the page.
enum Part {
    Text(String),
    Block { steps: Vec<Step>, varies: bool },
}

#[test]
fn the_commands_of_the_page_print_what_it_shows() {
    let page = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/getting-started.md"));
    let is_update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut parts = parts(&std::fs::read_to_string(page).expect("read the page"));
    let mut shell = Shell::start();
    for part in &mut parts {
        let Part::Block { steps, varies } = part else { continue };
        for step in steps {
            if is_update {
                std::thread::sleep(SETTLE);
                step.output = shell.run(&step.command);
                continue;
            }
            let is_same = |output: &str| normalized(output) == normalized(&step.output);
            let mut output = shell.run(&step.command);
            for _ in 0..RETRIES {
                if *varies || is_same(&output) || !is_look(&step.command) {
                    break;
                }
                std::thread::sleep(RETRY_DELAY);
                output = shell.run(&step.command);
            }
            if *varies {
                assert_eq!(output.is_empty(), step.output.is_empty(), "$ {}\n{output}", step.command);
            } else {
                let (got, expected) = (normalized(&output), normalized(&step.output));
                assert_eq!(got, expected, "$ {}\n{output}", step.command);
            }
        }
    }
    if is_update {
        std::fs::write(page, text(&parts)).expect("write the page");
    }
}

#[test]
fn times_ids_and_numbers_do_not_count() {
    let one = "2026-11-29T18:18:33.571Z  INFO a  17.2ms trace=cc990158 1,024 kB/s";
    assert_eq!(normalized(one), normalized("2027-01-02T03:04:05Z INFO a 9µs trace=12345678 3 kB/s"));
    assert_ne!(normalized(one), normalized(&one.replace("INFO", "WARN")));
}

/// True for a command that looks at what another process writes, perhaps a moment later.
fn is_look(command: &str) -> bool {
    ["cat ", "tail ", "grep "].iter().any(|look| command.starts_with(look)) && !command.starts_with("cat >")
}

fn normalized(output: &str) -> String {
    let rules = [
        (r"\b[0-9a-f]{8,}\b", "H"),
        (r"\d+(?:[.,:]\d+)*", "N"),
        (r"N ?(?:ns|µs|ms|s|m|h|B|kB|MB|kB/s|MB/s|KiB|MiB)\b", "N"),
        (r"(?:N )?N?N(?:/s)?", "N"),
        (r" +", " "),
        (r"-{4,}", "-"),
    ];
    rules.iter().fold(output.trim_end().to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *with).into_owned()
    })
}

/// Splits the page into blocks of commands and all else.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (block, after) = after.split_once(CLOSE).expect("the end of a block");
        parts.push(Part::Text(before.to_owned()));
        parts.push(Part::Block { steps: steps(block), varies: before.ends_with(VARIES) });
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), output: String::new() });
            continue;
        }
        let step = steps.last_mut().expect("a block begins with a command");
        match line.strip_prefix("> ") {
            Some(more) if step.output.is_empty() => step.command = format!("{}\n{more}", step.command),
            _ => step.output = format!("{}{line}\n", step.output),
        }
    }
    steps
}

fn text(parts: &[Part]) -> String {
    parts.iter().fold(String::new(), |mut page, part| {
        match part {
            Part::Text(text) => page += text,
            Part::Block { steps, .. } => {
                page += OPEN;
                for Step { command, output } in steps {
                    let _ = write!(page, "$ {}\n{output}", command.replace('\n', "\n> "));
                }
                page += CLOSE;
            }
        }
        page
    })
}

// === impl Shell ===

impl Shell {
    fn start() -> Self {
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("start-{}", std::process::id()));
        let bin = directory.join("bin");
        std::fs::create_dir_all(&bin).expect("make a directory");
        let listeners =
            ["4317", "4318"].map(|usual| (usual, TcpListener::bind("127.0.0.1:0").expect("bind")));
        let ports = listeners.map(|(usual, listener)| {
            (usual.to_owned(), listener.local_addr().expect("an address").port().to_string())
        });
        let [(_, grpc), (_, http)] = &ports;
        let otlp = env!("CARGO_BIN_EXE_otlp");
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\nsend) [ -n \"$OTEL_EXPORTER_OTLP_ENDPOINT\" ] || set -- \"$@\" --to \
             http://localhost:{grpc} ;;\n'') set -- --grpc 127.0.0.1:{grpc} --http 127.0.0.1:{http} ;;\nesac\n\
             exec {otlp} \"$@\" < /dev/null\n"
        );
        std::fs::write(bin.join("otlp"), script).expect("write a script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("otlp"), executable).expect("make the script executable");
        let path = std::env::var("PATH").expect("PATH");
        let mut bash = Command::new("bash");
        bash.arg("--norc").current_dir(&directory).env_clear();
        bash.env("PATH", format!("{}:{path}", bin.display())).env("LC_ALL", "C.UTF-8");
        let mut child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start bash");
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().expect("stdout"));
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let stdin = child.stdin.take();
        let mut shell = Self { child, stdin, lines, ports };
        shell.run("exec 2>&1; trap 'kill $(jobs -p)' EXIT");
        shell
    }

    /// Runs a command, and returns what it prints.
    fn run(&mut self, command: &str) -> String {
        let stdin = self.stdin.as_mut().expect("stdin");
        let [(grpc, own_grpc), (http, own_http)] = &self.ports;
        let command = command.replace(grpc, own_grpc).replace(http, own_http);
        writeln!(stdin, "{command}\necho {END}").expect("write to bash");
        let mut output = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == END => break,
                // A command that ends without a newline.
                Ok(line) if line.ends_with(END) => panic!("no newline at the end of {line}"),
                Ok(line) => output = output + &line + "\n",
                Err(_) => panic!("$ {command} does not end:\n{output}"),
            }
        }
        output.replace(own_grpc, grpc).replace(own_http, http)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // At the end of its input the shell ends what it has started.
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

const OPEN: &str = "```console\n";
const CLOSE: &str = "```\n";
/// Stands before blocks whose output differs from run to run in more than times, ids and numbers.
const VARIES: &str = "<!-- varies -->\n";
const END: &str = "end-of-the-command";
const PATIENCE: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(1);
const RETRIES: u32 = 200;
const RETRY_DELAY: Duration = Duration::from_millis(50);
