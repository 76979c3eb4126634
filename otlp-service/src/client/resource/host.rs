//! Attributes of the host and its operating system.

use super::{Resource, Surroundings};
use std::env::consts;

/// Sets `host.name`, `host.id` and `host.arch`.
pub(super) fn detect_host(surroundings: &Surroundings<'_>, found: &mut Resource) {
    let line = |paths: [&str; 2]| paths.into_iter().find_map(|path| surroundings.read_line(path));
    let name = line(["proc/sys/kernel/hostname", "etc/hostname"]);
    found.set_found("host.name", name.or_else(|| surroundings.variable(&["HOSTNAME", "COMPUTERNAME"])));
    found.set_found("host.id", line(["etc/machine-id", "var/lib/dbus/machine-id"]));
    found.set_found("host.arch", Some(architecture(consts::ARCH)));
}

/// Sets `os.type` and what `os-release` says.
pub(super) fn detect_os(surroundings: &Surroundings<'_>, found: &mut Resource) {
    let kind = if consts::OS == "macos" { "darwin" } else { consts::OS };
    found.set_found("os.type", Some(kind));
    let release =
        ["etc/os-release", "usr/lib/os-release"].into_iter().find_map(|path| surroundings.read(path));
    let release = release.unwrap_or_default();
    found.set_found("os.name", value(&release, "NAME"));
    found.set_found("os.version", value(&release, "VERSION_ID"));
    found.set_found("os.description", value(&release, "PRETTY_NAME"));
    let build = value(&release, "BUILD_ID").or_else(|| surroundings.read_line("proc/sys/kernel/osrelease"));
    found.set_found("os.build_id", build);
}

/// Returns a value of `os-release`, without quotes and escapes, as os-release(5) has it.
fn value(release: &str, name: &str) -> Option<String> {
    let line = release.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    let is_quoted = |quote| line.len() > 1 && line.starts_with(quote) && line.ends_with(quote);
    let bare = if is_quoted('"') || is_quoted('\'') { line.get(1..line.len() - 1)? } else { line };
    let mut value = String::with_capacity(bare.len());
    let mut rest = bare.chars();
    while let Some(next) = rest.next() {
        value.extend(if next == '\\' { rest.next() } else { Some(next) });
    }
    Some(value)
}

/// Returns the semantic conventions' name of an architecture.
fn architecture(name: &'static str) -> &'static str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}
