"""A refusal is ok only if the client read its status every time."""

import collections
import unittest

from refusals import CLIENTS, TIMES, judged, refusals
from toolchains import Missing


class Judging(unittest.TestCase):
    def test_one_lost_status_is_a_failure(self):
        for refusal in refusals():
            expected = refusal.expected()
            self.assertEqual(judged(refusal, collections.Counter({expected: TIMES})), ("ok", ""))
            self.assertEqual(judged(refusal, collections.Counter({expected: TIMES - 1}))[0], "FAIL")
            lost = collections.Counter({expected: TIMES - 1, "BrokenPipeError": 1})
            self.assertEqual(judged(refusal, lost), ("FAIL", f"{TIMES - 1} × {expected}, 1 × BrokenPipeError"))

    def test_a_client_that_is_not_there_is_skipped(self):
        self.assertEqual(judged(refusals()[0], Missing("no `curl`")), ("SKIP", "no `curl`"))

    def test_every_client_is_refused_in_every_way_it_can_be(self):
        statuses = {client.name: set() for client in CLIENTS}
        for refusal in refusals():
            statuses[refusal.client.name].add(refusal.status)
        self.assertEqual(statuses.pop("grpcio"), {401, 404, 413})
        self.assertEqual(set(map(frozenset, statuses.values())), {frozenset({401, 404, 413, 415})})


if __name__ == "__main__":
    unittest.main()
