//! Telemetry of the client's own thread.

use super::support::{client_exporting_with, exported, lean, own_process, set_global_default};
use tracing::{info, info_span};

#[test]
fn telemetry_of_an_exporter_is_not_recorded() {
    let Some(door) = own_process("own::telemetry_of_an_exporter_is_not_recorded", &["subscriber", "layer"])
    else {
        return;
    };
    let client = client_exporting_with(|| {
        info!("exporting");
        info_span!("export").in_scope(|| info!("exporting"));
    });
    set_global_default(&client, &door, lean());
    for _ in 0..3 {
        info_span!("s").in_scope(|| info!("event"));
        info!("log");
        let recorded = exported(&client);
        assert_eq!((recorded.spans.len(), recorded.logs.len()), (1, 1), "{recorded:?}");
        assert_eq!(recorded.span("s").events.len(), 1);
    }
}
