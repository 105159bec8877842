"""`flask worker`: the post, and each minute whatever else is due. Any number of workers may run, on any machine.

Mail is claimed a few at a time, everything else by its name (portal/desk/shifts.py). A job that fails holds up no
other: it is named in the log, and tried again a minute later.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import click
import structlog
from flask import current_app
from sqlalchemy.orm import Session as DbSession

from portal import logs, sent_files
from portal.booking import left_over
from portal.cases import notice_watch, suspicions
from portal.cli.base import with_instance_if_open
from portal.cli.processes import GRACE_SECONDS, end_with
from portal.db import db
from portal.desk import backups, housekeeping, key_keeping
from portal.desk.shifts import Shifts
from portal.groups import watch as group_watch
from portal.health.counts import Counts
from portal.instance import Instance
from portal.mailing import day_ahead, post, reminders
from portal.mailing import route as mail_route
from portal.mentors import clearance_mails
from portal.registers import access_mails, audit_heads
from portal.results import board
from portal.returning import closing, destruction_last, destruction_places
from portal.settings import Settings
from privacy.clock import ticks
from privacy.errors import ChainBroken, Frozen
from privacy.outages import Outage, outage
from privacy.returns import standstill

REST_SECONDS = 1
MINUTE = timedelta(minutes=1)

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
    else:
        work_on(instance, stop, once=once)


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


@dataclass(frozen=True)
class Job:
    """Something that one worker at a time does each minute, if it is due; `stands_still` while everything is frozen,
    unlike what the law does not stop."""

    name: str
    act: Callable[[], object]
    stands_still: bool = False


def jobs(instance: Instance, sessions: Callable[[], DbSession], backup: backups.Regular) -> list[Job]:
    """What workers see to besides mail, in the order in which a minute goes through it."""

    def of(name: str, run: Callable[..., object], *, stands_still: bool = False) -> Job:
        return Job(name, lambda: run(instance, sessions), stands_still)

    at_night = housekeeping.Nightly(instance, sessions, db.engine)
    left = partial(destruction_places.left_of, instance, db.engine)
    return [
        of("canary", key_keeping.check_canary),
        of("suspicions", suspicions.run),
        of("notices", notice_watch.run),
        of("access", access_mails.run),
        of("reminders", reminders.run, stands_still=True),
        Job("figures", lambda: board.count_daily(sessions, instance.programme, instance.clock), True),
        of("clearances", clearance_mails.run, stands_still=True),
        of("day-ahead", day_ahead.run, stands_still=True),
        of("groups", group_watch.run, stands_still=True),
        of("left-over", left_over.run, stands_still=True),
        of("audit-head", audit_heads.run),
        Job("certificates", lambda: destruction_last.settle(left())),
        of("housekeeping", housekeeping.each_minute),
        Job("night", at_night),
        Job("backup", backup),
    ]


def work_on(instance: Instance, stop: threading.Event, *, once: bool) -> None:
    """Go on until `stop`, or once: until no mail is due."""
    sessions = partial(DbSession, db.engine, info={"vault": instance.vault})
    sender = mail_route.sender(instance, sessions)
    route_is_open = mail_route.Gate(instance, sessions)
    shifts = Shifts(db.engine, instance.settings.instance)
    backup = backups.Regular(instance, sessions, shifts)
    planned = jobs(instance, sessions, backup)

    def go_round() -> None:
        for job in planned:
            do(job, shifts, sessions)

    look_round = each_minute(go_round, clock=instance.clock)
    while not stop.is_set():
        if closing.read(instance.settings.instance) is not None:
            log.info("worker.closed")
            return
        look_round()
        dealt_with = 0
        with _reported("files"):
            sent_files.run(instance, sessions)
        with _reported("mail"):
            dealt_with = post.deliver(instance, sessions, sender) if route_is_open() else 0
        if once and not dealt_with:
            backup.finish()
            return
        if not dealt_with:
            stop.wait(REST_SECONDS)
    backup.finish(GRACE_SECONDS / 2)


def do(job: Job, shifts: Shifts, sessions: Callable[[], DbSession]) -> None:
    """Do a job, unless another worker is at it. Whatever goes wrong is told in the log, not raised."""
    with _reported(job.name), shifts.claim(job.name) as ours:
        if ours and not (job.stands_still and _is_frozen(sessions)):
            job.act()


def _is_frozen(sessions: Callable[[], DbSession]) -> bool:
    with sessions() as own:
        return standstill.is_frozen(own)


@contextmanager
def _reported(job: str) -> Iterator[None]:
    """Count a job, and name in the log what ended it before its time; the worker goes on."""
    began, outcome = ticks(), "done"
    try:
        yield
    except Frozen:
        # It was frozen in between: the next round leaves out what may not go on.
        outcome = "frozen"
    except ChainBroken as broken:
        # Nothing that leaves a line can be written; what leaves none, such as mail, goes on.
        outcome = "trail_broken"
        log.error("trail.broken", job=job, trouble=str(broken))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up the other jobs
        outcome = _told(job, error)
    counts: Counts = current_app.extensions["counts"]
    counts.job(name=job, outcome=outcome, seconds=ticks() - began)


def _told(job: str, error: Exception) -> str:
    why = outage(error)
    if why is None:
        log.error("worker.failed", job=job, exc_info=error)
        return "failed"
    # What was claimed is claimed again in a few minutes.
    tell = log.error if why is Outage.FULL else log.warning
    tell(f"database.{why}", job=job)
    return why


def each_minute(act: Callable[[], object], *, clock: Callable[[], datetime]) -> Callable[[], None]:
    """The act, done at the first call and then once a minute, also after the clock was set back."""
    done_at: list[datetime] = []

    def call() -> None:
        now = clock()
        if not done_at or not done_at[0] <= now < done_at[0] + MINUTE:
            act()
            done_at[:] = [now]

    return call


COMMANDS: tuple[click.Command, ...] = (worker,)
