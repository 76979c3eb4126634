#!/usr/bin/env python3
"""The source files that run for one gRPC request: in, batch, queue, retry, gRPC out.

Builds `otlp` with coverage counters, starts a gateway twice, sends one request through it the second time, and lists
the files with lines that ran more often then. What start and drain run is the same
both times and so left out. Needs the LLVM tools of rustc's version: `llvm-profdata`, `llvm-cov` or with `-22` at the end
(`apt-get install llvm-22`).

    benches/request_path.py                 # this tree
    benches/request_path.py --tree DIR      # another checkout, to compare with
    benches/request_path.py --max-lines 400 # exit code 1 if a listed file is longer
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TREE = pathlib.Path(__file__).resolve().parent.parent
WAIT_SECONDS = 30
SPAN = {"traceId": "01" * 16, "spanId": "02" * 8, "name": "one", "kind": 2}
REQUEST = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}

# Sends on at once what it gets: the request comes to the gateway from a real gRPC client.
FRONT = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "{own}"}}}}}}}}
exporters: {{otlp_grpc: {{endpoint: "{next}", compression: none, tls: {{insecure: true}}, sending_queue: {{enabled: false}}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}
"""
GATEWAY = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{own}"}}}}}}}}
processors: {{batch: {{timeout: 100ms}}}}
exporters: {{otlp_grpc: {{endpoint: "{next}", compression: none, tls: {{insecure: true}}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}}}}
"""
SINK = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{own}"}}}}}}}}
exporters: {{debug: {{verbosity: basic}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=pathlib.Path, default=TREE, help="the checkout to measure")
    parser.add_argument("--max-lines", type=int, default=0, help="fail if a listed file has more lines")
    options = parser.parse_args()
    tree = options.tree.resolve()
    binary = build(tree)
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        idle = executed(binary, tree, directory / "idle", requests=0)
        busy = executed(binary, tree, directory / "busy", requests=1)
    total, too_long = 0, []
    for file in sorted(busy):
        ran = sum(1 for line, count in busy[file].items() if count > idle[file][line])
        if not ran:
            continue
        lines = len((tree / file).read_text().splitlines())
        total += 1
        too_long += [file] if options.max_lines and lines > options.max_lines else []
        print(f"{ran:5} of {lines:4} lines  {file}")
    print(f"{total} files")
    if too_long:
        sys.exit(f"longer than {options.max_lines} lines: {', '.join(too_long)}")


def build(tree):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or tree / "target") / "coverage"
    command = ["cargo", "build", "-p", "otlp-app", "--bin", "otlp", "--message-format", "json-render-diagnostics"]
    counted = {"RUSTFLAGS": "-C instrument-coverage", "LLVM_PROFILE_FILE": os.devnull, "CARGO_TARGET_DIR": str(target)}
    done = subprocess.run(command, cwd=tree, env=os.environ | counted, stdout=subprocess.PIPE, text=True, check=True)
    return next(found for line in done.stdout.splitlines() if (found := json.loads(line).get("executable")))


def executed(binary, tree, directory, requests):
    """File → line → how often the line ran in a gateway that got so many requests."""
    directory.mkdir()
    front, gateway, sink = endpoints(3)
    profile = directory / "gateway.profraw"
    processes = []
    try:
        processes.append(start(binary, directory, "sink", SINK, sink, "", os.devnull))
        processes.append(start(binary, directory, "gateway", GATEWAY, gateway, sink, profile))
        processes.append(start(binary, directory, "front", FRONT, front, gateway, os.devnull))
        for _ in range(requests):
            send(front)
            wait(lambda: "spans" in (directory / "sink.log").read_text(), "the request did not arrive")
        # The answer to the gateway is under way when the sink shows the request.
        time.sleep(0.5)
        stop(processes[1])
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return lines_of(binary, tree, profile)


def start(binary, directory, name, config, own, next_endpoint, profile):
    file = directory / f"{name}.yaml"
    file.write_text(config.format(own=own, next=next_endpoint))
    with open(directory / f"{name}.log", "wb") as log:
        process = subprocess.Popen(
            [binary, "--config", str(file)],
            env=os.environ | {"LLVM_PROFILE_FILE": str(profile)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    wait(lambda: "listens on" in (directory / f"{name}.log").read_text(), f"the {name} did not start")
    return process


def send(endpoint):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://{endpoint}/v1/traces", json.dumps(REQUEST).encode(), headers)
    urllib.request.urlopen(request, timeout=WAIT_SECONDS).read()


def stop(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(WAIT_SECONDS):
        sys.exit(f"the gateway ended with {process.returncode}")


def lines_of(binary, tree, profile):
    merged = profile.with_suffix(".profdata")
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", str(profile), "-o", str(merged)], check=True)
    command = [tool("llvm-cov"), "export", "-format=lcov", f"-instr-profile={merged}", binary]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    counts, file = collections.defaultdict(lambda: collections.defaultdict(int)), None
    own = re.compile(re.escape(f"{tree}/") + r"(otlp-[a-z]+/src/.*)")
    for entry in text.splitlines():
        if entry.startswith("SF:"):
            match = own.fullmatch(entry[3:])
            file = match and match[1]
        elif file and entry.startswith("DA:"):
            line, count = entry[3:].split(",")[:2]
            counts[file][int(line)] += int(count)
    return counts


def tool(name):
    """Of several, the tools of the newest LLVM that is not newer than rustc's."""
    version = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    major = re.search(r"LLVM version: (\d+)", version)[1]
    found = shutil.which(f"{name}-{major}") or shutil.which(name)
    return found or sys.exit(f"{name} of LLVM {major} is not installed: apt-get install llvm-{major}")


def wait(done, complaint):
    until = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > until:
            sys.exit(complaint)
        time.sleep(0.05)


def endpoints(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return found


if __name__ == "__main__":
    main()
