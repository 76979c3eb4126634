"""An OTLP/HTTP server that keeps what it is sent, by the path it came to."""

import collections
import http.server
import threading

import configs


class Sink:
    """Listens from the start until `close`."""

    def __init__(self):
        (self.endpoint,) = configs.free_endpoints(1)
        host, port = self.endpoint.rsplit(":", 1)
        self.bodies = collections.defaultdict(list)
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # An answer in one piece, without waiting for the acknowledgement of the one before.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                with lock:
                    self.bodies[handler.path].append(body)
                kind = handler.headers["content-type"]
                answer = b"{}" if kind == "application/json" else b""
                handler.send_response(200)
                handler.send_header("content-type", kind)
                handler.send_header("content-length", str(len(answer)))
                handler.end_headers()
                handler.wfile.write(answer)

            def log_message(handler, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            # All exporters connect at once.
            request_queue_size = 512
            daemon_threads = True

        self.server = Server((host, int(port)), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        """What came since the last time: path → bodies."""
        bodies, self.bodies = self.bodies, collections.defaultdict(list)
        return bodies

    def close(self):
        self.server.shutdown()
        self.server.server_close()
