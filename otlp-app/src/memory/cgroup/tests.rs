use super::*;
use std::collections::HashMap;

const V2: &str = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const V1: &str = "30 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                  33 23 0:30 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n";

/// The limit where `/proc/self` says that, and the cgroups' files hold that.
fn limit(cgroup: &str, mountinfo: &str, files: &[(&str, &str)]) -> Option<u64> {
    let mut tree: HashMap<_, _> = files.iter().copied().collect();
    tree.insert("/proc/self/cgroup", cgroup);
    tree.insert("/proc/self/mountinfo", mountinfo);
    limit_bytes(&|path| tree.get(path).map(|text| (*text).to_owned()))
}

#[test]
fn version_2_takes_the_least_of_all_ancestors() {
    let service = "0::/system.slice/otlp.service\n";
    let own = "/sys/fs/cgroup/system.slice/otlp.service/memory.max";
    let slice = "/sys/fs/cgroup/system.slice/memory.max";
    for (files, expected) in [
        (&[(own, "1000\n"), (slice, "max\n")][..], Some(1000)),
        (&[(own, "max\n"), (slice, "500\n")], Some(500)),
        (&[(own, "1000\n"), (slice, "500\n")], Some(500)),
        (&[(own, "max\n"), (slice, "max\n")], None),
        (&[(own, "900\n"), ("/sys/fs/cgroup/system.slice/otlp.service/memory.high", "700\n")], Some(700)),
        // Of another service.
        (&[("/sys/fs/cgroup/system.slice/other.service/memory.max", "1\n")], None),
        // No limit of a process that runs.
        (&[(own, "0\n"), (slice, "500\n")], Some(500)),
        (&[], None),
    ] {
        assert_eq!(limit(service, V2, files), expected, "{files:?}");
    }
}

#[test]
fn containers_see_their_cgroup_as_the_mount_point() {
    let at_the_mount_point = [("/sys/fs/cgroup/memory.max", "800\n")];
    // With a namespace of its own; with the host's and only its own cgroup mounted; moved out of what is mounted.
    for (cgroup, root) in [
        ("0::/\n", "/"),
        ("0::/kubepods/pod1/c1\n", "/kubepods/pod1/c1"),
        ("0::/../other\n", "/"),
        ("0::/elsewhere\n", "/kubepods/pod1/c1"),
        // The beginning of a name is not the cgroup of that name.
        ("0::/kubepods/pod1/c10/d\n", "/kubepods/pod1/c1"),
    ] {
        let mounts = format!("29 23 0:26 {root} /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
        assert_eq!(limit(cgroup, &mounts, &at_the_mount_point), Some(800), "{cgroup}");
    }
}

#[test]
fn version_1_takes_the_hierarchy_of_memory() {
    let cgroups = "5:memory:/docker/abc\n4:cpu,cpuacct:/other\n0::/\n";
    let own = "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes";
    let unlimited = "9223372036854771712\n";
    for (files, expected) in [
        (&[(own, "600\n")][..], Some(600)),
        (&[(own, unlimited), ("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "400\n")], Some(400)),
        (&[(own, "600\n"), ("/sys/fs/cgroup/memory/docker/abc/memory.stat", STAT)], Some(300)),
        (&[("/sys/fs/cgroup/cpu/other/memory.limit_in_bytes", "1\n")], None),
        (&[(own, unlimited)], None),
    ] {
        assert_eq!(limit(cgroups, V1, files), expected, "{files:?}");
    }
}

const STAT: &str = "cache 1\nhierarchical_memory_limit 300\nhierarchical_memsw_limit 200\n";

#[test]
fn hybrid_systems_take_both() {
    let cgroups = "5:memory:/a\n0::/b\n";
    let mounts = format!("{V1}40 23 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    let one = ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "600\n");
    let two = ("/sys/fs/cgroup/unified/b/memory.max", "500\n");
    assert_eq!(limit(cgroups, &mounts, &[one]), Some(600));
    assert_eq!(limit(cgroups, &mounts, &[one, two]), Some(500));
}

#[test]
fn what_cannot_be_read_limits_nothing() {
    assert_eq!(limit_bytes(&|_| None), None);
    for (cgroup, mounts) in [("", V2), ("0::/a", ""), ("nonsense", "29 23 - cgroup2"), ("0:", " - \n-")] {
        assert_eq!(limit(cgroup, mounts, &[("/sys/fs/cgroup/memory.max", "1")]), None, "{cgroup} {mounts}");
    }
    let mounts = "29 23 0:26 / /mnt/a\\040b rw - cgroup2 cgroup2 rw\n";
    assert_eq!(limit("0::/c\n", mounts, &[("/mnt/a b/c/memory.max", "7\n")]), Some(7));
}
