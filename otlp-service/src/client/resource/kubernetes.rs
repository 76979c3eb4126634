//! Attributes of a pod, from variables that its manifest sets by the downward API.

use super::Resource;
use crate::surroundings::Surroundings;

/// Sets the attributes `k8s.*` that can be found out. Nothing is set outside of a cluster: names such as `POD_NAME` may mean other
/// things there.
pub(super) fn detect(surroundings: &Surroundings<'_>, found: &mut Resource) {
    if surroundings.variable(&["KUBERNETES_SERVICE_HOST"]).is_none() {
        return;
    }
    for (key, variables) in ATTRIBUTES {
        let file = || match key {
            NAMESPACE => surroundings.read_line(NAMESPACE_FILE),
            _ => None,
        };
        found.set_found(key, surroundings.variable(variables).or_else(file));
    }
}

const NAMESPACE: &str = "k8s.namespace.name";
const NAMESPACE_FILE: &str = "var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Keys, and the variables that are usual for them, the first that is set counts. The OpenTelemetry Operator sets those that begin
/// with `OTEL_`.
const ATTRIBUTES: [(&str, &[&str]); 6] = [
    (NAMESPACE, &["K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "POD_NAMESPACE"]),
    ("k8s.pod.name", &["K8S_POD_NAME", "POD_NAME", "OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "HOSTNAME"]),
    ("k8s.pod.uid", &["K8S_POD_UID", "POD_UID"]),
    ("k8s.pod.ip", &["K8S_POD_IP", "POD_IP"]),
    ("k8s.node.name", &["K8S_NODE_NAME", "NODE_NAME", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME"]),
    ("k8s.container.name", &["K8S_CONTAINER_NAME", "CONTAINER_NAME"]),
];
