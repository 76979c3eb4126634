#!/usr/bin/env python3
"""Writes otlp-app/layout.ld, the order of functions in the binary: those that run from the start until the gateway listens and is
stopped, then those that requests run, then all others. The kernel maps a file in stretches of 64 KiB, so an idle gateway has less of the
binary in memory when the functions that have run are side by side.

    just layout

builds a binary with symbols and gives it to this program, which needs valgrind and nm. Functions are named without the hash of the
compiler, so that the order stays useful after changes; functions that do not exist are ignored.
"""

import bisect
import collections
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "../otlp-app/layout.ld")
GATEWAY = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{grpc}}}
      http: {{endpoint: 127.0.0.1:{http}}}
processors: {{batch: {{timeout: 100ms}}}}
exporters:
  otlp: {{endpoint: 127.0.0.1:{sink}, tls: {{insecure: true}}}}
  otlp_http: {{endpoint: "http://127.0.0.1:{sink_http}"}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}
    metrics: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}
    logs: {{receivers: [otlp], exporters: [otlp_http]}}
"""
SINK = """
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: 127.0.0.1:{sink}}}
      http: {{endpoint: 127.0.0.1:{sink_http}}}
exporters: {{nop: {{}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
    metrics: {{receivers: [otlp], exporters: [nop]}}
    logs: {{receivers: [otlp], exporters: [nop]}}
"""
# More bytes than this of functions that did not run are not worth a shorter pattern.
MOST_OTHERS = 256


def main():
    binary = os.path.abspath(sys.argv[1])
    sizes, folded = sizes_of(binary)
    with tempfile.TemporaryDirectory() as folder:
        start = with_folded(functions(binary, folder, with_requests=False), folded) & sizes.keys()
        requests = with_folded(functions(binary, folder, with_requests=True), folded) & sizes.keys()
    groups = [start, requests - start]
    with open(OUT, "w") as out:
        out.write("/* Written by dist/layout.py: the order of functions by their use. */\nSECTIONS {\n  .text.used : {\n")
        for group in groups:
            for pattern in patterns(group, sizes):
                out.write(f"    *(.text.{pattern} .text.unlikely.{pattern})\n")
        out.write("  }\n}\nINSERT BEFORE .text;\n")
    print(*(f"{len(group)} functions, {sum(sizes[name] for name in group)} bytes" for group in groups), sep="\n")


def sizes_of(binary):
    """Sizes of functions by their names without hashes, and the names of each function that the linker folded with others."""
    sizes, at = collections.Counter(), collections.defaultdict(set)
    for line in subprocess.check_output(["nm", "-S", binary], text=True).splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[2] in "tT":
            name = without_hash(fields[3])
            sizes[name] += int(fields[1], 16)
            at[fields[0]].add(name)
    folded = collections.defaultdict(set)
    for names in at.values():
        if len(names) > 1:
            for name in names:
                folded[name] |= names
    return sizes, folded


def with_folded(names, folded):
    """Names, and all names of the same code: the linker places code by one of them."""
    return names.union(*(folded[name] for name in names if name in folded))


def without_hash(name):
    """The name with `*` for what depends on the compiler and on the versions of crates."""
    name = re.sub(r"\.(llvm|part|isra|constprop|cold)\b.*$", "", name)
    if name.startswith("_R"):
        return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name)
    return re.sub(r"17h[0-9a-f]{16}E.*$", "", name)


def functions(binary, folder, with_requests):
    """Names of the functions that run in a gateway from its start to its end."""
    ports = dict(zip(("grpc", "http", "sink", "sink_http"), free_ports(4)))
    for name, text in ("gateway", GATEWAY), ("sink", SINK):
        with open(os.path.join(folder, f"{name}.yaml"), "w") as file:
            file.write(text.format(**ports))
    profile = os.path.join(folder, f"profile-{with_requests}")
    sink = subprocess.Popen([binary, "--config", f"{folder}/sink.yaml"], stderr=subprocess.DEVNULL)
    gateway = subprocess.Popen(
        ["valgrind", "-q", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={profile}", binary,
         "--config", f"{folder}/gateway.yaml"], stderr=subprocess.DEVNULL)
    try:
        wait_for(ports["grpc"], gateway)
        if with_requests:
            for signal_name in ("traces", "metrics", "logs"):
                for protocol, port in ("grpc", "grpc"), ("http/protobuf", "http"), ("http/json", "http"):
                    send = [binary, "send", "--generate", signal_name, "--count", "40", "--timeout", "30s",
                            "--protocol", protocol, "--to", f"http://127.0.0.1:{ports[port]}"]
                    subprocess.run(send, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        time.sleep(3)
    finally:
        for process in gateway, sink:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    with open(profile) as file:
        names = re.findall(r"^c?fn=\(\d+\) (\S+)", file.read(), re.M)
    return {without_hash(name.split("'")[0]) for name in names}


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the gateway ended with {process.returncode}")
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
    sys.exit("the gateway does not listen")


def patterns(group, sizes):
    """Patterns of names that match the functions of a group and little else, as short as can be."""
    names = sorted(sizes)
    found = []
    for name in sorted(group):
        if found and found[-1].endswith("*") and name.startswith(found[-1][:-1]):
            continue
        found.append(name if "*" in name else shortest(name, group, names, sizes))
    return found


def shortest(name, group, names, sizes):
    """The shortest prefix of a name that matches few other functions."""
    best = len(name)
    for end in range(len(name), 8, -1):
        prefix = name[:end]
        others, at = 0, bisect.bisect_left(names, prefix)
        while at < len(names) and names[at].startswith(prefix) and others <= MOST_OTHERS:
            others += 0 if names[at] in group else sizes[names[at]]
            at += 1
        if others > MOST_OTHERS:
            break
        best = end
    return name[:best] + "*"


main()
