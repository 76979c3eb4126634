use super::*;
use crate::{Access, NopExporter, Reason};
use otlp_protocol::{Charge, Count, ErrorKind, Signal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct Named(&'static str, &'static [&'static str]);

impl OtlpPlugin for Named {
    fn name(&self) -> &str {
        self.0
    }

    fn version(&self) -> &str {
        "0.1"
    }

    fn register(&self, components: &mut Components<'_>) {
        for (index, name) in self.1.iter().enumerate() {
            let registration =
                components.exporter(name, "does nothing", |(): (), _: &BuildContext<'_>| Ok(NopExporter));
            if index == 0 {
                registration.alias("also");
            }
        }
    }
}

#[test]
fn types_are_found_by_their_names_and_older_names() {
    let mut plugins = PluginManager::new();
    plugins.load(Named("one", &["a", "b"])).expect("no clash");
    assert_eq!(plugins.find(Kind::Exporter, "b").map(|found| found.name), Some("b"));
    assert_eq!(plugins.find(Kind::Exporter, "also").map(|found| found.name), Some("a"));
    assert!(plugins.find(Kind::Receiver, "a").is_none());
    assert_eq!(plugins.plugins()[0].to_string(), "one 0.1");
}

#[test]
fn a_clash_names_both_plugins_and_takes_nothing_in() {
    let mut plugins = PluginManager::new();
    plugins.load(Named("one", &["a", "b"])).expect("no clash");
    for (names, clashing) in [(&["c", "b"][..], "also"), (&["also"][..], "also")] {
        let clash = plugins.load(Named("two", names)).expect_err("a clash");
        let text =
            format!("the exporter `{clashing}` is registered twice: by the plugins one 0.1 and two 0.1");
        assert_eq!((clash.to_string(), format!("{clash:?}")), (text.clone(), text));
    }
    assert_eq!(plugins.types().len(), 2);
    assert_eq!(plugins.plugins().len(), 1);
}

#[test]
fn a_plugin_may_clash_with_itself() {
    let clash = PluginManager::new().load(Named("one", &["a", "a"])).expect_err("a clash");
    assert_eq!(clash.to_string(), "the exporter `a` is registered twice: by the plugins one 0.1 and one 0.1");
}

fn batch(items: u64) -> Batch {
    Batch::unchecked(Signal::LOGS, Vec::new(), Count { items, entries: items }, true, Charge::none())
}

/// A plugin that appends its number to the text of all plugins that have run.
fn step(name: &'static str, number: u64, order: i32, ran: &Arc<AtomicU64>) -> ProcessPlugin {
    let ran = ran.clone();
    let process = move |batch: Batch, out: &mut Out| {
        ran.store(10 * ran.load(Ordering::Relaxed) + number, Ordering::Relaxed);
        out.emit(batch);
        Ok(())
    };
    ProcessPlugin::new(name, "1", process).with_order(order).with_access(Access::None)
}

#[test]
fn functions_of_plugins_run_in_their_order() {
    let ran = Arc::new(AtomicU64::new(0));
    let mut plugins = PluginManager::new();
    for (name, number, order) in [("d", 4, 1), ("c", 3, 0), ("b", 2, -7), ("e", 5, 1)] {
        plugins.load(step(name, number, order, &ran)).expect("no clash");
    }
    assert_eq!(plugins.processors().iter().map(ProcessStep::name).collect::<Vec<_>>(), ["b", "c", "d", "e"]);
    assert_eq!(plugins.process(batch(3)).expect("a result").into_batches()[0].items(), 3);
    assert_eq!(ran.load(Ordering::Relaxed), 2345);
    // In a configuration they are processors of these names.
    assert!(plugins.find(Kind::Processor, "d").is_some());
    assert!(plugins.load(step("d", 6, 0, &ran)).is_err());
    assert_eq!(plugins.processors().len(), 4, "nothing of the plugin that clashes");
    let contents: Vec<_> = plugins.contents().collect();
    assert_eq!((contents[0].plugin.name.as_str(), contents[0].steps[0].order()), ("d", 1));
}

#[test]
fn functions_of_plugins_account_for_their_items() {
    let mut plugins = PluginManager::new();
    let filter = |batch: Batch, out: &mut Out| {
        out.settle(Reason::Filtered, batch.items() - 1);
        out.emit(self::batch(1));
        Ok(())
    };
    plugins.load(ProcessPlugin::new("filter", "1", filter)).expect("no clash");
    plugins
        .load(ProcessPlugin::new("forgets", "1", |_: Batch, _: &mut Out| Ok(())).with_order(1))
        .expect("no clash");
    let out = plugins.process(batch(5)).expect("a result");
    assert_eq!((out.removed(Reason::Filtered), out.removed(Reason::Dropped)), (4, 1));
    assert!(out.into_batches().is_empty());

    let panics = |_: Batch, _: &mut Out| -> Result<(), ExportError> { panic!("as it should") };
    plugins.load(ProcessPlugin::new("panics", "1", panics).with_order(-1)).expect("no clash");
    let error = plugins.process(batch(5)).expect_err("a panic");
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Internal, "the processor panics panicked; see the log")
    );
}
