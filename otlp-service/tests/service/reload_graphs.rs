//! Random graphs of pipelines, fed and reloaded to one another in simulated time: every line adds up.

use crate::harness::*;
use crate::random_graphs::{Graph, graph, name};
use otlp_service::{DropReason, Gateway, LedgerLine};
use otlp_transport::{ExportResult, TransportContext};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
enum Act {
    Push { pipeline: usize, items: u64 },
    Pass { millis: u64 },
    Leave { index: usize },
    Reload { graph: usize },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..4usize, 0..40u64).prop_map(|(pipeline, items)| Act::Push { pipeline, items }),
        2 => (0..2000u64).prop_map(|millis| Act::Pass { millis }),
        1 => any::<usize>().prop_map(|index| Act::Leave { index }),
        2 => any::<usize>().prop_map(|graph| Act::Reload { graph }),
    ]
}

async fn run(graphs: Vec<Graph>, acts: Vec<Act>) {
    let (spec, mut sinks) = graphs[0].spec();
    let mut gateway = Gateway::start(TransportContext::tcp(64 << 20), spec).await.unwrap();
    let mut senders: Vec<JoinHandle<ExportResult>> = Vec::new();
    for act in acts {
        match act {
            Act::Push { pipeline, items } => {
                if let Some(inlet) = gateway.inlet(&name(pipeline)) {
                    senders.push(send(&Arc::new(inlet), logs(items)));
                }
            }
            Act::Pass { millis } => pass(Duration::from_millis(millis)).await,
            Act::Leave { index } if !senders.is_empty() => {
                let index = index % senders.len();
                senders[index].abort();
            }
            Act::Leave { .. } => {}
            Act::Reload { graph } => {
                let graph = &graphs[graph % graphs.len()];
                let (mut spec, of_graph) = graph.spec();
                spec.drain_timeout = seconds(graph.drain_seconds);
                sinks.extend(of_graph);
                gateway.reload(spec).await.unwrap();
            }
        }
        settle().await;
        assert_eq!(gateway.ledger().check(), Ok(()));
    }
    let begin = now();
    let report = gateway.drain(begin + seconds(graphs[0].drain_seconds)).await;
    assert!(now() - begin < seconds(graphs[0].drain_seconds + 1));
    assert_eq!(report.ledger.check(), Ok(()));
    let mut dropped = 0;
    for line in &report.ledger.lines {
        assert_eq!((line.queued, line.in_flight), (0, 0), "{line:?}");
        dropped += line.dropped_for(DropReason::Shutdown);
    }
    assert_eq!(report.dropped_items, dropped);
    senders.iter().for_each(JoinHandle::abort);
    // What exporters took, over all pipelines, is no less than the ledger says.
    let is_end = |line: &&LedgerLine| line.destination.starts_with("out/");
    let sent: u64 = report.ledger.lines.iter().filter(is_end).map(|line| line.sent).sum();
    let taken: u64 = sinks.iter().map(Sink::items).sum();
    assert!(sent <= taken, "{sent} of {taken}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_line_adds_up_over_reloads(
        graphs in prop::collection::vec(graph(), 2..4),
        acts in prop::collection::vec(act(), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(graphs, acts));
    }
}
