use super::*;
use std::fs;
use std::path::{Path, PathBuf};

/// A directory that stands for `/`, removed when dropped.
struct Root(PathBuf);

impl Root {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("otlp-client-{name}-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self(root)
    }

    /// Detects with one detector, and returns keys and values as text.
    fn detect(&self, detector: Detector, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let lookup = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let surroundings = Surroundings {
            root: &self.0,
            disk: &SystemDisk,
            lookup: &lookup,
            executable: Some("/opt/shop/cart".into()),
            command: Some("./cart".into()),
        };
        let found = Resource::detect_in(&[detector], &surroundings);
        found.attributes().map(|(key, value)| (key.to_owned(), shown(value))).collect()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn shown(value: AnyValue<'_>) -> String {
    value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned)
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_updating_resource_wins() {
    let old = Resource::new().with_attribute("a", 1).with_attribute("b", "old");
    let updating = Resource::new().with_attribute("b", "").with_attribute("c", true).with_schema_url("s");
    let merged = old.clone().merge(updating.clone()).unwrap();
    let attributes: Vec<_> = merged.attributes().collect();
    assert_eq!(
        attributes,
        [("a", AnyValue::Int(1)), ("b", AnyValue::String("")), ("c", AnyValue::Bool(true))]
    );
    assert_eq!(merged.schema_url(), "s");
    assert_eq!(merged.clone().merge(old).unwrap().schema_url(), "s");
    assert_eq!(merged.clone().merge(updating).unwrap().schema_url(), "s");
    let clash = merged.merge(Resource::new().with_schema_url("t")).unwrap_err();
    let expect = "resources with the schema URLs \"s\" and \"t\" cannot be merged: give both one schema URL, or one of them none";
    assert_eq!(clash.to_string(), expect);
}

#[test]
fn a_key_is_encoded_once() {
    let list = AttributeValue::array(["x", "y"]);
    let resource = Resource::new().with_attribute("a", 1).with_attribute("list", list).with_attribute("a", 2);
    let bytes = resource.encode();
    let view = otlp_protocol::view::Resource::new(&bytes);
    assert_eq!(format!("{:?}", view.attributes()), r#"{"a": 2, "list": ["x", "y"]}"#);
    assert_eq!(format!("{resource:?}"), r#"{"a": 2, "list": ["x", "y"]}"#);
}

#[test]
fn programs_are_named_by_themselves_and_by_their_executable() {
    let root = Root::new("service", &[]);
    assert_eq!(root.detect(Detector::Service, &[]), pairs(&[("service.name", "unknown_service:cart")]));
    let sdk = root.detect(Detector::Sdk, &[]);
    let version = env!("CARGO_PKG_VERSION");
    let expect = [
        ("telemetry.sdk.name", "otlp"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", version),
    ];
    assert_eq!(sdk, pairs(&expect));
    let unknown = Surroundings {
        root: Path::new("/"),
        disk: &SystemDisk,
        lookup: &|_| None,
        executable: None,
        command: None,
    };
    let found = Resource::detect_in(&[Detector::Service], &unknown);
    assert_eq!(found.get("service.name"), Some("unknown_service".into()));
}

#[test]
fn instances_have_ids_of_their_own() {
    let root = Root::new("instance", &[]);
    let [one, two] = [(), ()].map(|()| root.detect(Detector::Instance, &[]).remove(0).1);
    assert_ne!(one, two);
    let is_version_4 = |id: &str| {
        let lens: Vec<_> = id.split('-').map(str::len).collect();
        lens == [8, 4, 4, 4, 12] && id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19])
    };
    assert!(is_version_4(&one) && is_version_4(&two), "{one} {two}");
}

#[test]
fn processes_are_described_without_their_arguments() {
    let files = [
        ("proc/self/status", "Name:\tcart\nUid:\t1000\t1001\t1000\t1000\nGid:\t5\n"),
        ("etc/passwd", "root:x:0:0::/:/bin/sh\nbroken\nshop:x:1001:5:Shop:/srv/shop:/bin/sh\n"),
    ];
    let found = Root::new("process", &files).detect(Detector::Process, &[]);
    let get = |key: &str| found.iter().find(|(known, _)| known == key).map(|(_, value)| &**value);
    assert_eq!(get("process.pid"), Some(&*std::process::id().to_string()));
    assert_eq!(get("process.executable.name"), Some("cart"));
    assert_eq!(get("process.executable.path"), Some("/opt/shop/cart"));
    assert_eq!(get("process.command"), Some("./cart"));
    assert_eq!(get("process.owner"), Some("shop"));
    assert_eq!(get("process.runtime.name"), Some("rustc"));
    assert!(found.iter().all(|(key, _)| !key.contains("args")));
}

#[test]
fn hosts_are_read_from_local_files() {
    let files =
        [("proc/sys/kernel/hostname", "node-1\n"), ("etc/machine-id", "fee1\n"), ("etc/hostname", "other\n")];
    let found = Root::new("host", &files).detect(Detector::Host, &[]);
    assert_eq!(found[..2], pairs(&[("host.name", "node-1"), ("host.id", "fee1")]));
    assert_eq!(found[2].0, "host.arch");
    let files = [("etc/hostname", "named\n"), ("var/lib/dbus/machine-id", "fee2")];
    let found = Root::new("host-old", &files).detect(Detector::Host, &[]);
    assert_eq!(found[..2], pairs(&[("host.name", "named"), ("host.id", "fee2")]));
    let found = Root::new("host-none", &[]).detect(Detector::Host, &[("HOSTNAME", "variable")]);
    assert_eq!(found[0], ("host.name".to_owned(), "variable".to_owned()));
    assert_eq!(found.len(), 2);
}

#[test]
fn operating_systems_are_read_from_os_release() {
    let release = "# comment\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='13'\nPRETTY_NAME=\"A \\\"B\\\" \\$C\"\nVERSION=x\n";
    let found = Root::new("os", &[("etc/os-release", release), ("proc/sys/kernel/osrelease", "6.1\n")])
        .detect(Detector::Os, &[]);
    assert_eq!(found[0].0, "os.type");
    let expect = [
        ("os.name", "Debian GNU/Linux"),
        ("os.version", "13"),
        ("os.description", "A \"B\" $C"),
        ("os.build_id", "6.1"),
    ];
    assert_eq!(found[1..], pairs(&expect));
    let found =
        Root::new("os-other", &[("usr/lib/os-release", "BUILD_ID=b1\nNAME=\"\n")]).detect(Detector::Os, &[]);
    assert_eq!(found[1..], pairs(&[("os.name", "\""), ("os.build_id", "b1")]));
}

#[test]
fn containers_are_found_in_control_groups_and_mounts() {
    let id = "3f".repeat(32);
    let other = "0a".repeat(32);
    let cases = [
        ("docker", format!("12:cpu:/docker/{id}\n"), String::new(), true),
        ("scope", format!("0::/system.slice/docker-{id}.scope\n"), String::new(), true),
        (
            "cri",
            format!("11:pids:/kubepods.slice/pod.slice/cri-containerd-{id}.scope\n1:name=systemd:/x"),
            String::new(),
            true,
        ),
        ("containerd", format!("11:pids:/kubepods-pod1.slice:cri-containerd:{id}\n"), String::new(), true),
        ("crio", format!("1:name=systemd:/kubepods/burstable/pod1/crio-{id}\n"), String::new(), true),
        (
            "mount",
            "0::/\n".to_owned(),
            format!(
                "1 2 0:5 /var/lib/docker/overlay2/{other}/merged / rw - overlay overlay rw\n\
                 3 4 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
            ),
            true,
        ),
        (
            "podman",
            "0::/\n".to_owned(),
            format!(
                "3 4 8:1 /containers/overlay-containers/{id}/userdata/hostname /etc/hostname rw - ext4 x rw\n"
            ),
            true,
        ),
        (
            "sandbox",
            "0::/\n".to_owned(),
            format!(
                "3 4 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/{id}/hostname /etc/hostname rw - x x\n"
            ),
            false,
        ),
        (
            "host",
            "0::/user.slice/session-3.scope\n".to_owned(),
            "25 1 8:1 / / rw - ext4 x rw\n\n".to_owned(),
            false,
        ),
        ("short", format!("1:cpu:/docker/{}\n", &id[1..]), String::new(), false),
        ("capital", format!("1:cpu:/docker/{}\n", id.to_uppercase()), String::new(), false),
    ];
    for (name, groups, mounts, is_found) in cases {
        let files = [("proc/self/cgroup", &*groups), ("proc/self/mountinfo", &*mounts)];
        let found = Root::new(&format!("container-{name}"), &files).detect(Detector::Container, &[]);
        let expect = if is_found { pairs(&[("container.id", &id)]) } else { Vec::new() };
        assert_eq!(found, expect, "{name}");
    }
    assert_eq!(Root::new("container-none", &[]).detect(Detector::Container, &[]), []);
}

#[test]
fn files_are_read_up_to_a_limit() {
    let id = "3f".repeat(32);
    let long = format!("{}12:cpu:/docker/{id}\n", "x\n".repeat(600 << 10));
    let found = Root::new("long", &[("proc/self/cgroup", &long)]).detect(Detector::Container, &[]);
    assert_eq!(found, []);
}

#[test]
fn pods_are_described_by_the_downward_api() {
    let root = Root::new("pod", &[("var/run/secrets/kubernetes.io/serviceaccount/namespace", "shop")]);
    let cluster = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    let all = [
        cluster,
        ("K8S_NAMESPACE", "n"),
        ("POD_NAME", "p"),
        ("HOSTNAME", "h"),
        ("POD_UID", "u"),
        ("K8S_POD_IP", "10.1.2.3"),
        ("OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "w"),
        ("CONTAINER_NAME", "c"),
    ];
    let expect = [
        ("k8s.namespace.name", "n"),
        ("k8s.pod.name", "p"),
        ("k8s.pod.uid", "u"),
        ("k8s.pod.ip", "10.1.2.3"),
        ("k8s.node.name", "w"),
        ("k8s.container.name", "c"),
    ];
    assert_eq!(root.detect(Detector::Kubernetes, &all), pairs(&expect));
    assert_eq!(root.detect(Detector::Kubernetes, &all[1..]), []);
    let expect = [("k8s.namespace.name", "shop"), ("k8s.pod.name", "h")];
    assert_eq!(root.detect(Detector::Kubernetes, &[cluster, ("HOSTNAME", "h")]), pairs(&expect));
}

#[test]
fn the_environment_wins_over_other_detectors() {
    let lookup = |name: &str| match name {
        "OTEL_RESOURCE_ATTRIBUTES" => Some("service.name=x,a=1%2C2".to_owned()),
        "OTEL_SERVICE_NAME" => Some("cart".to_owned()),
        _ => None,
    };
    let surroundings = Surroundings {
        root: Path::new("/nowhere"),
        disk: &SystemDisk,
        lookup: &lookup,
        executable: None,
        command: None,
    };
    let found = Resource::detect_in(&Detector::ALL, &surroundings);
    assert_eq!((found.get("service.name"), found.get("a")), (Some("cart".into()), Some("1,2".into())));
}

#[test]
fn this_process_can_be_described() {
    let found = Resource::detect(&[
        Detector::Sdk,
        Detector::Service,
        Detector::Process,
        Detector::Host,
        Detector::Os,
    ]);
    let name = found.get("service.name").and_then(|name| name.as_str());
    assert!(name.is_some_and(|name| name.starts_with("unknown_service:")), "{found:?}");
}
