//! The memory limit of the process's cgroups, of version 1 and 2.
//!
//! `/proc/self/cgroup` says in which cgroup the process is, `/proc/self/mountinfo` where the hierarchy is mounted and
//! which cgroup the mount shows as its root. The limit is the least of those of the cgroup and of its ancestors, as far
//! as they can be seen.

/// Reads a file; `None` if there is none.
pub(super) type Read<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A mounted hierarchy that can limit memory.
struct Mount<'a> {
    version: Version,
    /// The cgroup that the mount point shows.
    root: String,
    mount_point: String,
    /// The process's cgroup in this hierarchy.
    cgroup: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Returns the least limit in bytes; `None` without a limit.
pub(super) fn limit_bytes(read: &Read<'_>) -> Option<u64> {
    let cgroups = read("/proc/self/cgroup")?;
    let mounts = read("/proc/self/mountinfo")?;
    let mounts = mounts.lines().filter_map(|line| Mount::of(line, &cgroups));
    mounts.filter_map(|mount| mount.limit_bytes(read)).min()
}

// === impl Mount ===

impl<'a> Mount<'a> {
    /// The mount of a line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)), if memory can be limited there.
    fn of(line: &str, cgroups: &'a str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, mount_point) = (unescaped(mount.next()?), unescaped(mount.next()?));
        let mut filesystem = filesystem.split(' ');
        let version = match (filesystem.next()?, filesystem.nth(1)) {
            ("cgroup2", _) => Version::Two,
            ("cgroup", Some(options)) if names_memory(options) => Version::One,
            _ => return None,
        };
        let cgroup = cgroups.lines().find_map(|line| version.cgroup(line))?;
        Some(Self { version, root, mount_point, cgroup })
    }

    /// The least limit from the process's cgroup up to the mount point.
    fn limit_bytes(&self, read: &Read<'_>) -> Option<u64> {
        // A cgroup outside of the mount cannot be read; the mount point is then the nearest cgroup that can.
        let below = self.cgroup.strip_prefix(self.root.trim_end_matches('/')).unwrap_or_default();
        let is_below = below.starts_with('/') && below.split('/').all(|name| name != "..");
        let below = if is_below { below } else { "" };
        let mut directory = format!("{}{}", self.mount_point, below.trim_end_matches('/'));
        let mut least = self.version.limit_of(&directory, read);
        while directory.len() > self.mount_point.len() {
            directory.truncate(directory.rfind('/').unwrap_or_default());
            let limit = self.version.limit_of(&directory, read);
            least = least.into_iter().chain(limit).min();
        }
        least
    }
}

// === impl Version ===

impl Version {
    /// The cgroup of a line of `/proc/self/cgroup`: `hierarchy:controllers:cgroup`.
    fn cgroup(self, line: &str) -> Option<&str> {
        let mut parts = line.splitn(3, ':');
        let (hierarchy, controllers, cgroup) = (parts.next()?, parts.next()?, parts.next()?);
        let is_of_version = match self {
            Self::One => names_memory(controllers),
            Self::Two => hierarchy == "0" && controllers.is_empty(),
        };
        is_of_version.then_some(cgroup)
    }

    /// The limit of one cgroup. Without one a file of version 2 says `max`, of version 1 a number over [`UNLIMITED`].
    fn limit_of(self, directory: &str, read: &Read<'_>) -> Option<u64> {
        let number = |file: &str| read(&format!("{directory}/{file}")).and_then(|text| limit(&text));
        match self {
            // Over `memory.high` the kernel slows the process down and takes memory back from it.
            Self::Two => number("memory.max").into_iter().chain(number("memory.high")).min(),
            Self::One => {
                // This limit includes ancestors that are not mounted.
                let whole = read(&format!("{directory}/memory.stat")).and_then(|stat| {
                    let line = stat.lines().find_map(|line| line.strip_prefix("hierarchical_memory_limit "));
                    limit(line?)
                });
                number("memory.limit_in_bytes").into_iter().chain(whole).min()
            }
        }
    }
}

/// Parses a limit in bytes. 0 counts as no limit, since a running process has memory.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| (1..UNLIMITED).contains(bytes))
}

fn names_memory(list: &str) -> bool {
    list.split(',').any(|name| name == "memory")
}

/// A path of mountinfo, in which spaces, tabs, line ends and backslashes are octal.
fn unescaped(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(path.to_owned(), |path, (escaped, character)| path.replace(escaped, character))
}

/// Bound above which a number of version 1 means no limit: version 1 has `i64::MAX`, rounded down to whole pages, then.
const UNLIMITED: u64 = 1 << 62;

#[cfg(test)]
mod tests;
