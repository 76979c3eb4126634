"""The comparison of two libraries notices what it is there to notice."""

import json
import pathlib
import tempfile
import unittest

import deviations
from items import Items, differences

PERIOD = (1_000, 2_000)
TRACE, SPAN = "0a" * 16, "0b" * 8


def envelope(signal, scopes, entries, *items):
    resource = {"attributes": [{"key": "interop.run", "value": {"stringValue": "test"}}]}
    return {signal: [{"resource": resource, scopes: [{"scope": {"name": "scope"}, entries: list(items)}]}]}


def spans(*spans):
    return envelope("resourceSpans", "scopeSpans", "spans", *spans)


def logs(*logs):
    return envelope("resourceLogs", "scopeLogs", "logRecords", *logs)


def points(*points):
    return envelope("resourceMetrics", "scopeMetrics", "metrics", {"name": "m", "gauge": {"dataPoints": list(points)}})


def attribute(key, **value):
    return {"key": key, "value": value}


class Comparison(unittest.TestCase):
    def items(self, *requests):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "arrived.json"
            path.write_text("".join(json.dumps(request) + "\n" for request in requests))
            return Items(path, "test", PERIOD)

    def compare(self, left, right):
        return differences(self.items(*left), self.items(*right))

    def test_ids_and_times_of_the_run_are_the_same(self):
        def made(trace, span, time):
            log = {"traceId": trace, "spanId": span, "body": {"stringValue": "l"}, "timeUnixNano": time}
            return spans({"name": "s", "traceId": trace, "spanId": span, "startTimeUnixNano": time}), logs(log)

        one = made(TRACE, SPAN, "1500")
        self.assertEqual(self.compare(one, made("0c" * 16, "0d" * 8, "1600")), [])
        self.assertEqual(
            self.compare(one, made("0c" * 16, "0d" * 8, "1500000")),
            ["log (all): timeUnixNano: now -> 1500000", "span (all): startTimeUnixNano: now -> 1500000"],
        )
        # A log record of another span, and of none.
        first, second = ({"name": name, "spanId": id, "traceId": TRACE} for name, id in (("s", SPAN), ("t", "0e" * 8)))
        of = [spans(first, second), logs({"spanId": SPAN, "eventName": "e"})]
        other = [spans(first, second), logs({"spanId": "0e" * 8, "eventName": "e"})]
        self.assertEqual(self.compare(of, other), ["log (all): spanId: span 's' -> span 't'"])

    def test_every_field_counts(self):
        span = {"name": "s", "attributes": [attribute("a", intValue="1"), attribute("b", boolValue=True)]}
        turned = {"name": "s", "attributes": span["attributes"][::-1]}
        self.assertEqual(self.compare([spans(span)], [spans(turned)]), [])
        changed = {"name": "s", "attributes": [attribute("a", stringValue="1"), *span["attributes"]], "flags": 1}
        self.assertEqual(
            self.compare([spans(span)], [spans(changed)]),
            [
                'span (all): attributes.a: {"intValue": "1"} -> {"stringValue": "1"}',
                'span (all): attributes.a again: none -> {"intValue": "1"}',
                "span (all): flags: none -> 1",
            ],
        )

    def test_items_that_are_missing_or_doubled_are_seen(self):
        one, two = {"name": "one"}, {"name": "two"}
        self.assertEqual(self.compare([spans(one, two)], [spans(one)]), ["span (two): item: there -> none"])
        self.assertEqual(self.compare([spans(one)], [spans(one, one)]), ["span (one again): item: none -> there"])

    def test_starts_are_those_of_the_metric_or_a_collection(self):
        def made(*starts):
            times = zip(starts, range(1_100, 2_000, 100))
            return [points({"startTimeUnixNano": str(start), "timeUnixNano": str(time)}) for start, time in times]

        self.assertEqual(self.compare(made(1_000, 1_000), made(1_050, 1_050)), [])
        self.assertEqual(
            self.compare(made(1_000, 1_000), made(1_050, 1_100)),
            ["point (m, collection 2): startTimeUnixNano: start 1 now -> collection 1 now"],
        )
        self.assertEqual(
            self.compare(made(1_000, 1_000), made(1_000, 1_001)),
            ["point (m, collection 2): startTimeUnixNano: start 1 now -> start 2 now"],
        )

    def test_a_deviation_has_one_reason(self):
        for program in ("by-hand", "delta", "tracing"):
            lines = deviations.of(program)
            self.assertEqual(len(set(lines)), len(lines))


if __name__ == "__main__":
    unittest.main()
