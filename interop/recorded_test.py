"""What is written short is read as it was."""

import pathlib
import tempfile
import unittest

import recorded


class Recorded(unittest.TestCase):
    REQUEST = {"spans": [{"name": "a", "kind": 2.0, "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}, {"name": "b", "kind": 2.0}]}

    def test_what_changed_is_said_and_the_rest_is_a_number(self):
        form = recorded.Recorded(self.REQUEST)
        changed = {"spans": [{"name": "b", "traceState": "ot=th:8", "kind": 2.0}, {"kind": 2.0, "name": "a"}, self.REQUEST["spans"][0]]}
        short = form.short(changed)
        self.assertEqual(short, {"spans": [{"=": 1, "traceState": "ot=th:8"}, {"=": 0, "-": ["attributes"]}, 0]})
        self.assertEqual(form.whole(short), changed)
        self.assertEqual(form.short(self.REQUEST), 0)

    def test_a_file_is_read_as_it_was_written(self):
        requests = {("traces", "corpus"): recorded.Recorded(self.REQUEST)}
        outcomes = {("otlp/half", "traces", "corpus"): {"status": 200, "arrived": {"half": [self.REQUEST, {"spans": [{"name": "c\u2028"}]}]}}}
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "collector.jsonl"
            recorded.write(file, outcomes, requests)
            self.assertEqual(recorded.read(file, requests), outcomes)
            recorded.write(file, {}, requests)
            self.assertEqual(recorded.read(file, requests), {})


if __name__ == "__main__":
    unittest.main()
