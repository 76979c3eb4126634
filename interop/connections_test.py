"""What counts as a fault of a connection, and what a proxy has to be asked for."""

import collections
import unittest

import connections
import links
from proxy import Asked


class Came:
    """Stands for `arrivals.Arrivals`: each link and signal has these items."""

    def __init__(self, *items):
        self.items = collections.defaultdict(lambda: collections.Counter(items))

    def total(self, run, signal):
        return self.items[run, signal].total()

    def example(self, digests):
        return str(digests)


def link(how, transport="grpc"):
    return links.Link(how, transport, "gateway", "collector")


class Faults(unittest.TestCase):
    def fault(self, how, outcome, direct, via):
        return connections.fault(link(how), "traces", outcome, direct, via)

    def test_each_item_arrives_once(self):
        for arrived, ok in ((("a", "b"), True), (("a",), False), (("a", "b", "b"), False), ((), False)):
            fault = self.fault(links.SERVER, None, Came("a", "b"), Came(*arrived))
            self.assertEqual(fault is None, ok, arrived)

    def test_what_the_sender_says_is_a_fault(self):
        self.assertEqual(self.fault(links.SERVER, "the sender said: no", Came("a"), Came("a")), "the sender said: no")

    def test_a_refused_connection_is_refused_and_brings_nothing(self):
        self.assertIsNone(self.fault(links.OTHER_SERVER, "the sender said: no", Came(), Came()))
        self.assertIsNotNone(self.fault(links.OTHER_SERVER, None, Came(), Came()))
        self.assertIsNotNone(self.fault(links.OTHER_SERVER, "the sender said: no", Came(), Came("a")))


class Proxying(unittest.TestCase):
    def asked(self, how, transport):
        return {(asked.proxy, asked.method, asked.target) for asked in link(how, transport).asked(1)}

    def test_each_kind_of_request_goes_its_way(self):
        target = "proxied.test:1"
        for how, transport, *expected in (
            (links.HTTP_PROXY, "grpc", "HTTPS_PROXY", "CONNECT"),
            (links.HTTPS_PROXY, "grpc", "HTTPS_PROXY", "CONNECT"),
            (links.HTTP_PROXY, "http/protobuf", "HTTP_PROXY", "POST"),
            (links.HTTPS_PROXY, "http/protobuf", "HTTPS_PROXY", "CONNECT"),
            (links.PROXY_URL, "http/protobuf", "proxy_url", "POST"),
            (links.PROXY_URL_TLS, "http/protobuf", "proxy_url", "CONNECT"),
        ):
            self.assertEqual(self.asked(how, transport), {(*expected, target)}, (how.name, transport))
        for how in (links.LOOPBACK, links.NO_PROXY, links.SERVER):
            self.assertEqual(self.asked(how, "http/protobuf"), set())

    def test_every_difference_is_a_fault(self):
        right = Asked("p", "CONNECT", "proxied.test:1", "user:password")
        self.assertIsNone(connections.fault_of_proxy({right}, {right}))
        for asked in (set(), {right, Asked("q", "CONNECT", "proxied.test:1", "user:password")}):
            self.assertIsNotNone(connections.fault_of_proxy({right}, asked))
        exposed = Asked("p", "CONNECT", "proxied.test:1", "user:password", exposed=True)
        self.assertIsNotNone(connections.fault_of_proxy({right}, {exposed}))


if __name__ == "__main__":
    unittest.main()
