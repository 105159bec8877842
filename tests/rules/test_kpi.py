"""The KPIs: what is counted, and a recount by another route (raw rows, keys unwrapped by hand, plain Python)."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session as DbSession

from portal.answers import verdicts
from portal.models import PackageState, Participation, Person, Role, Strand
from portal.programme import Programme
from portal.results import kpi as reports
from privacy.clock import Clock
from privacy.keystore import Vault
from privacy.work import unit_of_work
from surveys import responses, revisions, versions
from surveys.models import Mode, Response, ResponsePast, ResponseState, Wave
from surveys.questionnaires import Questionnaire, load_definition
from surveys.questions import Value
from surveys.results import Verdict
from surveys.routing import path
from surveys.sittings import Asking, sit
from surveys.statistics import wilson
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.test_races import one_behind_the_other

AS_OF = date(2023, 3, 1)
POINTS = ("not_at_all", "slightly", "fairly", "very", "completely")


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: Clock) -> None:
    versions.publish_shipped(db, clock)


def answers_for(
    questionnaire: Questionnaire, chosen: dict[str, Value | None], role: str
) -> dict[str, Value | None]:
    """Those chosen, and whatever else is required on the path that they make."""
    answers = dict(chosen)
    while True:
        lacking = [
            question
            for stop in path(questionnaire, answers, role=role).pages
            for question in stop.questions
            if question.required and answers.get(question.code) is None
        ]
        if not lacking:
            return answers
        for question in lacking:
            listed = question.listed()
            code = listed[1].code if listed else "Something"
            answers[question.code] = [code] if question.kind == "choices" else code


class World:
    """Sends answers and verdicts at given moments."""

    def __init__(self, db: DbSession, clock: SetClock) -> None:
        self.db = db
        self.clock = clock

    def send(self, part: Participation, wave: Wave, chosen: dict[str, Value | None], *, at: datetime) -> UUID:
        role, respondent_id = part.role.value, part.id
        self.clock.now = at
        answers = answers_for(load_definition(wave.value), chosen, role)
        asking = Asking(respondent_id=respondent_id, wave=wave, role=role)
        with unit_of_work(self.db, self.clock, "system:test") as work:
            return responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF).id

    def pair(
        self,
        part: Participation,
        before: str | None,
        after: str | None,
        *,
        verdict: Verdict | None = None,
        example: bool = True,
        change: str = "same",
        asked_at: datetime | None = None,
        at: datetime = datetime(2022, 11, 10, 12, tzinfo=UTC),
    ) -> None:
        """Baseline and post with these points on confidence in the role; None leaves the wave out. The baseline
        came in at `asked_at`, else long before."""
        if before is not None:
            self.send(
                part, Wave.BASELINE, {"role_confidence": before}, at=asked_at or at - timedelta(days=90)
            )
        if after is None:
            return
        have = "yes" if example else "no"
        chosen: dict[str, Value | None] = {
            "role_confidence": after,
            "confidence_change": change,
            "impact_have": have,
        }
        response_id = self.send(part, Wave.POST, chosen, at=at)
        if verdict is not None and example:
            self.judge(response_id, verdict, at=at + timedelta(days=1))

    def correct(self, part: Participation, after: str, *, at: datetime, from_paper: bool = False) -> None:
        """The team lets the post questionnaire be changed, and it is sent again with another point."""
        role, respondent_id = part.role.value, part.id
        asking = Asking(respondent_id=respondent_id, wave=Wave.POST, role=role)
        self.clock.now = at
        with unit_of_work(self.db, self.clock, "system:test") as work:
            revisions.reopen(work, asking, asked=True)
        with unit_of_work(self.db, self.clock, "system:test") as work:
            sitting = sit(work.db, asking)
            responses.save_page(
                work,
                asking,
                page="your_role",
                posted={"role_confidence": [after]},
                mark=sitting.mark(sitting.stop("your_role")[0]),
            )
        with unit_of_work(self.db, self.clock, "system:test") as work:
            responses.submit(work, asking, from_paper=from_paper)

    def mark(self, part: Participation, state: ResponseState) -> None:
        """The post questionnaire was taken back, or never sent."""
        respondent_id = part.id
        with unit_of_work(self.db, self.clock, "system:test") as work:
            response = work.db.scalars(
                select(Response).where(Response.respondent_id == respondent_id, Response.wave == Wave.POST)
            ).one()
            response.state = state
            if state is ResponseState.DRAFT:
                response.submitted_at = None

    def judge(self, response_id: UUID, verdict: Verdict, *, at: datetime) -> None:
        self.clock.now = at
        with unit_of_work(self.db, self.clock, "person:reviewer") as work:
            verdicts.give(work, response_id=response_id, verdict=verdict, note="")


@pytest.fixture
def world(db: DbSession, clock: SetClock) -> World:
    return World(db, clock)


def closed(
    make: Factory, *people: Person, ended_on: date = date(2022, 11, 1), strand: Strand = Strand.ONE_TO_ONE
) -> list[Participation]:
    """Participations of a package whose post questionnaire has closed by AS_OF, unless it ended later."""
    package = make.package(
        *people, strand=strand, state=PackageState.ENDED, starts_on=date(2022, 9, 1), ends_on=ended_on
    )
    return list(package.participations)


def one(
    db: DbSession, programme: Programme, *, as_of: date = AS_OF, strand: Strand = Strand.ONE_TO_ONE
) -> reports.KpiFigure:
    return next(figure for figure in reports.kpi(db, programme, as_of=as_of) if figure.strand is strand)


@pytest.mark.parametrize(
    "count, base, low, high",
    [
        (15, 20, 0.531, 0.888),
        (0, 10, 0.0, 0.278),
        (10, 10, 0.722, 1.0),
        (1, 29, 0.006, 0.172),
        (81, 263, 0.255, 0.366),
    ],
)
def test_the_range_is_the_published_one(count: int, base: int, low: float, high: float) -> None:
    assert wilson(count, base) == pytest.approx((low, high), abs=0.0006)


def test_nobody_counted_leaves_everything_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_rise_and_an_accepted_example_count(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED)
    figure = one(db, programme)
    assert (figure.supported, figure.closed, figure.answered, figure.matched) == (1, 1, 1, 1)
    assert (figure.confident, figure.impact, figure.both, figure.base, figure.share) == (1, 1, 1, 1, 1.0)
    assert figure.met
    assert not figure.met_with_confidence


@pytest.mark.parametrize(
    "before, after, verdict, example, confident, impact",
    [
        ("fairly", "fairly", Verdict.ACCEPTED, True, 0, 1),
        ("very", "fairly", Verdict.ACCEPTED, True, 0, 1),
        ("completely", "completely", Verdict.ACCEPTED, True, 0, 1),
        ("fairly", "very", Verdict.PARTLY, True, 1, 0),
        ("fairly", "very", Verdict.NOT_YET, True, 1, 0),
        ("fairly", "very", None, True, 1, 0),
        ("fairly", "very", None, False, 1, 0),
        ("prefer_not", "very", Verdict.ACCEPTED, True, 0, 1),
        ("fairly", "prefer_not", Verdict.ACCEPTED, True, 0, 1),
        (None, "very", Verdict.ACCEPTED, True, 0, 1),
    ],
)
def test_what_does_not_count(
    db: DbSession,
    make: Factory,
    world: World,
    programme: Programme,
    before: str | None,
    after: str,
    verdict: Verdict | None,
    example: bool,
    confident: int,
    impact: int,
) -> None:
    (part,) = closed(make, make.person())
    world.pair(part, before, after, verdict=verdict, example=example, change="much_more")
    figure = one(db, programme)
    assert (figure.answered, figure.confident, figure.impact, figure.both) == (1, confident, impact, 0)
    assert figure.direct == 1, "the direct question stands beside the matched rise"


def test_silence_counts_as_no(db: DbSession, make: Factory, world: World, programme: Programme) -> None:
    (answering,), (silent,) = closed(make, make.person()), closed(make, make.person())
    world.pair(answering, "fairly", "very", verdict=Verdict.ACCEPTED)
    world.pair(silent, "fairly", None)
    figure = one(db, programme)
    assert (figure.base, figure.answered, figure.silent, figure.both, figure.share) == (2, 1, 1, 1, 0.5)


def test_who_is_not_yet_due_is_in_no_share(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    make.package(make.person(), starts_on=date(2023, 1, 10))
    (part,) = closed(make, make.person(), ended_on=date(2023, 2, 1))
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED, at=datetime(2023, 2, 20, tzinfo=UTC))
    make.package(make.person(), state=PackageState.AGREED)
    make.package(make.person(), starts_on=date(2023, 3, 2))
    figure = one(db, programme)
    assert (figure.supported, figure.running, figure.open, figure.closed, figure.share) == (2, 1, 1, 0, None)
    assert not figure.met


def test_a_window_closes_when_its_last_day_is_over(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    closed(make, make.person(), ended_on=date(2022, 11, 30))
    assert one(db, programme, as_of=date(2023, 2, 28)).closed == 0
    assert one(db, programme, as_of=date(2023, 3, 1)).closed == 1


def test_what_came_later_does_not_count(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    world.pair(part, "fairly", "very", at=datetime(2023, 1, 10, tzinfo=UTC))
    response_id = verdicts.items(db)[0].response_id
    world.judge(response_id, Verdict.NOT_YET, at=datetime(2023, 1, 20, tzinfo=UTC))
    world.judge(response_id, Verdict.ACCEPTED, at=datetime(2023, 2, 20, tzinfo=UTC))
    assert one(db, programme, as_of=date(2023, 2, 19)).both == 0
    assert one(db, programme, as_of=date(2023, 2, 20)).both == 1
    assert one(db, programme, as_of=date(2023, 1, 9)).answered == 0


def test_an_answer_after_the_window_is_late_and_among_all_who_answered(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    """Q-i: 23:30 on the last day is in time, 00:30 the day after is late."""
    (early,), (late,) = (closed(make, make.person(), ended_on=date(2022, 11, 30)) for _ in range(2))
    for part, at in (
        (early, datetime(2023, 2, 28, 23, 30, tzinfo=UTC)),
        (late, datetime(2023, 3, 1, 0, 30, tzinfo=UTC)),
    ):
        asked_at = datetime(2022, 10, 1, tzinfo=UTC)
        world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED, asked_at=asked_at, at=at)
    figure = one(db, programme, as_of=date(2023, 3, 4))
    assert (figure.closed, figure.answered, figure.silent, figure.late, figure.both) == (2, 1, 1, 1, 1)
    assert (figure.everybody.answered, figure.everybody.both) == (2, 2)
    assert figure.share == 0.5


def test_a_baseline_after_the_first_session_is_no_before(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    at = datetime(2022, 11, 10, 12, tzinfo=UTC)
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED, asked_at=at - timedelta(days=1), at=at)
    figure = one(db, programme)
    assert (figure.answered, figure.matched, figure.confident, figure.late) == (1, 0, 0, 0)
    assert (figure.everybody.matched, figure.everybody.confident) == (1, 1)


def test_paper_counts_from_the_day_it_was_filled_in(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    late = datetime(2022, 12, 1, tzinfo=UTC)
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED, asked_at=late - timedelta(days=9), at=late)
    with unit_of_work(db, world.clock, "system:test") as work:
        baseline = work.db.scalars(select(Response).where(Response.wave == Wave.BASELINE)).one()
        baseline.mode, baseline.answered_on = Mode.PAPER, date(2022, 9, 5)
    assert one(db, programme).matched == 1


def test_what_was_begun_and_not_finished_is_outside_and_said(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person(), ended_on=date(2022, 11, 30))
    world.pair(part, "fairly", "very", at=datetime(2023, 2, 20, tzinfo=UTC))
    world.mark(part, ResponseState.DRAFT)
    in_grace = one(db, programme, as_of=date(2023, 3, 2))
    assert (in_grace.closed, in_grace.silent, in_grace.partial) == (1, 1, 0)
    over = one(db, programme, as_of=date(2023, 3, 3))
    assert (over.silent, over.partial, over.everybody.answered) == (1, 1, 0)


def test_what_was_withdrawn_is_in_no_figure(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED)
    world.correct(part, "completely", at=datetime(2022, 11, 20, tzinfo=UTC))
    world.mark(part, ResponseState.WITHDRAWN)
    figure = one(db, programme)
    assert (figure.closed, figure.answered, figure.silent, figure.everybody.answered) == (1, 0, 1, 0)


def on_paper(world: World, on: date) -> None:
    """The post questionnaire was filled in on paper, on this day."""
    with unit_of_work(world.db, world.clock, "system:test") as work:
        post = work.db.scalars(select(Response).where(Response.wave == Wave.POST)).one()
        post.mode, post.answered_on = Mode.PAPER, on


@pytest.mark.parametrize("paper", [False, True])
def test_a_late_correction_leaves_the_headline_with_what_was_in_time(
    paper: bool, db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED)
    if paper:
        on_paper(world, date(2022, 11, 10))
    world.correct(part, "slightly", at=datetime(2023, 2, 10, tzinfo=UTC))
    figure = one(db, programme)
    assert (figure.answered, figure.confident, figure.both, figure.late) == (1, 1, 1, 0)
    assert (figure.everybody.answered, figure.everybody.confident) == (1, 0), "the latest among all"


def test_what_was_typed_in_wrong_from_paper_is_put_right_in_the_headline(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    """Paper that was filled in in time: what stands on it was said then, whenever somebody reads it rightly."""
    (part,) = closed(make, make.person())
    world.pair(part, "fairly", "very", verdict=Verdict.ACCEPTED)
    on_paper(world, date(2022, 11, 10))
    world.correct(part, "slightly", at=datetime(2023, 2, 10, tzinfo=UTC), from_paper=True)
    figure = one(db, programme)
    assert (figure.answered, figure.confident, figure.late) == (1, 0, 0)


def test_a_person_counts_once_with_their_latest_closed_support(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    leader = make.person()
    (early,) = closed(make, leader, ended_on=date(2022, 10, 1))
    (late,) = closed(make, leader, ended_on=date(2022, 11, 1))
    make.package(leader, starts_on=date(2023, 2, 1))
    world.pair(early, "fairly", "very", verdict=Verdict.ACCEPTED)
    world.pair(late, "fairly", "fairly", verdict=Verdict.ACCEPTED)
    figure = one(db, programme)
    assert (figure.supported, figure.closed, figure.confident, figure.running) == (1, 1, 0, 0)


def test_who_was_erased_counts_as_supported_in_a_base_of_its_own(
    db: DbSession, make: Factory, clock: SetClock, programme: Programme
) -> None:
    (part,) = closed(make, make.person())
    with unit_of_work(db, clock, "system:test"):
        part.person_id = None
    figure = one(db, programme)
    assert (figure.supported, figure.erased, figure.closed) == (1, 1, 0)


def test_as_many_queries_for_few_as_for_many(
    stack: Stack, db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    said: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    counts = []
    event.listen(stack.engine, "before_cursor_execute", count)
    try:
        reports.kpi(db, programme, as_of=AS_OF)  # a process reads each questionnaire once
        for _ in range(2):
            for part in closed(make, *(make.person() for _ in range(4)), strand=Strand.GROUP):
                world.pair(part, "fairly", "very")
            said.clear()
            reports.kpi(db, programme, as_of=AS_OF)
            counts.append(len([statement for statement in said if statement.startswith("SELECT")]))
    finally:
        event.remove(stack.engine, "before_cursor_execute", count)
    assert len(set(counts)) == 1
    # How many participations, who has several, the participations, first sessions, the contract's end; responses,
    # their past, the versions they are read by; versions again, to compare measures and for the scale, each time with
    # corrections of wording.
    assert counts[0] <= 12


def test_a_recount_by_another_route_agrees(
    db: DbSession, make: Factory, world: World, programme: Programme
) -> None:
    chance = random.Random(2023)
    ends = (date(2022, 10, 20), date(2022, 11, 28), date(2023, 1, 15))
    for number in range(12):
        ended_on = ends[number % 3]
        for part in closed(make, make.person(role=Role.CHIEF_EXECUTIVE), ended_on=ended_on):
            _anything(world, part, ended_on, chance)
    for number in range(4):
        members = [make.person(role=Role.COMMITTEE_MEMBER) for _ in range(7)]
        ended_on = ends[number % 2]
        for part in closed(make, *members, strand=Strand.GROUP, ended_on=ended_on):
            _anything(world, part, ended_on, chance)
    vault: Vault = db.info["vault"]
    for figure in reports.kpi(db, programme, as_of=AS_OF):
        recounted = _recount(db, vault, figure.strand)
        counted = {
            name: getattr(figure.everybody, name.removeprefix("all_"))
            if name.startswith("all_")
            else getattr(figure, name)
            for name in recounted
        }
        assert counted == recounted
        assert figure.both > 0
        assert figure.everybody.answered > figure.answered
        assert figure.share == pytest.approx(figure.both / figure.closed)


def _anything(world: World, part: Participation, ended_on: date, chance: random.Random) -> None:
    """Somebody who answers or not, early, in time, late, twice, or takes it back."""
    at = datetime(ended_on.year, ended_on.month, ended_on.day, 12, tzinfo=UTC) + timedelta(
        days=chance.randint(1, 110)
    )
    before, after = chance.choice((*POINTS, None)), chance.choice((*POINTS[2:], "prefer_not", None))
    verdict = chance.choice((*Verdict, Verdict.ACCEPTED, Verdict.ACCEPTED, None))
    if at >= datetime(2023, 2, 28, tzinfo=UTC):
        return
    asked_at = at - timedelta(hours=1) if chance.random() < 0.2 else None
    example = chance.random() < 0.8
    world.pair(part, before, after, verdict=verdict, example=example, asked_at=asked_at, at=at)
    fate = chance.random()
    if after is None or fate > 0.3:
        return
    if fate > 0.2:
        world.correct(part, "not_at_all", at=at + timedelta(days=chance.randint(1, 60)))
    elif fate > 0.1:
        world.mark(part, ResponseState.WITHDRAWN)
    else:
        world.mark(part, ResponseState.DRAFT)


NAMES = ("answered", "matched", "confident", "impact", "both")


def _recount(db: DbSession, vault: Vault, strand: Strand) -> dict[str, int]:
    """Counts from raw rows, in days instead of instants. One person has one participation here, nobody had a
    session, and every window is three months."""
    rows = db.execute(
        text(
            "select pa.id, k.ends_on from participation pa join package k on k.id = pa.package_id "
            "where k.strand = :strand and k.state = 'ended'"
        ),
        {"strand": strand.value},
    ).all()
    said: dict[
        tuple[str, str], list[tuple[date, dict[str, str], dict[str, list[dict[str, str]]] | None]]
    ] = {}
    for respondent, wave, day, answers, judgement in sorted(_said(db, vault), key=lambda one: one[2]):
        said.setdefault((respondent, wave), []).append((day, answers, judgement))
    begun = {
        _plain(row[0])
        for row in db.execute(
            text("select respondent_id from response where state = 'draft' and wave = 'post'")
        )
    }
    counts = dict.fromkeys(("supported", "closed", "silent", "late", "partial", *NAMES), 0)
    counts |= dict.fromkeys([f"all_{name}" for name in NAMES], 0)
    for participation, ends_on in rows:
        ended, key = date.fromisoformat(str(ends_on)), _plain(participation)
        counts["supported"] += 1
        closed_on = _three_months_after(ended)
        if closed_on >= AS_OF:
            continue
        counts["closed"] += 1
        posts, baselines = said.get((key, "post"), []), said.get((key, "baseline"), [])
        timely = [one for one in posts if one[0] <= closed_on]
        before = [one for one in baselines if one[0] < ended]
        counts["silent"] += not timely
        counts["late"] += bool(posts) and not timely
        counts["partial"] += key in begun and not posts
        for prefix, firsts, lasts in (("", before, timely), ("all_", baselines, posts)):
            if lasts:
                for name, holds in zip(NAMES, _judge(firsts, lasts), strict=True):
                    counts[prefix + name] += holds
    return counts


def _judge(firsts: list, lasts: list) -> tuple[bool, ...]:  # type: ignore[type-arg]
    _, after, judgement = lasts[-1]
    scores = [
        POINTS.index(answers["role_confidence"])
        for answers in (firsts[-1][1] if firsts else {}, after)
        if answers.get("role_confidence") in POINTS
    ]
    rose = len(scores) == 2 and scores[1] > scores[0]
    shown = bool(
        after.get("impact_have") == "yes"
        and judgement
        and judgement["verdicts"]
        and judgement["verdicts"][-1]["verdict"] == "accepted"
    )
    return True, len(scores) == 2, rose, shown, rose and shown


def _said(
    db: DbSession, vault: Vault
) -> Iterator[tuple[str, str, date, dict[str, str], dict[str, list[dict[str, str]]] | None]]:
    """What was sent and not taken back, and what it said before it was corrected."""
    now = (
        "select id, respondent_id, wave, submitted_at, answers_sealed, judgement_sealed "
        "from response where state = 'submitted'"
    )
    past = (
        "select p.id, p.respondent_id, r.wave, p.submitted_at, p.answers_sealed, p.judgement_sealed "
        "from response_past p join response r on r.id = p.response_id where r.state = 'submitted'"
    )
    for table, sql in (("response", now), ("response_past", past)):
        for row in db.execute(text(sql)).all():
            row_id, holder = UUID(_plain(row[0])), UUID(_plain(row[1]))
            moment = datetime.fromisoformat(str(row[3]))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            answers = _by_hand(vault, bytes(row[4]), table, "answers_sealed", row_id, holder)
            judgement = (
                _by_hand(vault, bytes(row[5]), table, "judgement_sealed", row_id, holder) if row[5] else None
            )
            day = moment.astimezone(ZoneInfo("Europe/London")).date()
            yield _plain(row[1]), row[2], day, answers, judgement


def _by_hand(vault: Vault, value: bytes, table: str, column: str, row: UUID, holder: UUID):
    """Open a sealed value knowing only its format: data key by key-encryption key, then the value."""
    with vault.engine.connect() as connection:
        found = connection.execute(text("select holder_id, version, kek_id, wrapped from subject_key")).all()
    _, version, kek_id, wrapped = next(one for one in found if _plain(one[0]) == holder.hex)
    wrapped = bytes(wrapped)
    bound = _lengths(b"subject_key", holder.bytes, version.to_bytes(4, "big"), kek_id.encode())
    key = AESGCM(vault.ring.keks[kek_id]).decrypt(wrapped[:12], wrapped[12:], bound)
    place = _lengths(b"\x01", table.encode(), column.encode(), row.bytes, holder.bytes, value[1:5])
    body = AESGCM(key).decrypt(value[5:17], value[17:], place)
    return json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])


def _lengths(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _plain(value: object) -> str:
    return str(value).replace("-", "")


def _three_months_after(day: date) -> date:
    year, month = (day.year, day.month + 3) if day.month <= 9 else (day.year + 1, day.month - 9)
    return (
        next(date(year, month, number) for number in range(day.day, 27, -1) if _exists(year, month, number))
        if day.day > 28
        else date(year, month, day.day)
    )


def _exists(year: int, month: int, number: int) -> bool:
    try:
        date(year, month, number)
    except ValueError:
        return False
    return True


def test_a_verdict_given_while_a_correction_is_sent_stays_with_what_it_was_given_on(
    stack: Stack, db: DbSession, make: Factory, world: World
) -> None:
    (part,) = closed(make, make.person())
    asking = Asking(respondent_id=part.id, wave=Wave.POST, role=part.role.value)
    world.pair(part, "fairly", "very")
    with unit_of_work(db, world.clock, "system:test") as work:
        revisions.reopen(work, asking, asked=True)
        response_id = work.db.scalars(select(Response.id).where(Response.wave == Wave.POST)).one()
    one_behind_the_other(
        stack,
        lambda work: verdicts.give(work, response_id=response_id, verdict=Verdict.ACCEPTED, note="Clear"),
        lambda work: responses.submit(work, asking).id,
    )
    db.rollback()
    assert db.get_one(Response, response_id).judgement is None
    before = db.scalars(select(ResponsePast)).one().judgement
    assert [given["note"] for given in (before or {}).get("verdicts", [])] == ["Clear"]
