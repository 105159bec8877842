"""A fictional programme: made-up councils and people at every stage of the path, filled in through the product's rules.

    programme file -> instance -> cast (portal/demo/cast.py) -> stories (portal/demo/stories.py)
                   -> agenda (portal/demo/agenda.py), done in the order of time

The past of a demo is about 20 months; its programme file is its own, with dates around the day it was made.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DbSession

from portal.demo.agenda import SYSTEM, Agenda, Diary, standing_at
from portal.demo.around import surround
from portal.demo.assisting import assist
from portal.demo.cast import LEADERS, Cast, gather
from portal.demo.delivering import clear
from portal.demo.desk import run_desk
from portal.demo.gatherings import furnish
from portal.demo.notices import arrive, stand_by
from portal.demo.refusals import refuse
from portal.demo.registers import keep_registers
from portal.demo.releasing import release
from portal.demo.sessions import Steps
from portal.demo.setting import set_up
from portal.demo.shutting import shut_times
from portal.demo.stories import Teller
from portal.instance import SHIPPED_PROGRAMME
from portal.mailing import queue as mail
from portal.mailing import reminders
from portal.models import Council, InstanceFact, Mail, MailState, Role
from portal.programme import Programme
from privacy.audit import Action, AuditEntry, AuditHead
from privacy.clock import add_months, london_date, wall
from privacy.records import Record
from privacy.work import Work, unit_of_work
from surveys.versions import publish_shipped

LEADERS_USUAL = len(LEADERS)
LEADERS_AT_LEAST, LEADERS_AT_MOST = 4, 600
SEED = 2021
MONTHS_BEFORE, MONTHS_AHEAD = 20, 14
# What is due within this time before now still waits, as it would in a programme that runs.
STILL_WAITING = timedelta(hours=1)
_KEPT = ("instance_fact", "version", AuditEntry.__tablename__, AuditHead.__tablename__)


class ProgrammeTooShort(Exception):
    """The programme file does not reach back far enough for a demo: it is not the demo's own."""


def write_programme(path: Path, *, today: date) -> bool:
    """Write the demo's programme file from the shipped one, dates around today; False if there is a file."""
    if path.exists():
        return False
    text = SHIPPED_PROGRAMME.read_text(encoding="utf-8")
    starts_on = add_months(today.replace(day=1), -MONTHS_BEFORE)
    ends_on = add_months(today.replace(day=1), MONTHS_AHEAD + 1) - timedelta(days=1)
    for key, value in (
        ("name", '"Leadership support (demo)"'),
        ("sender", '"Leadership support (demo)"'),
        ("starts_on", starts_on.isoformat()),
        ("ends_on", ends_on.isoformat()),
        ("own_download", '"DEMO 1"'),
        ("own_correction", '"DEMO 1"'),
    ):
        text = re.sub(
            rf"^{key} = (\"[^\"]*\"|[0-9-]+)", f"{key} = {value}", text, count=1, flags=re.MULTILINE
        )
    text = text.replace("; the first has ten months", "")
    path.write_text(
        f"# The programme of a demo: fictional, with dates around the day it was made.\n\n{text}", "utf-8"
    )
    return True


def is_filled(db: DbSession) -> bool:
    """Whether a filling was finished."""
    done = select(AuditEntry.seq).where(AuditEntry.action == Action.INSTANCE_FILLED.word).limit(1)
    return db.scalars(done).first() is not None


def empty(db: DbSession, *, now: datetime) -> bool:
    """Delete what a filling that was cut short left behind; False if there was nothing. The trail stays."""
    with unit_of_work(db, standing_at(now), SYSTEM) as work:
        found = work.db.scalars(select(Council.id).limit(1)).first() is not None
        for table in reversed(Record.metadata.sorted_tables):
            if found and table.name not in _KEPT:
                work.db.execute(delete(table))
    return found


def fill(
    db: DbSession,
    programme: Programme,
    *,
    now: datetime,
    leaders: int = LEADERS_USUAL,
    seed: int = SEED,
) -> tuple[int, Iterator[datetime]]:
    """How many acts a filling takes, and the acts: go through them to do them; each gives its moment.

    Councils, mentors and groups grow with the leaders. The same seed gives the same names and answers. Raises
    ProgrammeTooShort.
    """
    today = london_date(now)
    if (
        programme.contract.starts_on > add_months(today, -MONTHS_BEFORE + 1)
        or today not in programme.contract
    ):
        raise ProgrammeTooShort(
            f"a demo needs a contract that began {MONTHS_BEFORE} months ago: see {programme.path}"
        )
    rng = Random(seed)  # noqa: S311 - made-up names and answers, the same each time
    cast = gather(people=leaders, rng=rng)
    agenda = Agenda(now)
    diary = Diary(now, rng)
    opened_on = diary.after(programme.contract.starts_on)
    set_up(agenda, programme, cast, opened_on=opened_on, rng=rng)
    clear(agenda, cast, opened_on=opened_on)
    keep_registers(agenda, cast, opened_on=opened_on)
    team = [one for one in cast.staff if one.role is Role.TEAM]
    teller = Teller(Steps(agenda, programme, team, rng), diary, rng)
    for support in cast.supports:
        teller.tell(support)
    surround(agenda, diary, cast, opened_on=opened_on)
    refuse(agenda, cast)
    agenda.at(now - 2 * STILL_WAITING, lambda work: furnish(work, programme), by=team[0])
    stand_by(agenda, cast)
    run_desk(agenda, diary, programme, cast)
    shut_times(agenda, diary, programme, cast)
    release(agenda, diary, programme, cast, opened_on=opened_on)
    agenda.at(now - 2 * STILL_WAITING, assist, by=team[0])
    agenda.at(now - 2 * STILL_WAITING, lambda work: _remind(work, programme))
    agenda.at(now, lambda work: _finish(work, cast))
    return len(agenda), _run(db, agenda, opened_on=programme.contract.starts_on)


def _run(db: DbSession, agenda: Agenda, *, opened_on: date) -> Iterator[datetime]:
    publish_shipped(db, standing_at(wall(opened_on, 9 * 60)))
    yield from agenda.run(db)


def _remind(work: Work, programme: Programme) -> None:
    """Everybody was reminded of what was due, so that the worker doesn't do it all at once."""
    for one in reminders.find(work.db, programme, now=work.now):
        mail.queue(
            work, template=reminders.TEMPLATE, about=one.participation_id, to=one.person_id, step=one.step
        )


def _finish(work: Work, cast: Cast) -> None:
    """What the past would have mailed counts as sent; what fell due just now waits for the worker."""
    arrive(work)
    work.db.execute(
        update(Mail)
        .where(Mail.state == MailState.WAITING, Mail.due_at < work.now - STILL_WAITING)
        .values(state=MailState.SENT, sent_at=Mail.due_at, tries=1)
    )
    fact_id = work.db.scalars(select(InstanceFact.id)).one()
    work.record(Action.INSTANCE_FILLED, object=f"instance:{fact_id}", people=len(cast.people))
