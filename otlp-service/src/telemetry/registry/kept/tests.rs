use super::*;

#[test]
fn metrics_stay_while_they_are_kept_and_go_then() {
    let registry = Registry::new();
    let labels = [("receiver", "otlp")];
    let shown = |registry: &Registry| registry.snapshot().get("accepted", &labels);
    let counter = registry.counter("accepted", "Items.", &labels);
    counter.add(3);
    let (first, second) = (registry.keep_gone(), registry.keep_gone());
    drop(counter);
    assert_eq!(shown(&registry), Some(3.0));
    let successor = registry.counter("accepted", "Items.", &labels);
    successor.add(2);
    assert_eq!(shown(&registry), Some(5.0));
    drop(first);
    assert_eq!(shown(&registry), Some(5.0));
    drop(second);
    assert_eq!(shown(&registry), Some(5.0), "a counter of the same labels goes on");
    drop(successor);
    assert_eq!(shown(&registry), None);
}
