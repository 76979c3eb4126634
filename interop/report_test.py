"""The page has a place for every run, and no more."""

import re
import unittest

import report
from cells import SIGNALS, runs
from links import links
from refusals import refusals


class Page(unittest.TestCase):
    def test_every_run_is_a_cell(self):
        results = report.Results(in_ci=False)
        results.add = lambda *result: results.all.append(result)
        for run in [*runs(), *links()]:
            for signal in run.signals:
                results.add(run, signal, "ok")
        for refusal in refusals():
            results.add(refusal, refusal.size, "ok")
        shown = re.findall(r"ok (\d)", results.page())
        self.assertEqual(sum(map(int, shown)), results.count("ok"))

    def test_a_failure_shows_in_its_cell(self):
        results = report.Results(in_ci=False)
        run = next(run for run in runs() if run.signals == SIGNALS)
        results.all = [(run, signal, "FAIL" if signal == "logs" else "ok") for signal in SIGNALS]
        self.assertEqual(results.cells(run.sender, run.transport, run.compression, run.route.name), "ok 3, FAIL 1")

    def test_names_are_of_one_run_each(self):
        named = [*runs(), *links(), *refusals()]
        self.assertEqual(len({each.id for each in named}), len(named))
        self.assertEqual(len({each.key for each in named}), len(named))
        self.assertEqual([run.id for run in runs("rust http/json zstd json")], ["rust http/json zstd json"])


if __name__ == "__main__":
    unittest.main()
