use super::*;
use crate::NopExporter;

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
