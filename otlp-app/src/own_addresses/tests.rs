use super::*;

fn place(endpoint: &str) -> Place {
    Place::of(endpoint).unwrap_or_else(|| panic!("{endpoint}"))
}

#[test]
fn the_place_of_an_endpoint_is_its_host_and_port() {
    for (endpoint, expect) in [
        ("collector:4317", "collector:4317"),
        ("http://Collector", "collector:80"),
        ("https://user:secret@collector/v1/traces?key=secret", "collector:443"),
        ("https://collector.:4318/a:b", "collector:4318"),
        ("dns:///collector:4317", "collector:4317"),
        ("http://[::1]:4318", "[::1]:4318"),
        ("https://[::1]", "[::1]:443"),
        (":4317", ":4317"),
        ("unix:///run/otlp.sock", "unix:///run/otlp.sock"),
        ("unix:/run/otlp.sock", "unix:///run/otlp.sock"),
    ] {
        assert_eq!(place(endpoint).to_string(), expect, "{endpoint}");
    }
    for endpoint in ["", "collector", "collector:port", "dns:///collector", "ftp://collector"] {
        assert_eq!(Place::of(endpoint), None, "{endpoint}");
    }
}

#[test]
fn own_addresses_are_told_from_others() {
    let own = OwnAddresses {
        host_name: "gateway-1.example.com".into(),
        interfaces: ["127.0.0.1", "::1", "10.0.0.5", "fe80::5"]
            .map(|address| address.parse().unwrap())
            .into(),
    };
    // Listener, targets that reach it, targets that don't.
    for (listener, reached, others) in [
        (
            "[::]:4317",
            &[
                "localhost:4317",
                "127.0.0.1:4317",
                "127.1.2.3:4317",
                "[::1]:4317",
                "[::ffff:10.0.0.5]:4317",
                "0.0.0.0:4317",
                ":4317",
                "10.0.0.5:4317",
                "[fe80::5]:4317",
                "Gateway-1:4317",
                "dns:///gateway-1.example.com.:4317",
                "http://x.localhost:4317/v1",
            ][..],
            &["localhost:4318", "10.0.0.6:4317", "gateway-2:4317", "gateway-1.example.org:4317"][..],
        ),
        (
            "localhost:4317",
            &["localhost:4317", "http://127.0.0.1:4317", "0.0.0.0:4317"],
            &["10.0.0.5:4317", "127.0.0.2:4317", "[::1]:4317", "gateway-1:4317"],
        ),
        ("10.0.0.5:4317", &["10.0.0.5:4317", "gateway-1:4317"], &["localhost:4317", "0.0.0.0:4317"]),
        ("10.9.9.9:4317", &["10.9.9.9:4317"], &["gateway-1:4317"]),
        ("inside.example.com:4317", &["inside.example.com:4317"], &["gateway-1:4317", "localhost:4317"]),
        ("unix:///run/a.sock", &["unix:/run/a.sock"], &["unix:///run/b.sock", "localhost:4317"]),
        // The system chooses the port.
        ("[::]:0", &[], &["localhost:0"]),
    ] {
        let is_own = |target: &str| own.reaches(&place(target), &place(listener));
        for target in reached {
            assert!(is_own(target), "{target} reaches {listener}");
        }
        for target in others {
            assert!(!is_own(target), "{target} does not reach {listener}");
        }
    }
}

#[test]
fn the_machine_knows_itself() {
    let own = OwnAddresses::of_machine();
    assert!(own.interfaces.iter().any(IpAddr::is_loopback), "{:?}", own.interfaces);
    assert!(!own.host_name.is_empty());
}
