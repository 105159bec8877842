"""Prometheus metrics of one `flask serve`: what its processes counted, and the numbers of the whole portal.

Served on a port of their own, for this machine alone. What is counted here adds up over machines.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session as DbSession

from portal.health import numbers
from portal.health.counts import HERE
from portal.health.disk import Disks
from portal.health.numbers import Gauge
from portal.health.readiness import look
from portal.instance import Instance

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DATAGRAM_BYTES = 1024
BUFFER_BYTES = 4 * 1024 * 1024
LABEL_AT_MOST = 80

log = structlog.get_logger("metrics")

Sessions = Callable[[], DbSession]


class Meter:
    """Adds up what the processes send, and answers Prometheus. `port`: where they send it."""

    def __init__(self) -> None:
        self.counted = CollectorRegistry()
        # One of its own: the library's is the whole process's, and two of these would share it.
        own: dict[str, Any] = {"registry": self.counted}
        self._requests = Counter("portal_requests", "Requests answered", ["route", "method", "status"], **own)
        self._seconds = Histogram(
            "portal_request_seconds", "How long answers took", ["route"], buckets=BUCKETS, **own
        )
        self._jobs = Counter("portal_jobs", "Jobs of workers", ["job", "outcome"], **own)
        self._job_seconds = Counter("portal_job_seconds", "How long jobs took", ["job"], **own)
        self._restarts = Counter(
            "portal_restarts", "Processes that died and were started again", ["kind"], **own
        )
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._wire.bind((HERE, 0))
        self.port: int = self._wire.getsockname()[1]

    def start(self, port: int, state: Collector) -> None:
        """Listen, and serve on `port` what was counted and `state`. Raises OSError where the port is taken."""
        self.counted.register(state)
        start_http_server(port, HERE, self.counted)
        threading.Thread(target=self._listen, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._wire.close()

    def restarted(self, kind: str) -> None:
        """A process of this kind died: `pages` or `worker`."""
        self._restarts.labels(kind).inc()

    def _listen(self) -> None:
        while True:
            self._take(self._wire.recv(DATAGRAM_BYTES))

    def _take(self, datagram: bytes) -> None:
        try:
            match json.loads(datagram):
                case ["request", str(route), str(method), int(status), float(seconds)]:
                    self._requests.labels(route[:LABEL_AT_MOST], method[:LABEL_AT_MOST], str(status)).inc()
                    self._seconds.labels(route[:LABEL_AT_MOST]).observe(seconds)
                case ["job", str(name), str(outcome), float(seconds)]:
                    self._jobs.labels(name[:LABEL_AT_MOST], outcome[:LABEL_AT_MOST]).inc()
                    self._job_seconds.labels(name[:LABEL_AT_MOST]).inc(seconds)
        except ValueError:
            # Whoever sent this is none of ours.
            return


class State(Collector):
    """The numbers of the portal, read when they are asked for. What cannot be read is left out."""

    def __init__(self, instance: Instance, sessions: Sessions, disks: Disks) -> None:
        self._instance = instance
        self._sessions = sessions
        self._disks = disks

    def describe(self) -> list[Any]:
        """Nothing: else the registry would ask the database when this is registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self._gauges():
            labels = [gauge.label] if gauge.label is not None else []
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=labels)
            for value_of_label, value in gauge.values.items():
                family.add_metric([value_of_label] if labels else [], value)
            yield family

    def _gauges(self) -> Iterator[Gauge]:
        parts = look(self._instance, self._sessions, self._disks)
        ready = {part.name: float(part.trouble is None) for part in parts}
        yield Gauge("portal_ready", "1 for each part that works", ready, "part")
        disks = list(self._disks.free())
        yield Gauge("portal_disk_free_bytes", "Room that is left", {one[0]: one[1] for one in disks}, "disk")
        yield Gauge("portal_disk_bytes", "Room in all", {one[0]: one[2] for one in disks}, "disk")
        try:
            with self._sessions() as db:
                found = list(numbers.read(db, now=self._instance.clock()))
        except Exception as error:
            log.warning("metrics.unread", exc_info=error)
        else:
            yield from found
