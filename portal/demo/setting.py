"""The demo's setting, laid on the first working day of its contract: councils, people, mentors' hours."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from portal.booking import hours
from portal.booking.availability import Span
from portal.councils import file as council_file
from portal.demo.agenda import Act, Agenda
from portal.demo.cast import Cast, Council, Somebody
from portal.demo.data import EVIDENCE
from portal.models import Council as CouncilRow
from portal.models import CouncilFact, Fact, Ground, Person, Role
from portal.own_data import self_service
from portal.people import register as people
from portal.people import staff
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import add_months, london_date, wall
from privacy.columns import AddressKeys
from privacy.records import new_id
from privacy.work import Work

AUDIT_BEGAN = 60
"""How many days ago the auditor's time began."""


def set_up(agenda: Agenda, programme: Programme, cast: Cast, *, opened_on: date, rng: Random) -> None:
    """On the first working day of the contract: councils and what is known of them, people, mentors' hours."""
    moment = wall(opened_on, 10 * 60)
    agenda.at(moment, lambda work: _councils(work, programme, cast, opened_on))
    agenda.at(moment, lambda work: _instruct(work, programme))
    for number, one in enumerate(cast.people, start=1):
        joined = moment + timedelta(minutes=number)
        since = opened_on - timedelta(days=rng.randint(40, 1100))
        if one.role is Role.AUDITOR:
            # The Controller's audit is under way, and ends.
            since = london_date(agenda.now) - timedelta(days=AUDIT_BEGAN)
        ends_on = add_months(since, people.AUDIT_MONTHS_AT_MOST) if one.role is Role.AUDITOR else None
        agenda.at(joined, _adding(one, since=since, ends_on=ends_on))
        if one.week:
            agenda.at(joined + timedelta(days=2), _publishing(one), by=one)


def _instruct(work: Work, programme: Programme) -> None:
    self_service.enter_named(work, programme)


def _councils(work: Work, programme: Programme, cast: Cast, opened_on: date) -> None:
    council_file.import_file(work, programme, _register_of(cast.councils))
    work.db.flush()
    known = {council.gss: council.id for council in work.db.scalars(select(CouncilRow))}
    for number, council in enumerate(cast.councils):
        council.id = known[council.gss]
        first = opened_on - timedelta(days=90 + number * 7)
        for fact, value, from_on in _facts(council, first, last=number == len(cast.councils) - 2):
            _record_fact(work, council, fact, value, from_on)


def _register_of(councils: list[Council]) -> bytes:
    """These councils in the form of the published register."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(council_file.COLUMNS)
    for number, council in enumerate(councils, start=1):
        area = council.area
        cells = {
            "official-name": area.name,
            "nice-name": area.short_name,
            "gss-code": council.gss,
            "local-authority-code": f"Z{number:03d}",
            "nation": "England",
            "region": area.region,
            "local-authority-type": area.kind,
        }
        writer.writerow([cells.get(column, "") for column in council_file.COLUMNS])
    return sheet.getvalue().encode()


def _facts(council: Council, first: date, *, last: bool) -> Iterator[tuple[Fact, str, date]]:
    """A council's dated facts: why it qualifies, and for some how it fared before."""
    match council.ground:
        case Ground.INADEQUATE:
            yield Fact.OFSTED, "requires_improvement", first - timedelta(days=900)
            yield Fact.OFSTED, "inadequate", first
        case Ground.REQUIRES_IMPROVEMENT:
            yield Fact.OFSTED, "inadequate" if last else "requires_improvement", first - timedelta(days=700)
            yield Fact.OFSTED, "requires_improvement", first
        case Ground.SEND_STATEMENT:
            yield Fact.OFSTED, "requires_improvement", first - timedelta(days=400)
            yield Fact.SEND_STATEMENT, "send_statement", first
        case Ground.DECLINE:
            yield Fact.OFSTED, "good", first - timedelta(days=800)
            yield Fact.DECLINE, "decline", first


def _record_fact(work: Work, council: Council, fact: Fact, value: str, from_on: date) -> None:
    assert council.id is not None
    row = CouncilFact(
        id=new_id(),
        council_id=council.id,
        fact=fact,
        value=value,
        from_on=from_on,
        recorded_at=work.now,
        by=work.actor,
        department_reads=True,
    )
    row.evidence = EVIDENCE[Ground(value)] if value in list(Ground) else "Inspection report"
    work.db.add(row)
    work.record(Action.COUNCIL_FACT_RECORDED, object=f"council:{council.id}", fact=fact, value=value)


def _adding(one: Somebody, *, since: date, ends_on: date | None) -> Act:
    def act(work: Work) -> None:
        if one.role is Role.ADMINISTRATOR:
            staff.add_administrator(work, address=one.email, name=one.name)
            work.db.flush()
            indexes = AddressKeys(work.db).indexes(one.email)
            one.id = work.db.scalars(select(Person.id).where(Person.email_index.in_(indexes))).one()
            return
        council_id = one.council.id if one.council is not None else None
        person = people.add(
            work,
            name=one.name,
            email=one.email,
            role=one.role,
            council_id=council_id,
            starts_on=since,
            ends_on=ends_on,
        )
        one.id = person.id

    return act


def _publishing(one: Somebody) -> Act:
    weekly = {weekday: [Span(*span) for span in spans] for weekday, spans in one.week.items()}
    return lambda work: hours.publish_week(work, mentor_id=one.known, weekly=weekly)
