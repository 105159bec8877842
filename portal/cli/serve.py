"""`flask serve`: the pages, and beside them a worker (portal/cli/working.py)."""

import importlib
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Never

import click
from flask import current_app
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy.orm import Session as DbSession

from portal import logs
from portal.cli.base import fail, say, with_instance_if_open
from portal.cli.processes import GRACE_SECONDS, Companion, end_with
from portal.cli.serving import Server, hear_the_end
from portal.cli.single_file import in_single_file
from portal.db import db
from portal.health.counts import Counts
from portal.instance import Instance
from portal.settings import Settings
from privacy.clock import Clock, ticks
from privacy.key_sources import KeyDescriptor

ROOT = Path(__file__).resolve().parent.parent.parent
ADDRESS = "127.0.0.1"
BLOCKING_THREADS = 3
FREE_WITHIN_SECONDS = 3.0
"""Processes of a server that was killed hold its port a moment longer."""


@click.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), envvar="PORT", default=8000, show_default=True)
@with_instance_if_open
def serve(instance: Instance | None, port: int) -> None:
    """Serve the pages on this machine, with the worker beside them, until a signal ends both."""
    settings: Settings = current_app.extensions["settings"]
    logs.configure()
    _require_free(port)
    # The children open their own: a connection must not be shared between processes.
    db.session.remove()
    db.engine.dispose()
    if instance is not None:
        instance.vault.engine.dispose()
    os.environ["PORT"] = str(port)
    # Copies of this process do not read it there.
    settings = current_app.extensions["settings"] = settings.served_on(port, os.environ)
    if instance is not None:
        instance = current_app.extensions["instance"] = replace(instance, settings=settings)
    metrics = _Metrics(instance, settings, pages_port=port)

    def tell(words: str) -> None:
        metrics.died("worker")
        say(words)

    def then() -> None:
        metrics.start()
        companion.start()

    companion = Companion(
        [sys.executable, "-m", "flask", "--app", "wsgi:app", "worker", "--parent", str(os.getpid())],
        folder=ROOT,
        environ=partial(_environ, settings, current_app.extensions["clock"]),
        tell=tell,
    )
    environ = _environ(settings, current_app.extensions["clock"])
    os.environ.pop("PORTAL_KEYS_FD", None)
    os.environ.update(environ)
    server = Server(
        "wsgi:application",
        address=ADDRESS,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.processes,
        blocking_threads=BLOCKING_THREADS,
        workers_kill_timeout=GRACE_SECONDS,
        then=then,
        told=lambda code: metrics.died("pages"),
        log_level=LogLevels.warning,
        log_dictconfig=logs.SERVER,
    )
    server.on_reload(companion.renew)
    server.on_shutdown(companion.stop)
    click.echo(f"http://localhost:{port}")
    try:
        server.serve_app(partial(load_application, os.getpid()))
    finally:
        companion.stop()


class _Metrics:
    """Counts for Prometheus, on a port of their own; nothing where nobody asks for them."""

    def __init__(self, instance: Instance | None, settings: Settings, *, pages_port: int) -> None:
        """Takes what the processes send from the start, so that copies know where to send it."""
        self._port = settings.metrics_port if instance is not None else None
        if instance is None or self._port is None:
            return
        from portal.health.metering import Meter, State  # noqa: PLC0415 - costs every start where nobody asks for them

        if self._port == pages_port or not _is_free(self._port):
            self._refuse()
        self._meter = Meter()
        os.environ["PORTAL_COUNTS_TO"] = str(self._meter.port)
        counts: Counts = current_app.extensions["counts"]
        counts.send_to(self._meter.port)
        sessions = partial(DbSession, db.engine, info={"vault": instance.vault})
        self._state = State(instance, sessions, current_app.extensions["disks"])

    def start(self) -> None:
        """Answer. It takes threads, so there must be no copy to make after it."""
        if self._port is None:
            return
        try:
            self._meter.start(self._port, self._state)
        except OSError:
            self._refuse()

    def died(self, kind: str) -> None:
        """Count a process of this kind that died: `pages` or `worker`."""
        if self._port is not None:
            self._meter.restarted(kind)

    def _refuse(self) -> Never:
        fail(f"port {self._port} is in use: choose another for PORTAL_METRICS_PORT")


def load_application(parent: int, target: str) -> Any:
    """What a process of the server runs: it ends with `parent`, whose id it is given. Target: `module:maker`.

    A copy of the parent has it already; whatever is started anew reads the software that is there now.
    """
    # A copy has the server's handlers, and would wait for what nobody does; the server alone renews.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    hear_the_end()
    end_with(parent)
    sys.path.insert(0, str(ROOT))
    module, _, maker = target.partition(":")
    return in_single_file(getattr(importlib.import_module(module), maker)())


def _environ(settings: Settings, clock: Clock) -> dict[str, str]:
    """This environment; a clock that was set elsewhere runs on in the child, and keys from a descriptor are lent."""
    # For what is started anew, one heap for all threads: only one of them runs Python at a time, and what each frees
    # would stay its own.
    environ = {"MALLOC_ARENA_MAX": "1", **os.environ}
    if isinstance(settings.key_source, KeyDescriptor):
        environ.pop("PORTAL_KEYS_FD", None)
        environ["PORTAL_KEYS_FROM"] = settings.key_source.handed_on()
    if settings.now is not None:
        environ["PORTAL_NOW"] = clock().isoformat()
        environ["PORTAL_NOW_SINCE"] = repr(ticks())
    return environ


def _require_free(port: int) -> None:
    ends = time.monotonic() + FREE_WITHIN_SECONDS
    while not _is_free(port):
        if time.monotonic() > ends:
            fail(f"port {port} is in use: stop what uses it, or choose another with --port")
        time.sleep(FREE_WITHIN_SECONDS / 30)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


COMMANDS: tuple[click.Command, ...] = (serve,)
