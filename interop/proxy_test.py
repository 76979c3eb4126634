"""The proxy does what it is asked for, and remembers it."""

import base64
import http.client
import http.server
import threading
import unittest

from proxy import SECRET_HEADER, Asked, Proxy

USER = "user:p@ss:word"
AUTHORIZATION = {"Proxy-Authorization": "Basic " + base64.b64encode(USER.encode()).decode()}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the body it got and the credentials that were not for it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        body += self.headers.get("proxy-authorization", "").encode()
        self.send_response(202)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Proxying(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.target = f"proxied.test:{self.server.server_address[1]}"
        self.asked = set()
        self.proxy = Proxy("p", self.asked, USER)
        self.connection = http.client.HTTPConnection(self.proxy.endpoint, timeout=10)

    def tearDown(self):
        self.connection.close()
        self.proxy.close()
        self.server.shutdown()
        self.server.server_close()

    def answer(self):
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def test_a_request_is_forwarded_without_the_credentials(self):
        for _ in range(2):
            self.connection.request("POST", f"http://{self.target}/path", b"body", AUTHORIZATION)
            self.assertEqual(self.answer(), (202, b"body"))
        self.assertEqual(self.asked, {Asked("p", "POST", self.target, USER)})

    def test_a_tunnel_leads_to_the_port(self):
        self.connection.set_tunnel(self.target, headers=AUTHORIZATION)
        self.connection.request("POST", "/path", b"body")
        self.assertEqual(self.answer(), (202, b"body"))
        self.assertEqual(self.asked, {Asked("p", "CONNECT", self.target, USER)})

    def test_wrong_credentials_are_refused(self):
        self.connection.request("POST", f"http://{self.target}/path", b"body")
        self.assertEqual(self.answer()[0], 407)
        self.assertEqual(self.asked, {Asked("p", "POST", self.target, "")})

    def test_a_secret_in_a_connect_request_is_noticed(self):
        self.connection.set_tunnel(self.target, headers=AUTHORIZATION | {SECRET_HEADER: "x"})
        self.connection.request("POST", "/path", b"body")
        self.assertEqual(self.answer()[0], 202)
        self.assertEqual(self.asked, {Asked("p", "CONNECT", self.target, USER, exposed=True)})

    def test_the_url_is_encoded(self):
        self.assertEqual(self.proxy.url, f"http://user:p%40ss%3Aword@{self.proxy.endpoint}")


if __name__ == "__main__":
    unittest.main()
