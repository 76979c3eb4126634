//! Lines of OTLP/JSON from a file into another: `file_to_file IN OUT`. Any receiver and any exporter are written like these two.

use otlp_protocol::{Accepted, Batch, Charge, ErrorKind, Retry, Signal, json};
use otlp_service::{
    ExporterSpec, Gateway, GatewaySpec, Inlets, PipelineSpec, Receiver, ReceiverSpec, Running,
};
use otlp_transport::{Attempt, BoxAttempt, Export, ExportError, ExportResult, TransportContext};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::{fs::File, sync::Mutex, task::JoinHandle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [from, to] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "usage: IN OUT")?;
    let to = Append(Mutex::new(File::create(to).await?));
    let spec = GatewaySpec {
        receivers: vec![ReceiverSpec::new("in", Lines(File::open(from).await?))],
        exporters: vec![ExporterSpec::new("out", BoxAttempt::new(to))],
        pipelines: vec![PipelineSpec::new("traces", Signal::TRACES).with_receiver("in").with_exporter("out")],
        ..GatewaySpec::default()
    };
    let context = TransportContext::tcp(64 << 20);
    let deadline = context.clock.now() + std::time::Duration::from_secs(60);
    // The drain waits for the receiver, and so for the end of its file.
    println!("{}", Gateway::start(context, spec).await?.drain(deadline).await.ledger);
    Ok(())
}

struct Lines(File);

impl Receiver for Lines {
    type Running = Reading;

    async fn start(self, inlets: Inlets, _: &TransportContext) -> Result<Reading, otlp_service::StartError> {
        let inlet = inlets.to(Signal::TRACES, "file");
        let mut lines = BufReader::new(self.0).lines();
        Ok(Reading(tokio::spawn(async move {
            while let (Some(inlet), Ok(Some(line))) = (&inlet, lines.next_line().await) {
                match json::from_str(Signal::TRACES, &line) {
                    Ok(body) => drop(inlet.export(Batch::new(body, Charge::none())).await),
                    Err(error) => println!("a line is left out: {error}"),
                }
            }
        })))
    }
}

struct Reading(JoinHandle<()>);

impl Running for Reading {
    async fn drain(self, _: std::time::Instant) {
        drop(self.0.await);
    }
}

struct Append(Mutex<File>);

impl Attempt for Append {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let error = |text: String| ExportError::new(ErrorKind::Internal, Retry::Never, text);
        let line = json::to_string(batch.body()).map_err(|fault| error(fault.to_string()))? + "\n";
        let mut file = self.0.lock().await;
        let written = async { file.write_all(line.as_bytes()).await.and(file.flush().await) };
        written.await.map(|()| Accepted::FULL).map_err(|fault| error(fault.to_string()))
    }
}
