use super::Args;
use clap::CommandFactory as _;

/// Lines of examples fit, and paragraphs are one line each: clap breaks longer lines wherever they get too long.
#[test]
fn the_text_behind_the_flags_is_not_broken() {
    let mut command = Args::command();
    command.build();
    let mut commands = vec![&command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines: Vec<&str> = text.lines().chain([""]).collect();
        for pair in lines.windows(2) {
            let fits = pair[0].chars().count() <= WIDTH || (!pair[0].starts_with(' ') && pair[1].is_empty());
            assert!(fits, "{}: {}", command.get_name(), pair[0]);
        }
    }
}

/// Width of help without a terminal.
const WIDTH: usize = 100;
