"""The results as lines and as a page."""

import collections
import itertools

import deviations
import json_cases
import versions
import links
import refusals
import same
import stored
from cells import COLLECTOR_OFFERS, EXPORTS, OFFERS, ROUTES, SIGNALS

VERDICTS = ("ok", "FAIL", "SKIP")

PAGE = """# Interop

Made by `interop/run --write`, and run in CI. Official SDKs and the OpenTelemetry Collector send through `otlp` to the
Collector, and the same batches straight to it. A cell is ok when the same multiset of items arrived both ways: every
item once, with its resource, scope, schema URLs and attributes exactly as sent. The number is that of the signals.

{summary}

`interop/run --only TEXT` does the runs with this in their name, such as `rust http/json zstd json` (sender, transport,
compression, way through), `python`, `proxy`, `refusal 401` or `h2spec`. It builds what these need, with Go, Maven, npm,
pip, cargo and openssl, into `interop/.work`; a tool that is not there is reported and its runs are skipped, but in CI
they fail.

## SDKs

Every transport, encoding and compression that each SDK offers. Columns are the ways through the gateway: its exporter
(`json` is HTTP with `encoding: json`), and whether it queues and merges batches of several senders (`-merge`), queues
and cuts them to 30 items (`-cut`), or lets the sender wait for the Collector's answer.

{senders}

Java and Python offer no JSON, and of Go's exporters only that of traces does. Java's zstd is another project's. `file`
is a profiles request in protobuf, since no SDK sends profiles yet. What JSON has no numbers for, NaN and the
infinities, is left out where JavaScript and Rust write JSON: they write `null`, which the Collector refuses. The
Collector does not take Python's deflate over gRPC either, so it gets those batches uncompressed.

## The Collector as sender

Each of its exporters' encodings and compressions, all four signals, each by one of the ways above.

{collector}

## The gateway's exporters

Each encoding and compression that the Collector takes, all four signals. It does not take brotli, which our exporter
offers as well.

{exporters}

## Connections

Connections other than cleartext TCP, by client → server. The Python SDK and raw grpcio stubs, the Collector, and
`otlp` send over these connections. A cell is ok when every item arrived once and exactly as sent; the number is that of
the signals. Certificates are as `openssl req -x509` makes them: self-signed, CA:TRUE, and the same file in the other
side's `ca_file` or `client_ca_file`; with `insecure_skip_verify` also one of X.509 v1 is trusted. Where the certificate
is another with the same subject and names, the cell is ok when the sender is told of a failure and nothing arrived.

The proxies are HTTP proxies that ask for user and password. The destination's name can only be resolved by a proxy. A
cell is ok when the right proxy, and no other, was asked for the destination with the right method and credentials:
`CONNECT` for TLS and for all gRPC, also in cleartext, by `HTTPS_PROXY`; the request itself for cleartext HTTP, by
`HTTP_PROXY`; `proxy_url` wins over both. A `CONNECT` request must not carry the exporter's `headers`. The last column
compares with the Collector.

{connections}

## Queues on disk

An SDK sends to a gateway whose destination is down and whose exporter has `sending_queue.storage`, and straight to the Collector. Then
the gateway is killed, it is started again, and the destination after it. A cell is ok when every item arrived once and exactly as
sent.

{stored}

## Early refusals

Requests that are refused before their bodies have come: without a token (401), to an unknown path (404), over the size
that is allowed (413), of an unknown type (415); over gRPC with UNAUTHENTICATED, UNIMPLEMENTED and RESOURCE_EXHAUSTED. A
cell is ok when the client read that status from each of {times} requests, each over a connection of its own.

{refusals}

## HTTP/2

h2spec against the port for OTLP/gRPC, and against the Collector's to compare. It asks for `GET /`, which is no gRPC
call and answered by a status and a line of text. Where a case needs a frame larger than what is allowed, the frame is
made larger than our 1 MiB. What the gateway fails is tried twice more with both. A case that the gateway alone fails
would fail the run.

{conformance}

## Processors

`interop/processors.yaml` as the Collector reads it and as `otlp` does. Both get the same requests: what an SDK sends, the
protobuf fixtures, and lists made by hand of every type of value, of keys that are empty, not ASCII or there three times.
A processor and signal is ok if the same came out of all of them, or where docs/differences.md says that `otlp` does
something else, if that and nothing else is another; the order of attributes is not compared. One column a signal:

{processors}

## Components

The other processors and the connectors, each with several variants of its settings, compared item by item with recorded outputs of the
Collector on the same requests, which have values of every type in all places. A variant and signal is ok if the same came out of all of
them, but for differences that `interop/components` lists with their reasons. One column a signal:

{components}

## JSON

{json} texts of JSON, the fixtures and others that are unusual, were read alike: both refused them, or the same came out,
but for what stands here. Of what both refuse the Collector answers some with 500, `otlp` all with 400.

{differs}

## Own metrics

The gateway's own metrics as a Prometheus server scrapes them, with and without `_total`, and as a reader pushes them to the
Collector. A cell is ok when the values are the totals of the gateway's ledger.

{own}

## The client

One Rust program, once with the official SDK and once with the client of otlp-service: `by-hand` makes spans, log records and
metrics with the libraries' own interfaces, `delta` metrics with delta temporality and exponential histograms, `tracing` spans
and events of the crate tracing, behind tracing-opentelemetry and opentelemetry-appender-tracing, and behind the client's layer
and its subscriber. A cell is ok when the Collector wrote the same items for both, field by field. Ids are named by their span,
times by whether they are of the run, the order of attributes is not compared.

{same}

This, and nothing else, differs: where the SDK is against the specification or the semantic conventions. The number is that of
the fields. [The client](client.md#differences) shows the values.

{deviations}

## Versions

{versions}

The JavaScript SDK is the newest for Node 18 and 20; its 3.x needs Node 22.
"""


