use super::*;
use crate::shipped::Shipped;
use otlp_protocol::Batch;
use otlp_service::{Out, ProcessPlugin};

#[test]
fn plugins_are_listed_with_what_they_bring() {
    let mut plugins = PluginManager::new();
    let process = |batch: Batch, out: &mut Out| {
        out.emit(batch);
        Ok(())
    };
    plugins.load(ProcessPlugin::new("mine", "1.2.3", process).with_order(-5)).expect("no clash");
    plugins.load(Shipped).expect("no clash");
    let mut text = Vec::new();
    run(&ComponentsArgs { plugins: true }, &plugins, &mut text).expect("a list");
    let text = String::from_utf8(text).expect("a text");
    let (mine, shipped) = text.split_at(text.find("otlp-app").expect("the plugin of the binary"));
    assert_eq!(mine, "mine 1.2.3\n  processors: mine\n  step of processing: mine (order -5)\n");
    let expected =
        format!("otlp-app {}\n  receivers: otlp\n  processors: attributes, ", env!("CARGO_PKG_VERSION"));
    assert!(shipped.starts_with(&expected), "{shipped}");
    assert!(!shipped.contains("step"), "{shipped}");

    let mut text = Vec::new();
    run(&ComponentsArgs { plugins: false }, &plugins, &mut text).expect("a list");
    let text = String::from_utf8(text).expect("a text");
    assert!(text.contains("\n  mine "), "{text}");
}
