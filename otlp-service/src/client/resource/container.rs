//! The id of the container, from what the kernel tells a process about its control groups and mounts.

use crate::surroundings::Surroundings;

/// Returns the id of the container that the process runs in.
///
/// With control groups of version 1, and of version 2 without a namespace of their own, the path of the control group ends in the
/// id, as in `/docker/ID` and `/kubepods.slice/cri-containerd-ID.scope`. In a namespace that path is `/`: then the runtime's mounts
/// of `/etc/hostname` and so on tell the id, as in `/var/lib/docker/containers/ID/hostname`.
pub(super) fn id(surroundings: &Surroundings<'_>) -> Option<String> {
    let of_groups = || surroundings.read("proc/self/cgroup")?.lines().find_map(of_group).map(str::to_owned);
    let of_mounts =
        || surroundings.read("proc/self/mountinfo")?.lines().find_map(of_mount).map(str::to_owned);
    of_groups().or_else(of_mounts)
}

/// Returns the id in a line of `/proc/self/cgroup`: `number:controllers:path`.
fn of_group(line: &str) -> Option<&str> {
    let path = line.splitn(3, ':').nth(2)?;
    let last = path.rsplit('/').next()?;
    // `docker-ID.scope`, `cri-containerd-ID.scope`; containerd without systemd: `NAME.slice:cri-containerd:ID`.
    let id = last.strip_suffix(".scope").unwrap_or(last).rsplit(['-', ':']).next()?;
    is_id(id).then_some(id)
}

/// Returns the id in a line of `/proc/self/mountinfo`, whose fourth field is the mounted path. A directory named `sandboxes` has ids
/// of pods, which are no containers.
fn of_mount(line: &str) -> Option<&str> {
    let mut parts = line.split_whitespace().nth(3)?.split('/').peekable();
    while let Some(part) = parts.next() {
        let next = parts.peek().copied().unwrap_or_default();
        if part.ends_with("containers") && is_id(next) {
            return Some(next);
        }
    }
    None
}

/// True for 64 lower-case hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == ID_LEN && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

const ID_LEN: usize = 64;
