"""Every figure states its base: who was eligible, asked, and answered; late and unfinished answers apart."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, PackageState, Participation, Role, Strand
from portal.programme import Programme
from portal.results import tallies
from privacy.work import unit_of_work
from surveys import responses, results, versions
from surveys.models import Mode, Response, ResponseState, Wave
from surveys.questionnaires import load
from surveys.questions import Value, display
from surveys.sittings import Asking
from surveys.tallies import Tally
from tests.conftest import SetClock
from tests.factories import Factory

QUESTIONNAIRE = """
code: interim
title: A wave with ways that part
waves: [interim]
sections:
  - code: s
    title: S
    pages:
      - code: first
        title: First
        questions:
          - code: met
            kind: yes_no
            required: true
            text: Did you meet families?
      - code: second
        title: Second
        show_if: {question: met, is: yes}
        questions:
          - code: where
            kind: choices
            text: Where?
            options:
              - {code: home, label: At home}
              - {code: school, label: At school}
              - {code: centre, label: In a centre}
              - {code: prefer_not, label: Prefer not to say, apart: true}
      - code: third
        title: Third
        questions:
          - code: day
            kind: date
            text: When?
          - code: words
            kind: text
            text: What did they say?
"""
AS_OF = date(2023, 3, 13)


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, load(QUESTIONNAIRE, name="interim.yaml"))


@pytest.fixture
def group(make: Factory) -> Package:
    """Fifteen members whose interim wave opened on 10 March and closes on 24 March."""
    members = [make.person(role=Role.COMMITTEE_MEMBER) for _ in range(15)]
    return make.package(
        *members, strand=Strand.GROUP, state=PackageState.ACTIVE, starts_on=date(2022, 11, 10)
    )


Send = Callable[..., None]


@pytest.fixture
def send(db: DbSession, clock: SetClock) -> Send:
    def run(
        part: Participation, *, at: datetime, state: ResponseState | None = None, **answers: Value
    ) -> None:
        clock.now = at
        asking = Asking(respondent_id=part.id, wave=Wave.INTERIM, occasion="month-4", role=part.role.value)
        with unit_of_work(db, clock, "system:test") as work:
            sent = responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)
            if state is not None:
                row = work.db.scalars(select(Response).where(Response.id == sent.id)).one()
                row.state, row.submitted_at = state, None

    return run


def one(shown: tallies.WaveTallies, code: str) -> Tally:
    return next(tally for tally in shown.questions if tally.question.code == code)


def test_ten_tick_two_skip_one_has_not_finished_two_were_never_asked(
    db: DbSession, group: Package, send: Send, programme: Programme
) -> None:
    """Q-j: 25 boxes of ten people, and the base of the figure."""
    at = datetime(2023, 3, 12, 10, tzinfo=UTC)
    parts = list(group.participations)
    for number, part in enumerate(parts[:10]):
        ticked = ["home", "school", "centre"] if number < 5 else ["home", "school"]
        send(part, at=at, met="yes", where=ticked)
    for part in parts[10:12]:
        send(part, at=at, met="yes")
    send(parts[12], at=at, state=ResponseState.DRAFT, met="yes", where=["home"])
    for part in parts[13:]:
        send(part, at=at, met="no")
    shown = tallies.of_wave(db, programme, wave=Wave.INTERIM, as_of=AS_OF)
    assert (shown.eligible, shown.sent, shown.unfinished, shown.late) == (15, 14, 1, 0)
    where = one(shown, "where")
    assert (where.eligible, where.asked, where.answered, where.skipped) == (15, 12, 10, 2)
    assert sum(option.count for option in where.options) == 25
    assert [(option.code, option.count) for option in where.options] == [
        ("home", 10),
        ("school", 10),
        ("centre", 5),
        ("prefer_not", 0),
    ]
    met = one(shown, "met")
    assert (met.asked, met.answered, met.skipped) == (14, 14, 0)


def test_late_declined_and_withdrawn_stand_apart(
    db: DbSession, group: Package, send: Send, clock: SetClock, programme: Programme
) -> None:
    in_time, late = datetime(2023, 3, 24, 23, 30, tzinfo=UTC), datetime(2023, 3, 25, 0, 30, tzinfo=UTC)
    parts = list(group.participations)
    send(parts[0], at=in_time, met="yes", where=["home"])
    send(parts[1], at=late, met="yes", where=["school"])
    send(parts[2], at=in_time, met="yes", where=["prefer_not"])
    send(parts[3], at=in_time, met="yes", where=["home"])
    respondent_id = parts[3].id
    with unit_of_work(db, clock, "system:test") as work:
        row = work.db.scalars(select(Response).where(Response.respondent_id == respondent_id)).one()
        row.state = ResponseState.WITHDRAWN
    shown = tallies.of_wave(db, programme, wave=Wave.INTERIM, as_of=date(2023, 3, 26))
    assert (shown.sent, shown.late) == (3, 1)
    where = one(shown, "where")
    assert (where.asked, where.answered, where.declined, where.late) == (3, 2, 1, 1)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2023, 3, 12, 23, 30, tzinfo=UTC),
        datetime(2023, 3, 13, 0, 30, tzinfo=UTC),
        datetime(2023, 6, 30, 22, 30, tzinfo=UTC),
        datetime(2023, 6, 30, 23, 30, tzinfo=UTC),
    ],
)
def test_a_date_that_was_answered_never_shifts(
    db: DbSession, group: Package, send: Send, at: datetime
) -> None:
    """Q-i: 15 January is 15 January, whenever it was said and read."""
    send(group.participations[0], at=at, met="no", day="2023-01-15")
    (read,) = results.read(db, waves=[Wave.INTERIM])
    question = next(one for one in read.published.questionnaire.questions if one.code == "day")
    assert read.answers["day"] == "2023-01-15"
    assert display(question, read.answers) == ["15 January 2023"]
    assert at - read.row.submitted_at == timedelta()
