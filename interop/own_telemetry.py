"""Own metrics of the gateway, scraped by Prometheus and pushed to the Collector: do both have the ledger's totals?

The gateway serves two pages, with and without the suffix `_total`, and pushes to the Collector, which writes what arrives to a
file. Prometheus scrapes both pages.
"""

import collections
import http.client
import json
import re
import shutil
import time
import urllib.parse

import configs
import toolchains
from processes import Peer, PeerError

NAME = "own telemetry"
REQUESTS, SPANS = 40, 7
WAIT_SECONDS = 15
LEDGER = "otlp_ledger_items"
STATES = ("accepted", "sent", "refused", "queued")


class OwnTelemetry:
    """One run. `directory` takes configurations, logs and what arrived."""

    def __init__(self, directory):
        toolchains.need("prometheus")
        self.binaries = {"collector": toolchains.collector(), "gateway": toolchains.gateway()}
        self.directory = directory
        self.arrived = directory / "own-telemetry.json"
        self.receivers = {name: configs.Receiver() for name in self.binaries}
        self.plain, self.suffixed, self.prometheus = configs.free_endpoints(3)

    def measure(self):
        """Yields (what, verdict, note)."""
        self.arrived.unlink(missing_ok=True)
        peers = {}
        try:
            for name in self.binaries:
                peers[name] = self.start(name, self.configuration(name))
                peers[name].ready([self.receivers[name].http])
            peers["gateway"].ready([self.plain, self.suffixed])
            peers["prometheus"] = self.scraping()
            self.send()
            ledger = self.ledger()
            if ledger.get("sent") != REQUESTS * SPANS:
                raise PeerError(f"the ledger has {ledger} after {REQUESTS * SPANS} spans")
            yield verdict("Prometheus, plain names", self.scraped("plain", "otelcol_exporter_sent_spans", ledger))
            yield verdict("Prometheus, _total", self.scraped("suffixed", "otelcol_exporter_sent_spans_total", ledger))
            # The last push is made while the gateway drains.
            peers["gateway"].drain()
            peers["collector"].drain()
            yield verdict("pushed to the Collector", self.pushed(ledger))
        finally:
            for peer in peers.values():
                peer.kill()

    def start(self, name, config):
        path = self.directory / f"own-telemetry-{name}.yaml"
        configs.write(path, config)
        command = [self.binaries[name], "--config", str(path)]
        return Peer(name, command, self.directory / f"own-telemetry-{name}.log")

    def configuration(self, name):
        receiver = {"otlp": self.receivers[name].config()}
        if name == "collector":
            exporter = {"file": {"path": str(self.arrived), "flush_interval": "100ms"}}
            pipelines = {"metrics": {"receivers": ["otlp"], "exporters": ["file"]}}
            telemetry = {"metrics": {"level": "none"}}
        else:
            exporter = {"nop": {}}
            pipelines = {"traces": {"receivers": ["otlp"], "exporters": ["nop"]}}
            to_collector = {"protocol": "http/protobuf", "endpoint": f"http://{self.receivers['collector'].http}"}
            readers = [
                page(self.plain, True),
                page(self.suffixed, False),
                {"periodic": {"interval": 1000, "exporter": {"otlp": to_collector}}},
            ]
            telemetry = {"metrics": {"readers": readers}}
        return {
            "receivers": receiver,
            "exporters": exporter,
            "service": {"telemetry": telemetry, "pipelines": pipelines},
        }

    def scraping(self):
        jobs = [
            {"job_name": name, "static_configs": [{"targets": [endpoint]}]}
            for name, endpoint in (("plain", self.plain), ("suffixed", self.suffixed))
        ]
        config = self.directory / "own-telemetry-prometheus.yaml"
        configs.write(config, {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs})
        data = self.directory / "own-telemetry-prometheus"
        shutil.rmtree(data, ignore_errors=True)
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address={self.prometheus}",
        ]
        peer = Peer("prometheus", command, self.directory / "own-telemetry-prometheus.log")
        peer.ready([self.prometheus])
        return peer

    def send(self):
        """Sends requests of spans to the gateway."""
        spans = [{"traceId": "07" * 16, "spanId": "08" * 8, "name": f"span {number}"} for number in range(SPANS)]
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
        for _ in range(REQUESTS):
            status, answer = ask(self.receivers["gateway"].http, "POST", "/v1/traces", body)
            if status != 200:
                raise PeerError(f"the gateway answered {status}: {answer}")

    def ledger(self):
        """The ledger's states of the pipeline, from the gateway's page."""
        _, text = ask(self.plain, "GET", "/metrics")
        lines = re.findall(rf'^{LEDGER}{{pipeline="traces",destination="nop",state="(\w+)"}} (\S+)$', text, re.MULTILINE)
        return {state: float(value) for state, value in lines if state in STATES}

    def scraped(self, job, counter, ledger):
        """Waits until Prometheus has the totals; what is wrong, else nothing."""
        want = {state: value for state, value in ledger.items()} | {counter: float(REQUESTS * SPANS)}
        until = time.monotonic() + WAIT_SECONDS
        while True:
            found = self.query(f'{LEDGER}{{job="{job}",destination="nop"}}', "state")
            known = {state: found.get(state) for state in ledger}
            known[counter] = sum(self.query(f'{counter}{{job="{job}"}}', "exporter").values())
            if known == want:
                return ""
            if time.monotonic() > until:
                return f"Prometheus has {known}, not {want}"
            time.sleep(0.2)

    def query(self, expression, label):
        """The value of each series, by one of its labels."""
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        status, answer = ask(self.prometheus, "GET", path)
        if status != 200:
            raise PeerError(f"Prometheus answered {status}: {answer}")
        found = json.loads(answer)["data"]["result"]
        return {series["metric"].get(label): float(series["value"][1]) for series in found}

    def pushed(self, ledger):
        """What is wrong with the last values that arrived, else nothing."""
        if not self.arrived.exists():
            return "nothing was pushed"
        last = collections.defaultdict(dict)
        with open(self.arrived) as lines:
            for line in lines:
                for name, labels, value in points(json.loads(line)):
                    last[name][labels] = value
        states = {}
        for labels, value in last[LEDGER].items():
            labels = dict(labels)
            if labels["pipeline"] == "traces" and labels["destination"] == "nop":
                states[labels["state"]] = value
        known = {state: states.get(state) for state in ledger}
        sent = sum(last["otelcol_exporter_sent_spans"].values())
        if known != ledger or sent != REQUESTS * SPANS:
            return f"the Collector has {known} and {sent} sent spans, the ledger {ledger}"
        return ""


def page(endpoint, without_type_suffix):
    host, port = endpoint.rsplit(":", 1)
    prometheus = {"host": host, "port": int(port), "without_type_suffix": without_type_suffix}
    return {"pull": {"exporter": {"prometheus": prometheus}}}


def points(request):
    """Yields name, labels and value of each number of an OTLP/JSON request."""
    for resource in request.get("resourceMetrics", []):
        for scope in resource.get("scopeMetrics", []):
            for metric in scope.get("metrics", []):
                data = metric.get("sum") or metric.get("gauge") or {}
                for point in data.get("dataPoints", []):
                    attributes = point.get("attributes", [])
                    labels = tuple((each["key"], each["value"].get("stringValue")) for each in attributes)
                    yield metric["name"], labels, float(point.get("asInt", point.get("asDouble", 0)))


def ask(endpoint, method, path, body=None):
    """Status and text of an answer."""
    connection = http.client.HTTPConnection(endpoint, timeout=WAIT_SECONDS)
    try:
        connection.request(method, path, body, {"content-type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def verdict(what, wrong):
    return f"{NAME}, {what}", "FAIL" if wrong else "ok", wrong or "the ledger's totals"
