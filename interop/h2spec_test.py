"""The comparison of h2spec's reports notices what only the gateway fails."""

import unittest

import h2spec

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="4.2. Frame Size" package="http2/4.2" id="4.2" tests="3" skipped="1" failures="0" errors="1">
    <testcase package="http2/4.2" classname="one" time="0.0005"></testcase>
    <testcase package="http2/4.2" classname="two" time="0.0005"><error>GOAWAY
HEADERS</error></testcase>
    <testcase package="http2/4.2" classname="three" time="0.0005"><skipped></skipped></testcase>
  </testsuite>
</testsuites>"""


def verdicts(ours, theirs):
    """Verdict of each case that `ours` fails; a server is case → verdict."""
    servers = [{h2spec.Case("s", name): said for name, said in cases.items()} for cases in (ours, theirs)]
    _ours, _theirs, *cases = h2spec.verdicts(*map(h2spec.Verdicts, servers))
    return [verdict for _, _, verdict, _ in cases]


class Reports(unittest.TestCase):
    def test_a_report_is_read(self):
        cases = h2spec.parse(REPORT)
        self.assertEqual([case.name for case in cases], ["one", "two", "three"])
        self.assertEqual(list(cases.values()), ["ok", "GOAWAY; HEADERS", "skip"])
        read = h2spec.Verdicts(cases)
        self.assertEqual(read.summary(), "1 passed, 1 skipped, 1 failed")

    def test_only_what_the_collector_passes_is_a_failure(self):
        self.assertEqual(verdicts({"a": "wrong"}, {"a": "ok"}), ["FAIL"])
        self.assertEqual(verdicts({"a": "wrong"}, {"a": "skip"}), ["FAIL"])
        self.assertEqual(verdicts({"a": "wrong"}, {"a": "wrong as well"}), ["ok"])
        self.assertEqual(verdicts({"a": "ok"}, {"a": "wrong"}), [])


if __name__ == "__main__":
    unittest.main()
