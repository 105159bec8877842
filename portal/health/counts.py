"""Events that are counted, sent by each process to the one that all of them belong to, which adds them up.

One small datagram each, over this machine alone: what was sent is counted even if the process is killed a moment
later, and nothing is kept on a disk that may be full. If nobody listens nothing is lost but the count: no page waits.
"""

import json
import socket

HERE = "127.0.0.1"


class Counts:
    """Where this process sends what it counts; nowhere, if nobody collects."""

    def __init__(self, port: int | None) -> None:
        self._wire: socket.socket | None = None
        if port is not None:
            self.send_to(port)

    def send_to(self, port: int) -> None:
        """Send it there from now on."""
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.setblocking(False)
        self._wire.connect((HERE, port))

    def request(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """A request that was answered."""
        self._send("request", route, method, status, seconds)

    def job(self, *, name: str, outcome: str, seconds: float) -> None:
        """A job of a worker: `done`, or why it was not."""
        self._send("job", name, outcome, seconds)

    def close(self) -> None:
        """Send nothing any more."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _send(self, *told: str | int | float) -> None:
        if self._wire is None:
            return
        try:
            self._wire.send(json.dumps(told).encode())
        except OSError:
            # Nobody listens, or too much came at once: pages do not wait for those who count them.
            return
