//! Components of other crates that keep state in the directory of an extension.

use super::*;
use otlp_service::{
    BuildContext, Change, Changes, ComponentStorage, Components, Gateway, Inlets, KeyValueLimits, Kind,
    OtlpPlugin, Receiver, Running, SettingsError, StartError,
};
use otlp_transport::{Clock as _, TokioClock, TransportContext};
use serde::Deserialize;
use std::time::{Duration, Instant};

struct Tails;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TailSettings {
    storage: String,
    #[serde(default)]
    other: String,
}

/// Counts its starts.
struct Tail(ComponentStorage);

struct Reading;

impl OtlpPlugin for Tails {
    fn name(&self) -> &str {
        "tails"
    }

    fn version(&self) -> &str {
        "0"
    }

    fn register(&self, components: &mut Components<'_>) {
        components.receiver("tail", "reads", |given: TailSettings, context: &BuildContext<'_>| {
            drop(given.other);
            Ok::<_, SettingsError>(Tail(context.storage("storage", given.storage)))
        });
    }
}

impl Receiver for Tail {
    type Running = Reading;

    async fn start(self, _: Inlets, _: &TransportContext) -> Result<Reading, StartError> {
        let failed = |error: otlp_service::KeyValueError| StartError::Component {
            component: self.0.component().to_owned(),
            source: error.into(),
        };
        let store = self.0.open("", KeyValueLimits::default()).await.map_err(failed)?;
        let starts = store.get("starts").map_or(0, |starts| starts[0]);
        store.set("starts", vec![starts + 1]).await.map_err(failed)?;
        Ok(Reading)
    }
}

impl Running for Reading {
    async fn drain(self, _: Instant) {}
}

/// A configuration whose extension has this directory, and whose receiver has these settings.
fn text(directory: &str, tail: &str) -> String {
    format!(
        "extensions: {{file_storage: {{directory: '{directory}', create_directory: true, fsync: true}}, headers_setter: \
         {{headers: [{{key: a, value: b}}]}}}}\nreceivers: {{tail/a: {tail}}}\nexporters: {{nop: }}\nservice: {{extensions: \
         [file_storage, headers_setter], telemetry: {{metrics: {{level: none}}}}, pipelines: {{logs: {{receivers: [tail/a], exporters: [nop]}}}}}}\n"
    )
}

fn loaded(text: &str) -> Result<Plan, String> {
    let mut plugins = shipped();
    plugins.load(Tails).expect("no clash");
    let mut sources = Sources::default();
    let plan = load(&["c.yaml".into()], &[], &Fake::default().file("c.yaml", text), &plugins, &mut sources);
    plan.map_err(|problems| problems.render(&sources, false))
}

fn plan_of(text: &str) -> Plan {
    loaded(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_component_gets_the_directory_of_the_extension_that_it_names() {
    let plan = plan_of(&text("/q", "{storage: file_storage}"));
    let [storage] = &plan.storages[..] else { panic!("{} states", plan.storages.len()) };
    assert_eq!((storage.kind, storage.storage.component()), (Kind::Receiver, "tail/a"));
    assert_eq!(storage.config.directory, PathBuf::from("/q"));
    for (id, expected) in [
        ("headers_setter", "the extension headers_setter has no storage"),
        ("file_storage/2", "the extension `file_storage/2` is not defined"),
    ] {
        let shown = loaded(&text("/q", &format!("{{storage: {id}}}"))).err().expect("something is wrong");
        assert!(shown.contains(expected) && shown.contains("c.yaml:2:"), "{shown}");
    }
}

#[tokio::test]
async fn the_state_outlives_components_and_gateways() {
    let root = std::env::temp_dir().join(format!("otlp-component-storage-{}", std::process::id()));
    let directory = root.display().to_string();
    for starts in [1, 3] {
        let plan = plan_of(&text(&directory, "{storage: file_storage}"));
        let context = crate::start::context(&plan);
        let own = own_sources(&context);
        let spec = |plan: Plan| crate::start::spec(plan, &context, &own).unwrap_or_else(|_| panic!("a spec"));
        let mut gateway = Gateway::start(context.clone(), spec(plan)).await.unwrap();
        let [stored] = &plan_of(&text(&directory, "{storage: file_storage}")).storages[..] else {
            panic!("a state")
        };
        stored.storage.bind(&own.stores, &stored.config, stored.kind);
        let store = stored.storage.open("", KeyValueLimits::default()).await.unwrap();
        assert_eq!(store.get("starts").unwrap()[0], starts);
        // The new instance starts beside the old one.
        let changed = plan_of(&text(&directory, "{storage: file_storage, other: b}"));
        let Changes { changes } = gateway.reload(spec(changed)).await.unwrap();
        assert_eq!(
            changes.iter().map(Change::to_string).collect::<Vec<_>>(),
            ["receiver tail/a: new settings"]
        );
        assert_eq!(store.get("starts").unwrap()[0], starts + 1);
        gateway.drain(TokioClock.now() + Duration::from_secs(5)).await;
    }
    std::fs::remove_dir_all(root).unwrap();
}

#[tokio::test]
async fn a_component_is_made_anew_when_its_directory_changes() {
    let spec = |directory: &str| {
        let plan = plan_of(&text(directory, "{storage: file_storage}"));
        let context = TransportContext::tcp(1);
        crate::start::spec(plan, &context, &own_sources(&context)).unwrap_or_else(|_| panic!("a spec"))
    };
    let Changes { changes } = spec("/b").changes_from(&spec("/a"));
    assert_eq!(changes.iter().map(Change::to_string).collect::<Vec<_>>(), ["receiver tail/a: new settings"]);
    assert!(spec("/a").changes_from(&spec("/a")).is_empty());
}
