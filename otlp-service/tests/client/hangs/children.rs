//! Whole processes: their exit, and what a client leaves behind. The processes are this test's own binary.

use super::own_thread::drop_last_handle;
use super::targets::{Target, Targets, protocol, protocol_name};
use super::{Case, HANG, LIMIT, flush_and_shut_down, in_cases, record, until};
use otlp_service::client::OtlpClient;
use std::env;
use std::fs;
use std::process::{Child, Command, Stdio, exit};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

/// The variable that makes [`process`] do something: the work, and the cases.
const WORK: &str = "OTLP_TEST_HANGS";

/// Exit status of processes that got to their end.
const DONE: i32 = 42;

/// Runs `work` with cases in a process of its own.
fn start(work: &str, cases: &[Case]) -> Child {
    let cases = cases.iter().map(|case| {
        format!("\n{}\t{}\t{}", case.target.name, case.target.endpoint, protocol_name(case.protocol))
    });
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "hangs::children::process", "--nocapture"])
        .env(WORK, format!("{work}{}", cases.collect::<String>()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the end of a process.
fn wait(name: &str, mut child: Child) {
    let (step, mut waited) = (Duration::from_millis(5), Duration::ZERO);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if waited > 2 * HANG {
            child.kill().unwrap();
        }
        thread::sleep(step);
        waited += step;
    };
    // A process that hangs was killed, and has no code.
    assert_eq!(status.code(), Some(DONE), "{name}");
}

/// The work of other processes; nothing in this one.
#[test]
fn process() {
    let Ok(work) = env::var(WORK) else { return };
    let (work, cases) = work.split_once('\n').unwrap();
    let case = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        let target = Target { name: fields[0].into(), endpoint: fields[1].into() };
        Case { target, protocol: protocol(fields[2]) }
    };
    let cases: Vec<_> = cases.lines().map(case).collect();
    match work {
        "exit" => exit_at_once(&cases[0]),
        "shut down" => shut_down_and_exit(&cases[0]),
        #[cfg(unix)]
        "fork" => fork_and_exit(&cases[0]),
        _ => leave_nothing(cases),
    }
    exit(DONE);
}

/// A client that no code drops.
static CLIENT: OnceLock<OtlpClient> = OnceLock::new();

fn exit_at_once(case: &Case) {
    let client = CLIENT.get_or_init(|| case.client());
    record(client);
    client.force_flush(LIMIT).unwrap_err();
}

fn shut_down_and_exit(case: &Case) {
    let client = CLIENT.get_or_init(|| case.client());
    flush_and_shut_down(client);
}

#[cfg(unix)]
fn fork_and_exit(case: &Case) {
    let client = CLIENT.get_or_init(|| case.client());
    record(client);
    client.force_flush(LIMIT).unwrap_err();
    crate::forks::in_child(|| flush_and_shut_down(client));
    record(client);
    client.shutdown(LIMIT).unwrap_err();
}

/// Uses many clients; when they are gone, so are their threads, sockets and files.
fn leave_nothing(cases: Vec<Case>) {
    assert_eq!(client_threads(), 0);
    let use_clients = || {
        in_cases(cases.clone(), |case| {
            flush_and_shut_down(&case.client());
            let client = case.client();
            record(&client);
            drop(client);
            drop_last_handle(case);
        });
        until("the threads of all clients have ended", || client_threads() == 0);
    };
    // The first runtime of a process may open files for the whole process, such as those for signals.
    flush_and_shut_down(&cases[0].client());
    until("the thread of the first client has ended", || client_threads() == 0);
    let before = open_files();
    use_clients();
    use_clients();
    until("all files are closed", || open_files() <= before);
}

/// Number of the clients' threads in this process.
fn client_threads() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
    threads.map(name).filter(|name| name.trim() == "otlp-client").count()
}

/// Number of open files and sockets in this process.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
#[cfg(target_os = "linux")]
fn clients_leave_no_threads_and_sockets_behind() {
    let targets = Targets::start();
    wait("a process of many clients", start("leave nothing", &Case::all(&targets.all)));
}

#[test]
fn at_the_exit_of_a_process() {
    in_processes(&["exit", "shut down"]);
}

#[test]
#[cfg(unix)]
fn in_a_child_after_a_fork() {
    in_processes(&["fork"]);
}

/// Does each work with each destination, in processes of their own.
fn in_processes(works: &[&str]) {
    let targets = Targets::start();
    let cases = Case::all(&targets.all);
    for work in works {
        let children: Vec<_> =
            cases.iter().map(|case| (case.name(), start(work, std::slice::from_ref(case)))).collect();
        children.into_iter().for_each(|(name, child)| wait(&name, child));
    }
}
