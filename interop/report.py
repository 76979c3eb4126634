"""The results as lines and as a table."""

import collections

from cells import ROUTES

PAGE = """# Interop

Made by `interop/run --write`. Official SDKs and the OpenTelemetry Collector send through `otlp` to the Collector, and
the same batches straight to it; a cell is ok when the same multiset of items arrived both ways: every item once, with
its resource, scope, schema URLs and attributes exactly as sent. Columns are the ways through the gateway: its exporter,
and whether it queues and merges batches of several senders (`-merge`), queues and cuts them to 30 items (`-cut`), or
lets the sender wait for the Collector's answer.

{table}

{summary}

Versions: OpenTelemetry Go SDK 1.47.0, Python SDK 1.45.2, Collector 0.161.0 (as sender and as receiver). `file` is a
profiles request in protobuf, since no SDK sends profiles yet.
"""


class Results:
    """All verdicts, in order; each is printed as it is known."""

    def __init__(self, in_ci):
        self.in_ci = in_ci
        self.all = []

    def add(self, run, what, verdict, note):
        # A toolchain that CI lacks is a mistake of CI, not of the machine.
        verdict = "FAIL" if verdict == "SKIP" and self.in_ci else verdict
        self.all.append((run, what, verdict))
        name = f"{run.sender:9} {run.transport:13} {run.compression:4} → {run.route.name:10} {what:8}" if run else what
        print(f"{verdict:4} {name} {note}".rstrip(), flush=True)

    def count(self, verdict):
        return sum(1 for _, _, each in self.all if each == verdict)

    def summary(self):
        return f"{self.count('ok')} ok, {self.count('FAIL')} failed, {self.count('SKIP')} skipped"

    def table(self):
        """Senders down, routes across; a cell counts its signals."""
        cells = collections.defaultdict(list)
        for run, _, verdict in self.all:
            if run:
                cells[(run.sender, run.transport, run.compression), run.route].append(verdict)
        rows = [["sender", "transport", "encoding", *(route.name for route in ROUTES)]]
        rows.append(["---"] * len(rows[0]))
        for key in dict.fromkeys(key for key, _ in cells):
            rows.append([*key, *(tally(cells.get((key, route), [])) for route in ROUTES)])
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join(
            f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths))} |" for row in rows
        )

    def page(self):
        return PAGE.format(table=self.table(), summary=self.summary() + ".")


def tally(verdicts):
    """`ok 3` when all three signals are, else how many are what."""
    counts = collections.Counter(verdicts)
    return ", ".join(f"{verdict} {count}" for verdict, count in counts.items()) or "—"
