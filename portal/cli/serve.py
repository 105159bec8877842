"""`flask serve` and `flask worker`: the pages, and beside them the post and the reminders."""

import importlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
import structlog
from flask import current_app
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal import logs
from portal.cases import notice_watch, suspicions
from portal.cli.base import fail, say, with_instance_if_open
from portal.cli.processes import GRACE_SECONDS, Companion, end_with
from portal.db import db
from portal.desk import backups, housekeeping, key_keeping
from portal.groups import watch as group_watch
from portal.instance import Instance
from portal.mailing import day_ahead, post, reminders
from portal.mailing import route as mail_route
from portal.mentors import clearance_mails
from portal.registers import access_mails, audit_heads
from portal.results import board
from portal.returning import closing, destruction_last, destruction_places
from portal.settings import Settings
from privacy.clock import Clock, ticks
from privacy.errors import ChainBroken, Frozen
from privacy.key_sources import KeyDescriptor
from privacy.returns import standstill

ROOT = Path(__file__).resolve().parent.parent.parent
ADDRESS = "127.0.0.1"
REST_SECONDS = 1
MINUTE = timedelta(minutes=1)
BLOCKING_THREADS = 3

log = structlog.get_logger("worker")


@click.command("worker")
@click.option("--once", is_flag=True, help="Send what is due, then end.")
@click.option("--parent", type=int, hidden=True, help="End when this process does.")
@with_instance_if_open
def worker(instance: Instance | None, once: bool, parent: int | None) -> None:
    """Send the mail that is due and, each minute, queue the reminders that are, until a signal ends it."""
    logs.configure()
    if parent is not None:
        end_with(parent)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if instance is None:
        _after_the_end(stop, once=once)
        return
    _work(instance, stop, once=once)


def _after_the_end(stop: threading.Event, *, once: bool) -> None:
    """What is left to do on a closed site: the second certificate, once the last backup has gone."""
    settings: Settings = current_app.extensions["settings"]
    left = destruction_places.open_left(settings, engine=db.engine, clock=current_app.extensions["clock"])
    while not stop.is_set():
        for reference in destruction_last.settle(left):
            log.info("destruction.last_backup", reference=reference)
        if once:
            break
        stop.wait(MINUTE.total_seconds())
    left.vault.engine.dispose()


def _work(instance: Instance, stop: threading.Event, *, once: bool) -> None:
    sessions = partial(DbSession, db.engine, info={"vault": instance.vault})
    sender = mail_route.sender(instance, sessions)
    route_is_open = mail_route.Gate(instance, sessions)
    keep_house = each_minute(lambda: housekeeping.each_minute(instance, sessions), clock=instance.clock)
    at_night = housekeeping.Nightly(instance, sessions, db.engine)
    remind = each_minute(lambda: _remind(instance, sessions), clock=instance.clock)
    backup = backups.Regular(instance, sessions)
    back_up = each_minute(backup, clock=instance.clock)
    look_at_keys = each_minute(lambda: key_keeping.check_canary(instance, sessions), clock=instance.clock)
    while not stop.is_set():
        if closing.read(instance.settings.instance) is not None:
            log.info("worker.closed")
            return
        try:
            look_at_keys()
            remind()
            keep_house()
            at_night()
            back_up()
            dealt_with = post.deliver(instance, sessions, sender) if route_is_open() else 0
        except OperationalError as error:
            # Locked or restarting: what was claimed is claimed again in a few minutes.
            log.warning("worker.database_away", trouble=type(error.orig).__name__)
            dealt_with = 0
        except Frozen:
            # It was frozen in between: the next round leaves out what may not go on.
            dealt_with = 0
        except ChainBroken as broken:
            # Nothing that leaves a line can be written; what leaves none, such as mail, goes on.
            log.error("trail.broken", trouble=str(broken))
            dealt_with = post.deliver(instance, sessions, sender) if route_is_open() else 0
        if once and not dealt_with:
            backup.finish()
            return
        if not dealt_with:
            stop.wait(REST_SECONDS)
    backup.finish(GRACE_SECONDS / 2)


def _remind(instance: Instance, sessions: Callable[[], DbSession]) -> None:
    """What may be an incident, notices that have not arrived, what is left to answer, what expires or lapses, the
    sessions of tomorrow, what waits in groups, the day's head of the trail, and certificates that are due; of these,
    while everything is frozen, what the law does not stop."""
    suspicions.run(instance, sessions)
    notice_watch.run(instance, sessions)
    access_mails.run(instance, sessions)
    with sessions() as own:
        frozen = standstill.is_frozen(own)
    if not frozen:
        reminders.run(instance, sessions)
        board.count_daily(sessions, instance.programme, instance.clock)
        clearance_mails.run(instance, sessions)
        day_ahead.run(instance, sessions)
        group_watch.run(instance, sessions)
    audit_heads.run(instance, sessions)
    destruction_last.settle(destruction_places.left_of(instance, db.engine))


def each_minute(act: Callable[[], object], *, clock: Callable[[], datetime]) -> Callable[[], None]:
    """The act, done at the first call and then once a minute, also after the clock was set back."""
    done_at: list[datetime] = []

    def call() -> None:
        now = clock()
        if not done_at or not done_at[0] <= now < done_at[0] + MINUTE:
            act()
            done_at[:] = [now]

    return call


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
    multiprocessing.set_start_method("spawn", force=True)
    companion = Companion(
        [sys.executable, "-m", "flask", "--app", "wsgi:app", "worker", "--parent", str(os.getpid())],
        folder=ROOT,
        environ=partial(_environ, settings, current_app.extensions["clock"]),
        tell=say,
    )
    environ = _environ(settings, current_app.extensions["clock"])
    os.environ.pop("PORTAL_KEYS_FD", None)
    os.environ.update(environ)
    server = Granian(
        "wsgi:application",
        address=ADDRESS,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.processes,
        blocking_threads=BLOCKING_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        log_dictconfig=logs.SERVER,
    )
    server.on_startup(companion.start)
    server.on_shutdown(companion.stop)
    click.echo(f"http://localhost:{port}")
    try:
        server.serve(target_loader=partial(load_application, os.getpid()))
    finally:
        companion.stop()


def load_application(parent: int, target: str) -> Any:
    """What a process of the server runs: it ends with `parent`, whose id it is given. Target: `module:maker`."""
    end_with(parent)
    sys.path.insert(0, str(ROOT))
    module, _, maker = target.partition(":")
    return getattr(importlib.import_module(module), maker)()


def _environ(settings: Settings, clock: Clock) -> dict[str, str]:
    """This environment; a clock that was set elsewhere runs on in the child, and keys from a descriptor are lent."""
    environ = dict(os.environ)
    if isinstance(settings.key_source, KeyDescriptor):
        environ.pop("PORTAL_KEYS_FD", None)
        environ["PORTAL_KEYS_FROM"] = settings.key_source.handed_on()
    if settings.now is not None:
        environ["PORTAL_NOW"] = clock().isoformat()
        environ["PORTAL_NOW_SINCE"] = repr(ticks())
    return environ


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            fail(f"port {port} is in use: stop what uses it, or choose another with --port")


COMMANDS: tuple[click.Command, ...] = (worker, serve)
