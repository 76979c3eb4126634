//! Commands of Redis and Valkey.

/// Replaces the values in commands by `?`. Each line is a command; a quoted argument may have line ends.
pub(super) fn sanitize(text: &str) -> String {
    let mut tokens =
        Tokens { text: text.trim().as_bytes(), at: 0, last: 0, is_argument: false, is_done: false };
    let (mut out, mut command, mut arguments) = (String::new(), String::new(), Vec::new());
    loop {
        match tokens.next() {
            Token::Command(next) => {
                if !command.is_empty() {
                    put_command(&command, std::mem::take(&mut arguments), &mut out);
                    out.push('\n');
                }
                command = next;
                arguments.clear();
            }
            Token::Argument(argument) => arguments.push(argument),
        }
        if tokens.is_done {
            put_command(&command, arguments, &mut out);
            return out;
        }
    }
}

enum Token {
    Argument(String),
    Command(String),
}

struct Tokens<'a> {
    text: &'a [u8],
    /// Position of the next byte.
    at: usize,
    /// The last byte that was read.
    last: u8,
    is_argument: bool,
    is_done: bool,
}

// === impl Tokens ===

impl Tokens<'_> {
    fn next(&mut self) -> Token {
        if self.is_argument { Token::Argument(self.argument()) } else { Token::Command(self.command()) }
    }

    /// Reads a byte; `None` at the end.
    fn read(&mut self) -> Option<u8> {
        match self.text.get(self.at) {
            Some(&byte) => {
                (self.last, self.at) = (byte, self.at + 1);
                Some(byte)
            }
            None => {
                self.is_done = true;
                None
            }
        }
    }

    fn command(&mut self) -> String {
        let (mut token, mut is_started) = (Vec::new(), false);
        while let Some(byte) = self.read() {
            match byte {
                b' ' if !is_started => self.skip_spaces(),
                b' ' => {
                    self.is_argument = true;
                    self.skip_spaces();
                    break;
                }
                b'\n' => break,
                byte => token.push(byte),
            }
            is_started = true;
        }
        text_of(token)
    }

    fn argument(&mut self) -> String {
        let (mut token, mut is_quoted, mut is_escaped) = (Vec::new(), false, false);
        while let Some(byte) = self.read() {
            match byte {
                b'\\' if !is_escaped => {
                    token.push(byte);
                    is_escaped = true;
                    continue;
                }
                b'\n' if !is_quoted => {
                    self.is_argument = false;
                    break;
                }
                b'"' if !is_escaped => is_quoted = !is_quoted,
                b' ' if !is_quoted => {
                    self.skip_spaces();
                    break;
                }
                _ => {}
            }
            token.push(byte);
            is_escaped = false;
        }
        text_of(token)
    }

    /// Goes to the last space in a row. A line end behind the spaces begins a command.
    fn skip_spaces(&mut self) {
        while matches!(self.last, b' ' | b'\t' | b'\r') {
            if self.read().is_none() {
                break;
            }
        }
        if self.last == b'\n' {
            self.is_argument = false;
        } else if self.at > 1 {
            self.at -= 1;
            self.last = self.text.get(self.at - 1).copied().unwrap_or_default();
        }
    }
}

/// A token ends at ASCII characters, so that it is UTF-8.
fn text_of(token: Vec<u8>) -> String {
    String::from_utf8(token).unwrap_or_default()
}

fn put_command(command: &str, mut arguments: Vec<String>, out: &mut String) {
    out.push_str(command);
    if arguments.is_empty() {
        return;
    }
    hide_values(&command.to_uppercase(), &mut arguments);
    for argument in arguments {
        out.push(' ');
        out.push_str(&argument);
    }
}

/// Replaces the arguments of a command that are values.
fn hide_values(command: &str, arguments: &mut Vec<String>) {
    match command {
        "AUTH" => hide_from(arguments, 0),
        "APPEND" | "GETSET" | "LPUSHX" | "GEORADIUSBYMEMBER" | "RPUSHX" | "SET" | "SETNX" | "SISMEMBER"
        | "ZRANK" | "ZREVRANK" | "ZSCORE" => hide(arguments, 1),
        "HSETNX" | "LREM" | "LSET" | "SETBIT" | "SETEX" | "PSETEX" | "SETRANGE" | "ZINCRBY" | "SMOVE"
        | "RESTORE" => hide(arguments, 2),
        "LINSERT" => hide(arguments, 3),
        "GEOHASH" | "GEOPOS" | "GEODIST" | "LPUSH" | "RPUSH" | "SREM" | "ZREM" | "SADD" => {
            hide_from(arguments, 1);
        }
        "GEOADD" => hide_each(arguments, 1, 3),
        "HSET" | "HMSET" => hide_each(arguments, 1, 2),
        "MSET" | "MSETNX" => hide_each(arguments, 0, 2),
        "CONFIG" if arguments.first().is_some_and(|first| first.to_uppercase() == "SET") => {
            hide(arguments, 2)
        }
        "BITFIELD" => hide_of_bitfield(arguments),
        "ZADD" => {
            let is_option = |argument: &String| matches!(argument.as_str(), "NX" | "XX" | "CH" | "INCR");
            let rest = arguments.iter().skip(1).position(|argument| !is_option(argument));
            let first = rest.map_or(arguments.len().saturating_sub(1), |rest| rest + 1);
            hide_each(arguments, first, 2);
        }
        _ => {}
    }
}

fn hide(arguments: &mut [String], index: usize) {
    if let Some(argument) = arguments.get_mut(index) {
        "?".clone_into(argument);
    }
}

/// Replaces all arguments from an index on by one.
fn hide_from(arguments: &mut Vec<String>, index: usize) {
    hide(arguments, index);
    arguments.truncate(index + 1);
}

/// Replaces the last of each `step` arguments, from `start` on.
fn hide_each(arguments: &mut [String], start: usize, step: usize) {
    arguments.iter_mut().skip(start + step - 1).step_by(step).for_each(|argument| "?".clone_into(argument));
}

/// Replaces the third argument behind a `SET`, which is not the first argument.
fn hide_of_bitfield(arguments: &mut [String]) {
    let mut set = 0;
    for index in 0..arguments.len() {
        if arguments.get(index).is_some_and(|argument| argument.to_uppercase() == "SET") {
            set = index;
        }
        if set > 0 && index - set == 3 {
            return hide(arguments, index);
        }
    }
}
