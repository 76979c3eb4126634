use super::*;
use fastrand::Rng;

#[test]
fn reads_the_total_of_meminfo() {
    let meminfo = "MemTotal:       16316412 kB\nMemFree:        1 kB\n";
    assert_eq!(total_of(meminfo), Some(16_316_412 * 1024));
    assert_eq!(total_of("MemFree: 1 kB\n"), None);
    assert_eq!(total_of("MemTotal: many\n"), None);
}

#[test]
fn files_need_not_be_utf_8() {
    let path = std::env::temp_dir().join(format!("otlp-memory-{}", std::process::id()));
    fs::write(&path, b"/mnt/\xe9\nnext\n").unwrap();
    assert_eq!(text_of(path.to_str().unwrap()).unwrap(), "/mnt/\u{fffd}\nnext\n");
    fs::remove_file(path).unwrap();
    assert_eq!(text_of("/proc/self/none"), None);
}

#[test]
fn the_least_limit_of_the_process_is_named() {
    let of = |cgroup, space, data| {
        let limit = limit_of(cgroup, |resource| match resource {
            Resource::As => space,
            Resource::Data => data,
            _ => Some(1),
        });
        limit.map(|limit| (limit.bytes, limit.by))
    };
    assert_eq!(of(None, None, None), None);
    assert_eq!(of(Some(5), None, Some(6)), Some((5, "memory limit of the cgroup")));
    assert_eq!(of(Some(5), Some(4), None), Some((4, "RLIMIT_AS")));
    assert_eq!(of(None, Some(4), Some(3)), Some((3, "RLIMIT_DATA")));
}

/// Lines of `of` with pieces of `noise` between their characters.
fn damaged(random: &mut Rng, of: &[&str], lines: usize, noise: &[&str]) -> String {
    let mut text: String = (0..lines).map(|_| *random.choice(of).unwrap()).collect();
    for _ in 0..random.usize(..3) {
        let place = random.usize(..=text.len());
        if text.is_char_boundary(place) {
            text.insert_str(place, random.choice(noise).unwrap());
        }
    }
    text
}

/// Whatever `/proc` and the cgroups say: some memory, and no more than the machine has.
#[test]
fn damaged_files_give_some_memory() {
    const MACHINE: u64 = 1 << 30;
    let mut random = Rng::with_seed(7);
    let mounts = [
        "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "33 23 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        "33 23 0:30 /a/b /m\\040n rw shared:1 - cgroup cgroup rw,memory\n",
    ];
    let cgroups = ["0::/a/b/c\n", "5:cpu,memory:/a/bc\n", "4:cpu:/d\n", "0::/../x\n"];
    let limits = ["5\n", "max\n", "9223372036854771712\n", "hierarchical_memory_limit 7\n"];
    let noise = ["/", "a", "..", ":", " - ", "\\134", "\n", "0", "-1", "18446744073709551616", "\u{e9}", " "];
    let (mut limited, mut unlimited) = (0, 0);
    for _ in 0..5_000 {
        let mut text = |of: &[&str], lines| damaged(&mut random, of, lines, &noise);
        let (mounts, cgroups) = (text(&mounts, 3), text(&cgroups, 3));
        let files = [text(&limits, 1), text(&limits, 1), "0\n".to_owned()];
        let read = |path: &str| match path {
            "/proc/meminfo" => Some(format!("MemTotal: {} kB\n", MACHINE >> 10)),
            "/proc/self/mountinfo" => Some(mounts.clone()),
            "/proc/self/cgroup" => Some(cgroups.clone()),
            _ => Some(files[path.len() % 3].clone()),
        };
        let bytes = usable_bytes(&read);
        assert!((1..=MACHINE).contains(&bytes), "{mounts:?} {cgroups:?} {files:?}: {bytes}");
        // Without the machine's, what says nothing limits nothing.
        let alone = usable_bytes(&|path| read(path).filter(|_| path != "/proc/meminfo"));
        assert!((1..=2 << 30).contains(&alone), "{mounts:?} {cgroups:?} {files:?}: {alone}");
        *(if bytes < MACHINE { &mut limited } else { &mut unlimited }) += 1;
    }
    assert!(limited > 500 && unlimited > 500, "{limited} {unlimited}");
}
