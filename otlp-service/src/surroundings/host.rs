//! The host and its operating system, from files of Linux.

use super::Surroundings;
use std::env::consts;

/// Returns the name of the host.
pub(crate) fn host_name(surroundings: &Surroundings<'_>) -> Option<String> {
    let name = first_line(surroundings, ["proc/sys/kernel/hostname", "etc/hostname"]);
    name.or_else(|| surroundings.variable(&["HOSTNAME", "COMPUTERNAME"]))
}

/// Returns the id of the host's installation.
pub(crate) fn host_id(surroundings: &Surroundings<'_>) -> Option<String> {
    first_line(surroundings, ["etc/machine-id", "var/lib/dbus/machine-id"])
}

/// Returns the semantic conventions' name of the architecture.
pub(crate) fn architecture() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// Returns the semantic conventions' name of the operating system.
pub(crate) fn os_type() -> &'static str {
    if consts::OS == "macos" { "darwin" } else { consts::OS }
}

/// Returns the release of the kernel.
pub(crate) fn kernel_release(surroundings: &Surroundings<'_>) -> Option<String> {
    surroundings.read_line("proc/sys/kernel/osrelease")
}

/// The file `os-release`; empty if there is none.
pub(crate) struct OsRelease(String);

// === impl OsRelease ===

impl OsRelease {
    /// Reads the file.
    pub(crate) fn read(surroundings: &Surroundings<'_>) -> Self {
        let release = ["etc/os-release", "usr/lib/os-release"].into_iter();
        Self(release.filter_map(|path| surroundings.read(path)).next().unwrap_or_default())
    }

    /// Returns a value, without quotes and escapes, as os-release(5) has it.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let line = self.0.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
        let is_quoted = |quote| line.len() > 1 && line.starts_with(quote) && line.ends_with(quote);
        let bare = if is_quoted('"') || is_quoted('\'') { line.get(1..line.len() - 1)? } else { line };
        let mut value = String::with_capacity(bare.len());
        let mut rest = bare.chars();
        while let Some(next) = rest.next() {
            value.extend(if next == '\\' { rest.next() } else { Some(next) });
        }
        Some(value)
    }
}

fn first_line(surroundings: &Surroundings<'_>, paths: [&str; 2]) -> Option<String> {
    paths.into_iter().find_map(|path| surroundings.read_line(path))
}
