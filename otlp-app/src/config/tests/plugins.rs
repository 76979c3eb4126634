//! Components of other crates: how their settings are read, and where pipelines may have them.

use super::*;
use crate::start;
use otlp_protocol::Batch;
use otlp_service::{
    Answers, BuildContext, Components, Extension, Holder, HolderContext, HolderSpec, KeyRule, NopExporter,
    OtlpPlugin, Out, Outlet, ProcessPlugin, SettingsError, StageSpec,
};
use otlp_transport::{Export, ExportResult};
use serde::Deserialize;

struct Strange;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    parts: Vec<Part>,
    mode: Mode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    size: u16,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Slow,
    Fast,
}

struct Lead(otlp_service::HolderAccount, Vec<Outlet>);

impl OtlpPlugin for Strange {
    fn name(&self) -> &str {
        "strange"
    }

    fn version(&self) -> &str {
        "0"
    }

    fn register(&self, components: &mut Components<'_>) {
        components.holder("keep", "holds", make(Answers::OnAdmission)).alias("hold").rules(RULES);
        components.connector("lead", "leads on", make(Answers::AfterCommit));
        components.extension("beside", "runs", |_: Settings, _: &BuildContext<'_>| Ok(Beside));
        components.exporter("lead", "keeps nothing", |_: Settings, _: &BuildContext<'_>| Ok(NopExporter));
    }
}

struct Beside;

impl Extension for Beside {}

const RULES: &[KeyRule] = &[KeyRule::ignored("old", "it is old")];

fn make(answers: Answers) -> impl Fn(Settings, &BuildContext<'_>) -> Result<HolderSpec, SettingsError> {
    move |given, context| {
        if let Some(index) = given.parts.iter().position(|part| part.size == 7) {
            context.report(SettingsError::new("it is unlucky"));
            return Err(SettingsError::at(format!("parts.{index}.size"), "not 7").help("such as 8"));
        }
        if matches!(given.mode, Mode::Fast) {
            return Err(SettingsError::unknown("mode", "speed", "fast", &["slow", "fats"]));
        }
        Ok(HolderSpec::new(answers, |context: HolderContext| Ok(Lead(context.account, context.outlets))))
    }
}

impl Export for Lead {
    async fn export(&self, batch: Batch) -> ExportResult {
        let held = self.0.hold(batch.items());
        self.1[0].export(batch, held).await
    }
}

impl Holder for Lead {}

fn loaded(text: &str) -> (Result<Plan, Problems>, Sources) {
    let mut plugins = shipped();
    plugins.load(Strange).expect("no clash");
    let mut sources = Sources::default();
    let fake = Fake::default().file("c.yaml", text);
    (load(&["c.yaml".into()], &[], &fake, &plugins, &mut sources), sources)
}

/// A configuration with settings of `keep`, more sections, and pipelines.
fn text(keep: &str, more: &str, pipelines: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors:\n  keep: {keep}\n  batch:\n  resource: \
         {{attributes: [{{key: a, action: delete}}]}}\n{more}exporters:\n  nop:\nservice:\n  pipelines:\n{pipelines}"
    )
}

const TRACES: &str = "    traces: {receivers: [otlp], processors: [keep], exporters: [nop]}\n";

fn wrong(text: &str) -> String {
    let (plan, sources) = loaded(text);
    let problems = plan.and_then(|plan| {
        let context = otlp_transport::TransportContext::tcp(1);
        start::spec(plan, &context, &own_sources(&context)).map(drop)
    });
    problems.expect_err("something is wrong").render(&sources, false)
}

#[test]
fn what_is_wrong_with_strange_settings_is_shown_with_its_place() {
    for (settings, place, expected) in [
        ("{part: []}", "3:10", "unknown key `part`\n"),
        ("{parts: [{size: 1}, {siz: 1}]}", "3:30", "unknown key `siz`\n"),
        ("{parts: [{size: 1}, {size: x}]}", "3:36", "parts.size: expected a whole number, found `x`\n"),
        ("{parts: [{size: 70000}]}", "3:25", "parts.size: expected a smaller number, found `70000`\n"),
        ("{parts: [{}]}", "3:18", "missing field `size`"),
        ("{mode: quick}", "3:16", "mode: unknown value `quick`\n"),
        ("{mode: fast}", "3:16", "mode: unknown speed `fast`\n"),
        ("{parts: [{size: 1}, {size: 7}]}", "3:36", "keep: parts.1.size: not 7\n"),
        ("{parts: [{size: 1}, {size: 7}]}", "3:3", "keep: it is unlucky\n"),
        ("7", "3:9", "expected a map, found a single value\n"),
    ] {
        let shown = wrong(&text(settings, "", TRACES));
        assert!(shown.contains(expected), "{settings}:\n{shown}");
        assert!(shown.contains(&format!("c.yaml:{place}")), "{settings} at {place}:\n{shown}");
    }
    let shown = wrong(&text("{parts: [{size: 7}]}", "", TRACES));
    assert!(shown.contains("such as 8"), "{shown}");
    let shown = wrong(&text("{mode: fast}", "", TRACES));
    assert!(shown.contains("did you mean `fats`? available: slow, fats"), "{shown}");
}

#[test]
fn a_plugin_of_a_function_is_a_processor_of_its_name() {
    let mut plugins = shipped();
    let process = |batch: Batch, out: &mut Out| {
        out.emit(batch);
        Ok(())
    };
    plugins.load(ProcessPlugin::new("keep", "1.0.0", process)).expect("no clash");
    let plan = |settings: &str| {
        let fake = Fake::default().file("c.yaml", text(settings, "", TRACES));
        load(&["c.yaml".into()], &[], &fake, &plugins, &mut Sources::default())
    };
    for settings in ["", "{}"] {
        let plan = plan(settings).unwrap_or_else(|_| panic!("{settings}"));
        assert!(matches!(plan.pipelines[0].stages[0].stage, StageSpec::Processor(_)), "{settings}");
    }
    assert!(plan("{size: 1}").is_err(), "there are no settings");
}

#[test]
fn keys_of_strange_components_are_noted_and_older_names_answer() {
    let text = text("{old: 1}", "", TRACES).replace("keep", "hold");
    let (plan, _) = loaded(&text);
    let notes = plan.unwrap_or_else(|_| panic!("{text}")).notes;
    assert_eq!(
        notes.iter().map(|note| note.text.as_str()).next(),
        Some("processors.hold.old is ignored: it is old")
    );
}

#[test]
fn strange_extensions_run_if_they_are_listed() {
    let running = |listed: &str| {
        let more = "extensions:\n  beside/1:\n  beside/2: {mode: slow}\n";
        let (plan, _) = loaded(&(text("", more, TRACES) + listed));
        let spec = spec_of(plan.unwrap_or_else(|_| panic!("{listed}")));
        spec.extensions.into_iter().map(|extension| extension.id).collect::<Vec<_>>()
    };
    assert!(running("").is_empty());
    assert_eq!(running("  extensions: [beside/2]\n"), ["beside/2"]);
}

#[test]
fn processors_go_before_the_batch_but_not_before_what_holds_data() {
    let stages = |processors: &str| {
        let pipelines = TRACES.replace("processors: [keep]", &format!("processors: [{processors}]"));
        let (plan, _) = loaded(&text("", "", &pipelines));
        let plan = plan.unwrap_or_else(|_| panic!("{processors}"));
        plan.pipelines[0].stages.iter().map(|stage| stage.id.clone()).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(stages("batch, resource"), "resource, batch");
    assert_eq!(stages("batch, keep, resource"), "batch, keep, resource");
    assert_eq!(stages("keep, batch, resource"), "keep, resource, batch");
}

#[test]
fn a_connector_stands_at_both_places_and_leads_back_nowhere() {
    let lead = "connectors:\n  lead:\n";
    let of = |receivers: &str, exporters: &str| {
        format!(
            "    traces: {{receivers: [otlp], exporters: {exporters}}}\n    traces/2: {{receivers: {receivers}, exporters: \
             [nop]}}\n"
        )
    };
    let (plan, _) = loaded(&text("", lead, &of("[lead]", "[nop, lead]")));
    assert_eq!(plan.unwrap_or_else(|_| panic!("it is sound")).connectors.len(), 1);
    for (pipelines, place, expected) in [
        (
            of("[otlp]", "[lead]"),
            "7:3",
            "lead is an exporter of traces, but no pipeline has it as a receiver\n",
        ),
        (
            of("[lead]", "[nop]"),
            "7:3",
            "lead is a receiver of traces/2, but no pipeline has it as an exporter\n",
        ),
        (
            of("[lead]", "[lead]").replace("exporters: [nop]", "exporters: [lead]"),
            "13:5",
            "pipelines and connectors form a cycle: traces/2 -> lead -> traces/2\n",
        ),
    ] {
        let shown = wrong(&text("", lead, &pipelines));
        assert!(shown.contains(expected) && shown.contains(&format!("c.yaml:{place}")), "{place}:\n{shown}");
    }
    let both = text("", lead, &of("[lead]", "[lead]")).replace(
        "  nop:
",
        "  nop:
  lead:
",
    );
    assert!(wrong(&both).contains(
        "lead: an exporter has the same id, so pipelines could mean either
"
    ));
}

#[test]
fn a_holder_that_answers_on_admission_is_noted_where_an_exporter_would_let_senders_wait() {
    let noted = |nop: &str| {
        let (plan, sources) =
            loaded(&text("", "", TRACES).replace("  nop:\n", nop).replace("[nop]", "[otlp]"));
        let plan = plan.unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
        let (places, context) = (plan.places.clone(), start::context(&plan));
        let spec = start::spec(plan, &context, &own_sources(&context))
            .unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
        start::admitting(&spec, &places).map(|note| note.render(&sources)).collect::<Vec<_>>()
    };
    assert_eq!(
        noted("  otlp: {endpoint: 'c:1', sending_queue: {enabled: false}}\n"),
        [
            "c.yaml:10: traces answers before delivery: keep holds data in memory, which a crash loses, although an \
             exporter behind it answers end to end"
        ]
    );
    assert_eq!(noted("  otlp: {endpoint: 'c:1'}\n"), [""; 0]);
}

#[test]
fn a_loop_may_lead_through_a_connector() {
    let pipelines = "    traces: {receivers: [otlp], exporters: [lead]}\n    traces/2: {receivers: [lead], exporters: [otlp]}\n";
    let text = text("", "connectors:\n  lead:\n", pipelines)
        .replace("  nop:\n", "  otlp: {endpoint: 'localhost:4317'}\n");
    let (plan, sources) = loaded(&text);
    let plan = plan.unwrap_or_else(|problems| panic!("{}", problems.render(&sources, false)));
    let shown = plan.loops.render(&sources, false);
    assert!(shown.contains("the telemetry of traces/2 would come back in an endless loop"), "{shown}");
}
