"""The gateway and the Collector as processes: started, awaited, ended; only those started here."""

import os
import signal
import socket
import subprocess
import time

READY_SECONDS = 20
STOP_SECONDS = 20


class Peer:
    """A server process, its output in a file. `environment` is added to ours."""

    def __init__(self, name, command, log, environment=None):
        self.name, self.log = name, log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command,
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def ready(self, endpoints):
        """Waits until all endpoints accept connections."""
        until = time.monotonic() + READY_SECONDS
        for endpoint in endpoints:
            while not accepts(endpoint):
                if self.process.poll() is not None:
                    raise PeerError(f"{self.name} ended with {self.process.returncode}\n{self.tail()}")
                if time.monotonic() > until:
                    raise PeerError(f"{self.name} does not listen on {endpoint}\n{self.tail()}")
                time.sleep(0.02)

    def drain(self):
        """Asks it to end and returns its exit code; None if it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tail(self):
        """The end of what it said."""
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(f"    | {line[:400]}" for line in lines)


class PeerError(Exception):
    """A peer could not be built or did not start."""


def accepts(endpoint):
    """Whether somebody listens on `host:port` or on the path of a Unix socket."""
    try:
        if endpoint.startswith("/"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(endpoint)
        else:
            host, port = endpoint.rsplit(":", 1)
            socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False
