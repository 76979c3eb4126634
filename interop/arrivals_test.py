"""The comparison notices what it is there to notice."""

import copy
import json
import pathlib
import tempfile
import unittest

import arrivals

RUN = "a run"


def resource(*attributes):
    run = {"key": arrivals.RUN_ATTRIBUTE, "value": {"stringValue": RUN}}
    return {"attributes": [run, *attributes]}


def spans(*names):
    entries = [{"name": name, "attributes": [{"key": "k", "value": {"intValue": "1"}}]} for name in names]
    return {"resourceSpans": [{"resource": resource(), "scopeSpans": [{"scope": {"name": "s"}, "spans": entries}]}]}


def points(*values):
    gauge = {"name": "m", "unit": "By", "gauge": {"dataPoints": [{"asInt": value} for value in values]}}
    return {"resourceMetrics": [{"resource": resource(), "scopeMetrics": [{"metrics": [gauge]}]}]}


def profiles(strings, key, stack):
    profile = {"samples": [{"stackIndex": stack}]}
    attributes = {"keyStrindex": key, "value": {"stringValue": "x"}}
    return {
        "resourceProfiles": [{"resource": resource(attributes), "scopeProfiles": [{"profiles": [profile]}]}],
        "dictionary": {"stringTable": strings, "stackTable": [{}, {"locationIndices": [0]}], "locationTable": [{"address": "7"}]},
    }


class Difference(unittest.TestCase):
    def compare(self, signal, expected, arrived):
        """What is wrong with these requests."""
        with tempfile.TemporaryDirectory() as directory:
            files = [pathlib.Path(directory) / name for name in ("expected", "arrived")]
            for file, requests in zip(files, (expected, arrived)):
                file.write_text("\n".join(json.dumps(request) for request in requests))
            return arrivals.difference(*(arrivals.Arrivals(file) for file in files), RUN, signal)

    def test_merged_and_split_requests_are_the_same_items(self):
        self.assertIsNone(self.compare("traces", [spans("a", "b"), spans("c")], [spans("c", "a"), spans("b")]))
        self.assertIsNone(self.compare("metrics", [points("1", "2")], [points("2"), points("1")]))

    def test_an_item_missing(self):
        self.assertIn("1 of 2 items missing, 0", self.compare("traces", [spans("a", "b")], [spans("a")]))
        self.assertIn("1 of 2 items missing, 0", self.compare("metrics", [points("1", "2")], [points("2")]))

    def test_an_item_twice(self):
        self.assertIn("0 of 1 items missing, 1", self.compare("traces", [spans("a")], [spans("a"), spans("a")]))

    def test_nothing_sent_proves_nothing(self):
        self.assertIn("nothing", self.compare("logs", [], []))

    def test_an_altered_attribute_resource_or_scope(self):
        def altered(change):
            request = copy.deepcopy(spans("a"))
            change(request["resourceSpans"][0])
            return self.compare("traces", [spans("a")], [request])

        wrong = "1 of 1 items missing, 1 doubled or altered"
        self.assertIn(wrong, altered(lambda r: r["scopeSpans"][0]["spans"][0]["attributes"][0].update(key="K")))
        self.assertIn(wrong, altered(lambda r: r["scopeSpans"][0]["scope"].update(version="1")))
        self.assertIn(wrong, altered(lambda r: r["scopeSpans"][0].update(schemaUrl="u")))
        self.assertIn(wrong, altered(lambda r: r["resource"]["attributes"].append({"key": "new"})))

    def test_profiles_are_compared_by_what_they_refer_to(self):
        one = profiles(["", "key"], 1, 1)
        self.assertIsNone(self.compare("profiles", [one], [profiles(["", "other", "key"], 2, 1)]))
        self.assertIsNotNone(self.compare("profiles", [one], [profiles(["", "kez"], 1, 1)]))
        self.assertIsNotNone(self.compare("profiles", [one], [profiles(["", "key"], 1, 0)]))


if __name__ == "__main__":
    unittest.main()
