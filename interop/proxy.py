"""An HTTP proxy on this machine that remembers what it was asked for. Every host name leads to this machine."""

import base64
import dataclasses
import http.client
import http.server
import select
import socket
import threading
import urllib.parse

import configs

BUFFER_BYTES = 1 << 16
SECONDS = 30
# Sent by the exporters to the destination. A proxy that only makes a tunnel must not see it.
SECRET_HEADER = "x-secret"
# Of one hop, so not passed on.
HOP_HEADERS = {"connection", "keep-alive", "proxy-authorization", "proxy-connection", "transfer-encoding"}


@dataclasses.dataclass(frozen=True)
class Asked:
    """One request to a proxy."""

    proxy: str  # the proxy's name
    method: str
    target: str  # host:port
    credentials: str  # user:password
    exposed: bool = False  # whether a CONNECT request carried SECRET_HEADER


class Proxy:
    """Listens from the start until `close`. `asked` is a set of `Asked` that several proxies may share."""

    def __init__(self, name, asked, credentials):
        (self.endpoint,) = configs.free_endpoints(1)
        self.name, self.credentials = name, credentials

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = SECONDS

            def do_CONNECT(handler):
                if handler.remembered(handler.path, SECRET_HEADER in handler.headers):
                    handler.tunnel()

            def do_POST(handler):
                url = urllib.parse.urlsplit(handler.path)
                if handler.remembered(url.netloc, False):
                    handler.forward(url)

            def remembered(handler, target, exposed):
                """Notes the request. Without the right credentials it is refused."""
                kind, _, encoded = handler.headers.get("proxy-authorization", "").partition(" ")
                given = base64.b64decode(encoded).decode() if kind == "Basic" else ""
                asked.add(Asked(name, handler.command, target, given, exposed))
                if given != credentials:
                    handler.send_error(407)
                return given == credentials

            def tunnel(handler):
                try:
                    server = connected(handler.path)
                except OSError:
                    return handler.send_error(502)
                with server:
                    handler.send_response(200, "Connection established")
                    handler.end_headers()
                    handler.wfile.flush()
                    relay(handler.connection, server)
                handler.close_connection = True

            def forward(handler, url):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                headers = {key: value for key, value in handler.headers.items() if key.lower() not in HOP_HEADERS}
                connection = http.client.HTTPConnection(configs.HOST, url.port, timeout=SECONDS)
                try:
                    connection.request("POST", url.path, body, headers)
                    answer = connection.getresponse()
                    content = answer.read()
                finally:
                    connection.close()
                handler.send_response(answer.status)
                handler.send_header("content-type", answer.headers.get("content-type", ""))
                handler.send_header("content-length", str(len(content)))
                handler.end_headers()
                handler.wfile.write(content)

            def log_message(handler, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(server, *_):
                pass  # a connection that its client closed

        host, port = self.endpoint.rsplit(":", 1)
        self.server = Server((host, int(port)), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        """The proxy's URL with user and password, percent-encoded as URLs need it."""
        user, _, password = self.credentials.partition(":")
        return f"http://{urllib.parse.quote(user, '')}:{urllib.parse.quote(password, '')}@{self.endpoint}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def connected(target):
    """A connection to the port of `host:port` on this machine."""
    return socket.create_connection((configs.HOST, int(target.rsplit(":", 1)[1])), timeout=SECONDS)


def relay(one, other):
    """Copies both ways until either side ends."""
    others = {one: other, other: one}
    while ready := select.select([one, other], [], [], SECONDS)[0]:
        for source in ready:
            try:
                data = source.recv(BUFFER_BYTES)
                others[source].sendall(data)
            except OSError:
                return
            if not data:
                return
