"""The comparison of processors notices what it is there to notice."""

import json
import unittest

import differential
import json_cases


def request(*attributes, **span):
    span |= {"attributes": list(attributes)}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def attribute(key, **value):
    return {"key": key, "value": value}


class Comparison(unittest.TestCase):
    def same(self, one, other):
        return differential.normal(one) == differential.normal(other)

    def test_what_json_may_leave_out_makes_no_difference(self):
        self.assertTrue(self.same(request(), request(name="", kind=0, flags=None, links=[], status={})))
        self.assertFalse(self.same(request(), request(kind=1)))

    def test_empty_values_are_values(self):
        values = ({}, {"stringValue": ""}, {"intValue": "0"}, {"boolValue": False}, {"arrayValue": {}})
        requests = [request(attribute("k", **value)) for value in values]
        for number, one in enumerate(requests):
            for other in requests[number + 1 :]:
                self.assertFalse(self.same(one, other), (one, other))

    def test_attributes_have_no_order_but_are_as_many(self):
        a, b = attribute("a", stringValue="x"), attribute("b", intValue="1")
        self.assertTrue(self.same(request(a, b), request(b, a)))
        self.assertFalse(self.same(request(a), request(a, a)))
        self.assertFalse(self.same(request(a, b), request(a, attribute("b", stringValue="1"))))

    def test_expected_differences_are_of_some_attributes(self):
        one, other = (differential.normal(request(attribute("", intValue=each), attribute("k"))) for each in "12")
        self.assertNotEqual(one, other)
        self.assertEqual(differential.without(one, {""}), differential.without(other, {""}))
        self.assertNotEqual(differential.without(one, {"k"}), differential.without(other, {"k"}))


class Tables(unittest.TestCase):
    def test_differences_are_of_what_is_compared(self):
        self.assertLessEqual({*differential.DIFFERS, *differential.DIFFERS_FOR_METRICS}, {*differential.processors()})
        names = [name for name, _, _ in json_cases.cases()]
        self.assertEqual(len(names), len({*names}))
        self.assertLessEqual({name for *_, cases in json_cases.DIFFERS for name in cases}, {*names})

    def test_names_are_of_one_processor_each(self):
        text = differential.PROCESSORS.read_text()
        self.assertEqual(text.count("\n  attributes/") + text.count("\n  resource/"), len(differential.processors()))


if __name__ == "__main__":
    unittest.main()