class Results:
    """All verdicts, in order; each is printed as it is known."""

    def __init__(self, in_ci):
        self.in_ci = in_ci
        self.all = []
        self.failed = []

    def add(self, run, what, verdict, note):
        # A toolchain that CI lacks is a mistake of CI, not of the machine.
        verdict = "FAIL" if verdict == "SKIP" and self.in_ci else verdict
        self.all.append((run, what, verdict))
        name = f"{run.label} {what:8}" if run else what
        line = f"{verdict:4} {name} {note}".rstrip()
        if verdict == "FAIL":
            self.failed.append(line)
        print(line, flush=True)

    def count(self, verdict):
        return sum(1 for _, _, each in self.all if each == verdict)

    def summary(self):
        return f"{self.count('ok')} ok, {self.count('FAIL')} failed, {self.count('SKIP')} skipped"

    def cells(self, *key):
        """The verdicts of the runs whose keys start with this, tallied."""
        counts = collections.Counter(verdict for run, _, verdict in self.all if run and run.key[: len(key)] == key)
        return ", ".join(f"{verdict} {count}" for verdict, count in counts.items()) or "—"

    def page(self):
        said = [what.removeprefix("h2spec: ") for run, what, _ in self.all if run is None and "h2spec" in what]
        return PAGE.format(
            summary=f"**{self.summary()}.**",
            senders=self.senders(),
            collector=self.collector(),
            exporters=self.exporters(),
            connections=self.connections(),
            stored=self.stored(),
            refusals=self.refusals(),
            times=refusals.TIMES,
            processors=self.processors(),
            components=self.components(),
            json=sum(1 for _, what, verdict in self.all if what.startswith("JSON ") and verdict == "ok"),
            differs=table(["JSON", "the Collector", "`otlp`"], [list(row[:3]) for row in json_cases.DIFFERS]),
            own=self.own(),
            same=self.same(),
            deviations=table(["what is specified", "fields of the SDK that differ"], [*deviations.rows()]),
            conformance="\n".join(f"- {line}" for line in said),
            versions=table(["what", "version"], [list(pair) for pair in versions.pinned().items()]),
        )

    def senders(self):
        rows, last = [], None
        for offer in OFFERS:
            for compression in offer.compressions:
                key = offer.sender, offer.transport, compression
                name = "" if offer.sender == last else offer.sender
                rows.append([name, *key[1:], *(self.cells(*key, route.name) for route in ROUTES)])
                last = offer.sender
        return table(["sender", "transport", "compression", *(route.name for route in ROUTES)], rows)

    def collector(self):
        transports = [offer.transport for offer in COLLECTOR_OFFERS]
        compressions = dict.fromkeys(name for offer in COLLECTOR_OFFERS for name in offer.compressions)
        rows = [[name, *(self.cells("collector", each, name) for each in transports)] for name in compressions]
        return table(["compression", *transports], rows)

    def processors(self):
        """A row for the processors whose names start alike."""
        names = [what.split()[1:] + [verdict] for _, what, verdict in self.all if what.startswith("processor ")]
        known = sorted({name for name, _, _ in names}, key=len)
        groups = collections.defaultdict(collections.Counter)
        for name, signal, verdict in names:
            group = next(each for each in known if f"{name}-".startswith(f"{each}-"))
            groups[group][signal, verdict] += 1

        rows = [[group, *(tally(groups[group], signal) for signal in SIGNALS)] for group in sorted(groups)]
        return table(["processor", *SIGNALS], rows)

    def components(self):
        """A row for each component."""
        found = [what.split()[1:] + [verdict] for _, what, verdict in self.all if what.startswith("component ")]
        counts = collections.defaultdict(collections.Counter)
        for name, *_, signal, each in (row for row in found if len(row) == 4):
            counts[name][signal, each] += 1
        signals = SIGNALS[:3]
        rows = [[name, *(tally(counts[name], signal) for signal in signals)] for name in sorted(counts)]
        return table(["component", *signals], rows)

    def exporters(self):
        routes = {(route.transport, route.compression): route.name for route in EXPORTS}
        transports = [*dict.fromkeys(transport for transport, _ in routes)]

        def cell(*way):
            return self.cells("gateway", "grpc", "none", routes[way]) if way in routes else "—"

        compressions = dict.fromkeys(compression for _, compression in routes)
        rows = [[name, *(cell(transport, name) for transport in transports)] for name in compressions]
        return table(["compression", *transports], rows)

    def own(self):
        """A row for each way out of the gateway."""
        prefix = "own telemetry, "
        named = [(what, verdict) for run, what, verdict in self.all if run is None and what.startswith(prefix)]
        return table(["way", "result"], [[what.removeprefix(prefix), verdict] for what, verdict in named])

    def stored(self):
        """A row for the sender, a column for each signal."""
        prefix = f"{stored.RUN}, gateway killed: "
        named = {what.removeprefix(prefix): verdict for run, what, verdict in self.all if run is None and prefix in what}
        cells = (named.get(signal, "—") for signal in SIGNALS[:3])
        return table(["sender", "transport", *SIGNALS[:3]], [[stored.SENDER, stored.TRANSPORT, *cells]])

    def same(self):
        """A row for each program and transport."""
        prefix = f"{same.NAME}: "
        named = {what.removeprefix(prefix): verdict for run, what, verdict in self.all if run is None}
        doors = same.LIBRARIES[1:]
        rows = []
        for program, transport in itertools.product(same.PROGRAMS, same.TRANSPORTS):
            rows.append([program, transport, *(named.get(f"{door} {program} {transport}", "—") for door in doors)])
        return table(["program", "transport", "client", "its subscriber"], rows)

    def connections(self):
        """A row for each way to connect and transport, a column for each client and server."""
        rows = []
        for how, transport in dict.fromkeys((link.how, link.transport) for link in links.links()):
            cells = (self.cells("link", how, transport, *ends) for ends in links.ENDS)
            rows.append([how.name, transport, *cells])
        names = {"python": "Python", "gateway": "`otlp`", "collector": "Collector"}
        columns = [f"{names[client]} → {names[server]}" for client, server in links.ENDS]
        return table(["connection", "transport", *columns], rows)

    def refusals(self):
        rows = []
        for client, kib in dict.fromkeys((each.client, each.kib) for each in refusals.refusals()):
            cells = (self.cells("refusal", client, kib, status) for status in refusals.KINDS)
            rows.append([client.name, f"{kib} KiB", *cells])
        return table(["client", "body", *map(str, refusals.KINDS)], rows)


def tally(counts, signal):
    """The verdicts on a signal, of counts by signal and verdict."""
    return ", ".join(f"{each} {counts[signal, each]}" for each in VERDICTS if counts[signal, each]) or "—"


def table(head, rows):
    """Columns as wide as they need to be."""
    rows = [head, ["---"] * len(head), *rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths))} |" for row in rows)
