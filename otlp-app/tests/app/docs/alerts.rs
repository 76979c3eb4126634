//! dist/alerts.yaml asks for metrics and labels that a gateway has, and every rule leads to a section that exists.
//! docs/operations.md lists every metric with its labels.

mod expression;
mod metrics;

use super::{headings, read, yaml};
use expression::Expression;
use metrics::Known;
use serde_json::Value;
use std::collections::BTreeSet;

/// Labels that Prometheus adds to what it scrapes, and that of buckets.
const OF_SCRAPES: [&str; 3] = ["instance", "job", "le"];
/// What Prometheus itself writes about each scrape.
const OWN_OF_PROMETHEUS: &str = "up";

#[test]
fn the_page_lists_every_metric_of_a_running_gateway() {
    let (running, listed) = (Known::of_a_gateway(), Known::of_the_page());
    let mut found = Vec::new();
    for (name, labels) in &running.labels {
        match listed.labels.get(name) {
            None => found.push(format!("{name} is not in docs/operations.md")),
            Some(in_page) if in_page != labels => {
                found.push(format!("{name} has the labels {labels:?}; docs/operations.md says {in_page:?}"));
            }
            Some(_) => {}
        }
    }
    found.extend(listed.labels.keys().filter(|name| !running.labels.contains_key(*name)).map(|name| {
        format!("{name} is in docs/operations.md, but no metric of a gateway that uses every component")
    }));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn alert_rules_ask_for_metrics_that_exist_and_lead_to_a_section() {
    let known = Known::of_a_gateway();
    let sections = headings(&read("docs/troubleshooting.md"));
    let rules = rules(&yaml::parse(&read("dist/alerts.yaml")));
    assert!(rules.len() > 15, "{} rules", rules.len());
    let found: Vec<String> = rules.iter().flat_map(|rule| rule.problems(&known, &sections)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.text("/alert")).collect();
    assert_eq!(names.len(), rules.len(), "two rules of one name");
}

#[test]
fn rules_that_offend_are_found() {
    let page = "otlp_a{reason=\"x\"} 1\notlp_b 1\n# TYPE otlp_h histogram\notlp_h_bucket{le=\"1\"} 1\n";
    let known = Known::of_page(page);
    let problems = |expression: &str, summary: &str| {
        let annotations =
            format!("{{summary: \"{summary}\", description: d, runbook: docs/troubleshooting.md#here}}");
        let rule = format!(
            "{{alert: A, expr: '{expression}', labels: {{severity: info}}, annotations: {annotations}}}"
        );
        Rule(yaml::parse(&rule)).problems(&known, &["here".to_owned()].into()).len()
    };
    assert_eq!(problems("sum by (reason) (rate(otlp_a{reason=\"x\"}[5m])) > 0", "{{ $labels.reason }}"), 0);
    assert_eq!(
        problems("histogram_quantile(0.9, sum by (le) (rate(otlp_h_bucket{job=\"a\"}[5m]))) > 1", ""),
        0
    );
    assert_eq!(problems("otlp_h > 0", ""), 1, "a histogram has no series of its own name");
    assert_eq!(problems("otlp_c > 0", ""), 1, "no such metric");
    assert_eq!(problems("otlp_b{reason=\"x\"} > 0", ""), 1, "no such label");
    assert_eq!(problems("otlp_a{reason=\"y\"} > 0", ""), 1, "no such value");
    assert_eq!(problems("otlp_a > 0", "{{ $labels.place }}"), 1, "no such label in a text");
    assert_eq!(problems("sum(otlp_a) > 0", "{{ $labels.reason }}"), 1, "the sum has no labels");
    assert_eq!(problems("rat(otlp_a[5m]) > 0", ""), 1, "no such function");
    assert_eq!(problems("(otlp_b > 0", ""), 1, "parentheses");
}

struct Rule(Value);

fn rules(file: &Value) -> Vec<Rule> {
    let groups = file["groups"].as_array().into_iter().flatten();
    groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).cloned().map(Rule).collect()
}

// === impl Rule ===

impl Rule {
    /// What is at `path`; empty if nothing is.
    fn text(&self, path: &str) -> &str {
        self.0.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    fn problems(&self, known: &Known, sections: &std::collections::HashSet<String>) -> Vec<String> {
        let name = self.text("/alert");
        let mut found: Vec<String> = ["/alert", "/expr", "/labels/severity", "/annotations/description"]
            .iter()
            .filter(|path| self.text(path).is_empty())
            .map(|path| format!("{name}: no {path}"))
            .collect();
        if !["critical", "warning", "info"].contains(&self.text("/labels/severity")) {
            found.push(format!("{name}: unknown severity"));
        }
        match self.text("/annotations/runbook").strip_prefix("docs/troubleshooting.md#") {
            Some(section) if sections.contains(section) => {}
            _ => found.push(format!("{name}: the runbook is no section of docs/troubleshooting.md")),
        }
        match Expression::parse(self.text("/expr")) {
            Ok(expression) => found.extend(self.unknown(&expression, known)),
            Err(problem) => found.push(format!("{name}: {problem}")),
        }
        found
    }

    /// Metrics, labels and values that do not exist.
    fn unknown(&self, expression: &Expression, known: &Known) -> Vec<String> {
        let name = self.text("/alert");
        let mut found = Vec::new();
        let mut of_metrics: BTreeSet<&str> = OF_SCRAPES.into();
        for selector in &expression.selectors {
            let Some(labels) = known.of_series(&selector.metric) else {
                if selector.metric != OWN_OF_PROMETHEUS {
                    found.push(format!("{name}: no metric {}", selector.metric));
                }
                continue;
            };
            of_metrics.extend(labels);
            for (label, value) in &selector.matchers {
                if !OF_SCRAPES.contains(&label.as_str()) && !known.has_value(&selector.metric, label, value) {
                    found.push(format!("{name}: {} has no {label}={value:?}", selector.metric));
                }
            }
        }
        found.extend(
            expression
                .groupings
                .iter()
                .filter(|label| !of_metrics.contains(label.as_str()))
                .map(|label| format!("{name}: no label {label} to group by")),
        );
        let left: BTreeSet<&str> = match expression.is_aggregated {
            true => expression.groupings.iter().map(String::as_str).collect(),
            false => of_metrics,
        };
        let texts = [self.text("/annotations/summary"), self.text("/annotations/description")].concat();
        let named = texts.split("$labels.").skip(1);
        let named = named.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
        found.extend(
            named
                .filter(|label| !left.contains(label))
                .map(|label| format!("{name}: no label {label} is left")),
        );
        found
    }
}
