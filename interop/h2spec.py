"""h2spec, the conformance test of HTTP/2 servers, against the gateway and, to compare, the Collector.

It asks for `GET /`, which is no gRPC call: the answer is a status and a line of text. A case that the gateway fails and
the Collector passes is a failure.
"""

import concurrent.futures
import dataclasses
import subprocess
import xml.etree.ElementTree

from processes import PeerError

SECONDS = 300
# Whether a wrong frame is noticed depends on whether it comes before the answer to `GET /` is on its way. What the
# gateway fails is tried again with both, so that chance excuses neither.
RETRIES = 2
# The largest frame that the gateway takes is of 1 MiB, the HTTP/2 default is 16 KiB: a HEADERS frame over it needs
# longer headers (bytes each) than h2spec's own.
LONG_HEADER_BYTES = "250000"
FRAME_SIZE = ("http2/4.2",)


@dataclasses.dataclass(frozen=True)
class Case:
    section: str
    name: str


@dataclasses.dataclass
class Verdicts:
    """Of every case of one server: `ok`, `skip`, or what was wrong."""

    cases: dict

    def count(self, said):
        return sum(1 for each in self.cases.values() if each == said)

    @property
    def failed(self):
        return {case: said for case, said in self.cases.items() if said not in ("ok", "skip")}

    def summary(self):
        return f"{self.count('ok')} passed, {self.count('skip')} skipped, {len(self.failed)} failed"


def compare(program, directory, gateway, collector):
    """(verdicts of the gateway, verdicts of the Collector), each tried at a `configs.Receiver`."""

    def of_gateway():
        long_headers = ("--max-header-length", LONG_HEADER_BYTES)
        cases = tried(program, directory / "h2spec-gateway.xml", gateway.grpc)
        return cases | tried(program, directory / "h2spec-frames.xml", gateway.grpc, *long_headers, *FRAME_SIZE)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = [
            (pool.submit(of_gateway), gateway),
            (pool.submit(tried, program, directory / "h2spec-collector.xml", collector.grpc), collector),
        ]
        both = [(Verdicts(cases.result()), receiver) for cases, receiver in both]
    for _ in range(RETRIES):
        if again := sorted({case.section for case in both[0][0].failed}):
            for verdicts, receiver in both:
                retried = tried(program, directory / "h2spec-again.xml", receiver.grpc, *again)
                verdicts.cases |= {case: said for case, said in retried.items() if said == "ok"}
    return both[0][0], both[1][0]


def tried(program, report, endpoint, *options):
    """Case → verdict."""
    host, port = endpoint.rsplit(":", 1)
    command = [program, "--host", host, "--port", port, "--junit-report", str(report), *options]
    report.unlink(missing_ok=True)
    try:
        # Its exit code says only that a case failed.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise PeerError(f"h2spec: not done after {SECONDS} s") from None
    if not report.exists():
        raise PeerError(f"h2spec: {(done.stdout + done.stderr)[-1000:]}")
    return parse(report.read_text())


def parse(report):
    """Case → verdict of a JUnit report."""
    cases = {}
    for case in xml.etree.ElementTree.fromstring(report).iter("testcase"):
        said = "ok"
        for child in case:
            said = "skip" if child.tag == "skipped" else "; ".join((child.text or "no reason given").split("\n"))
        cases[Case(case.get("package"), case.get("classname"))] = said
    return cases


def verdicts(ours, theirs):
    """Yields (None, what, verdict, note): for each server, then for every case that the gateway fails."""
    yield None, f"h2spec: the gateway {ours.summary()}", "ok", ""
    yield None, f"h2spec: the Collector {theirs.summary()}", "ok", ""
    for case, said in ours.failed.items():
        shared = case in theirs.failed
        who = "both fail" if shared else "the gateway alone fails"
        yield None, f"h2spec: {who} {case.section}, {case.name!r}", "ok" if shared else "FAIL", said
