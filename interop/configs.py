"""The configurations of the gateway and of the Collector, with free ports. JSON is YAML, so no YAML writer is needed."""

import json
import random
import socket

from cells import BATCHES, SIGNALS

HOST = "127.0.0.1"
# Below those that systems give to outgoing connections, one of which could take a port before its server does.
PORTS = range(20_000, 32_000)


# In a random order; each is given out once.
UNUSED = iter(random.sample(PORTS, len(PORTS)))


def free_endpoints(count):
    """So many endpoints that are free just now, and that nobody was given before."""
    endpoints = []
    while len(endpoints) < count:
        port = next(UNUSED)
        try:
            socket.create_server((HOST, port)).close()
            endpoints.append(f"{HOST}:{port}")
        except OSError:
            pass  # taken by another
    return endpoints


class Receiver:
    """The endpoints of one OTLP receiver."""

    def __init__(self):
        self.grpc, self.http = free_endpoints(2)

    def endpoint(self, transport):
        return self.grpc if transport == "grpc" else self.http

    def config(self):
        grpc = {"endpoint": self.grpc, "max_recv_msg_size_mib": 64}
        return {"protocols": {"grpc": grpc, "http": {"endpoint": self.http}}}


def otlp_exporter(receiver, transport, compression, queue):
    """Type and configuration of an OTLP exporter without TLS. One that doesn't queue gives up soon: its sender is
    waiting."""
    config = {"compression": compression, "sending_queue": {"enabled": queue}}
    if not queue:
        config["retry_on_failure"] = {"enabled": False}
    endpoint = receiver.endpoint(transport)
    if transport == "grpc":
        return "otlp_grpc", config | {"endpoint": endpoint, "tls": {"insecure": True}}
    encoding = "json" if transport == "http/json" else "proto"
    return "otlp_http", config | {"endpoint": f"http://{endpoint}", "encoding": encoding}


def gateway(path, entries, collector, metrics):
    """Writes the gateway's configuration: a receiver and pipelines a route, to the Collector's receiver `collector`."""
    host, port = metrics.rsplit(":", 1)
    reader = {"pull": {"exporter": {"prometheus": {"host": host, "port": int(port)}}}}
    config = {
        "receivers": {f"otlp/{route.name}": receiver.config() for route, receiver in entries.items()},
        "processors": BATCHES,
        "exporters": {},
        "service": {"telemetry": {"metrics": {"readers": [reader]}}, "pipelines": {}},
    }
    for route in entries:
        kind, exporting = otlp_exporter(collector, route.transport, route.compression, route.queue)
        exporter = f"{kind}/{route.name}"
        config["exporters"][exporter] = exporting
        for signal in SIGNALS:
            config["service"]["pipelines"][f"{signal}/{route.name}"] = {
                "receivers": [f"otlp/{route.name}"],
                "processors": [route.batch] if route.batch else [],
                "exporters": [exporter],
            }
    write(path, config)


def collector(path, via, direct, relays, files):
    """Writes the Collector's configuration: what arrives at `via` and `direct` goes to a file each; what arrives at a
    relay goes to the file of `direct` and to the gateway."""
    receivers = {"otlp/via": via.config(), "otlp/direct": direct.config()}
    exporters = {f"file/{name}": {"path": str(file)} for name, file in files.items()}
    pipelines = {}
    for signal in SIGNALS:
        for name in ("via", "direct"):
            pipelines[f"{signal}/{name}"] = {"receivers": [f"otlp/{name}"], "exporters": [f"file/{name}"]}
    for number, (receiver, run, entry) in enumerate(relays):
        kind, exporting = otlp_exporter(entry, run.transport, run.compression, queue=False)
        exporter = f"{kind}/relay{number}"
        receivers[f"otlp/relay{number}"] = receiver.config()
        exporters[exporter] = exporting
        for signal in SIGNALS:
            pipelines[f"{signal}/relay{number}"] = {
                "receivers": [f"otlp/relay{number}"],
                "exporters": ["file/direct", exporter],
            }
    telemetry = {"metrics": {"level": "none"}}
    write(path, {
        "receivers": receivers,
        "exporters": exporters,
        "service": {"telemetry": telemetry, "pipelines": pipelines},
    })


def write(path, config):
    path.write_text(json.dumps(config, indent=1))
