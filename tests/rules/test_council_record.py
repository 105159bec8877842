"""The dated record of a council: nothing of it is lost, and from it follows whether it qualifies, for any day."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.councils import allocations, partners, proposals, qualifying, refusals, reviews
from portal.councils import facts as council_facts
from portal.councils import lists as council_lists
from portal.councils import register as councils
from portal.councils.facts import Agreement, FactSettled, NoEvidence, NoWhy, WrongDays, WrongEndDay
from portal.councils.lists import Wanted
from portal.councils.refusals import NoNews, NothingProposed, NotRefused, RefusedAlready
from portal.mailing.contexts import Around
from portal.models import (
    Council,
    CouncilFact,
    CouncilKind,
    Fact,
    Ground,
    Mail,
    Mailbox,
    Package,
    PackageState,
    PartnerKind,
    Role,
    Strand,
    Way,
)
from portal.packages import acts as packages
from portal.packages import pipeline
from portal.packages.states import NotPossible
from portal.programme import Programme
from portal.results import service_levels
from privacy.audit import AuditEntry
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory

T = TypeVar("T")
AGREED = Agreement(
    on=date(2023, 2, 1), agreed_with="Dee Partment", ground=Ground.INADEQUATE, evidence="Report of May 2022"
)


class World:
    """One council and its record."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.make, self.clock, self.programme = db, make, clock, programme
        self.council = make.council("Northshire").id

    def do(self, rule: Callable[..., T], *args: Any, **facts: Any) -> T:
        with unit_of_work(self.db, self.clock, "person:team") as work:
            return rule(work, *args, **facts)

    def know(self, fact: Fact, value: str, from_on: date, **more: Any) -> CouncilFact:
        known = {"council_id": self.council, "evidence": f"Report of {from_on}", "to_on": None, **more}
        return self.do(allocations.record, fact=fact, value=value, from_on=from_on, **known)

    def grounds(self, on: date) -> dict[Ground, date]:
        found = qualifying.qualifies(self.db, self.council, on)
        return {met.ground: met.since for met in found.grounds}

    def proposal(self) -> Package:
        leader = self.make.person(role=Role.LEAD_MEMBER, council=self.db.get(Council, self.council)).id
        return self.do(
            packages.create,
            self.programme,
            strand=Strand.ONE_TO_ONE,
            council_id=self.council,
            members=[(leader, Role.LEAD_MEMBER)],
            mentor_ids=[],
            goals=["Read the data"],
            planned_minutes=self.programme.minimum_minutes,
            starts_on=date(2023, 3, 1),
        )

    def state(self, package: Package) -> PackageState:
        self.db.expire_all()
        return self.db.get_one(Package, package.id).state


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


def test_a_council_qualifies_by_what_is_known_on_the_day(world: World) -> None:
    world.know(Fact.OFSTED, "good", date(2019, 5, 1))
    world.know(Fact.OFSTED, "requires_improvement", date(2021, 1, 10))
    world.know(Fact.OFSTED, "inadequate", date(2022, 6, 1))
    world.know(Fact.OFSTED, "inadequate", date(2022, 11, 1))
    world.know(Fact.SEND_STATEMENT, "send_statement", date(2021, 9, 1), to_on=date(2022, 12, 31))
    world.know(Fact.LEADERSHIP, "inadequate", date(2018, 1, 1))
    assert not qualifying.qualifies(world.db, world.council, date(2020, 1, 1))
    assert world.grounds(date(2021, 2, 1)) == {Ground.REQUIRES_IMPROVEMENT: date(2021, 1, 10)}
    assert world.grounds(date(2022, 12, 31)) == {
        Ground.INADEQUATE: date(2022, 6, 1),
        Ground.SEND_STATEMENT: date(2021, 9, 1),
    }, "since the first of two judgements that say the same; a last day counts"
    found = qualifying.qualifies(world.db, world.council, date(2023, 1, 1))
    assert [met.ground for met in found.grounds] == [Ground.INADEQUATE]
    assert found.grounds[0].evidence == "Report of 2022-11-01"


def test_a_better_judgement_ends_the_ground_even_when_it_was_taken_back_later(world: World) -> None:
    world.know(Fact.OFSTED, "inadequate", date(2021, 1, 10))
    good = world.know(Fact.OFSTED, "good", date(2022, 1, 10))
    assert world.grounds(date(2023, 1, 1)) == {}
    world.do(allocations.take_back, fact_id=good.id, reason="It was another council's report")
    assert world.grounds(date(2023, 1, 1)) == {Ground.INADEQUATE: date(2021, 1, 10)}
    rows = council_facts.history(world.db, world.council)
    assert [(row.value, row.corrected_at is None) for row in rows] == [("good", False), ("inadequate", True)]
    assert rows[0].reason == "It was another council's report"


def test_a_correction_is_a_row_of_its_own_and_keeps_the_first(world: World) -> None:
    first = world.know(Fact.OFSTED, "inadequate", date(2021, 1, 10))
    right = world.do(
        allocations.correct,
        fact_id=first.id,
        reason="The report says so on page 2",
        value="requires_improvement",
        from_on=date(2021, 2, 10),
        evidence="Page 2",
    )
    assert world.grounds(date(2021, 3, 1)) == {Ground.REQUIRES_IMPROVEMENT: date(2021, 2, 10)}
    assert (right.corrects_id, right.by) == (first.id, "person:team")
    world.db.refresh(first)
    assert (first.value, first.from_on, first.reason) == (
        "inadequate",
        date(2021, 1, 10),
        "The report says so on page 2",
    )
    with pytest.raises(FactSettled):
        world.do(allocations.take_back, fact_id=first.id, reason="Again")
    trail = world.db.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert [line for line in trail if line.startswith("council.fact")] == [
        "council.fact_recorded",
        "council.fact_recorded",
        "council.fact_corrected",
    ]


def test_what_cannot_be_recorded_is_refused(world: World) -> None:
    refused: tuple[tuple[type[Exception], dict[str, Any]], ...] = (
        (WrongDays, {"from_on": date(2023, 3, 2)}),
        (WrongDays, {"from_on": date(2022, 3, 2), "to_on": date(2022, 3, 1)}),
        (NoEvidence, {"from_on": date(2022, 3, 2), "evidence": " "}),
        (ValueError, {"from_on": date(2022, 3, 2), "value": "send_statement"}),
    )
    for wrong, facts in refused:
        with pytest.raises(wrong):
            world.know(Fact.OFSTED, **{"value": "good", **facts})
    fact = world.know(Fact.DECLINE, "decline", date(2022, 3, 1))
    with pytest.raises(NoWhy):
        world.do(allocations.end, fact_id=fact.id, on=date(2023, 1, 1), reason=" ")
    for day in (date(2022, 3, 1), date(2023, 3, 2)):
        with pytest.raises(WrongEndDay):
            world.do(allocations.end, fact_id=fact.id, on=day, reason="It is better")
    world.do(allocations.end, fact_id=fact.id, on=date(2023, 1, 1), reason="It is better")
    assert world.grounds(date(2022, 12, 31))
    assert not world.grounds(date(2023, 1, 1))
    with pytest.raises(FactSettled):
        world.do(allocations.end, fact_id=fact.id, on=date(2023, 1, 1), reason="Again")


def test_an_agreement_takes_the_proposals_with_it_and_its_end_takes_them_back(world: World) -> None:
    first, second = world.proposal(), world.proposal()
    assert first.state is PackageState.PROPOSED
    fact = world.do(allocations.agree, council_id=world.council, agreed=AGREED)
    assert {world.state(first), world.state(second)} == {PackageState.AGREED}
    world.do(packages.invite, package_id=first.id)
    with unit_of_work(world.db, world.clock, "system:test") as work:
        packages.activate(work, work.db.get_one(Package, second.id))
    world.do(allocations.end, fact_id=fact.id, on=date(2023, 3, 1), reason="The Department took it back")
    assert world.state(first) is PackageState.PROPOSED
    assert world.state(second) is PackageState.ACTIVE, "support that has begun goes on"
    world.do(packages.agree, package_id=first.id, agreed=AGREED)
    assert world.state(first) is PackageState.BASELINE, "they were invited already"


def test_a_council_that_is_refused_waits_for_the_team_and_nothing_begins_there(world: World) -> None:
    first = world.proposal()
    refuse = {"council_id": world.council, "reason": "It was supported last year"}
    with pytest.raises(NoWhy):
        world.do(refusals.refuse, **{**refuse, "reason": " "})
    with pytest.raises(NotRefused):
        world.do(refusals.ask_again, council_id=world.council, news="A report")
    row = world.do(refusals.refuse, **refuse)
    assert (row.refused_by, row.reason) == ("person:team", "It was supported last year")
    with pytest.raises(RefusedAlready):
        world.do(refusals.refuse, **refuse)
    assert world.state(first) is PackageState.PROPOSED
    assert world.proposal().state is PackageState.PROPOSED, "also what is planned after that"
    for begin in (packages.invite, activated):
        with pytest.raises(NotPossible, match="has not agreed"):
            world.do(begin, package_id=first.id)
    assert (
        service_levels.levels(world.db, world.programme, as_of=date(2023, 3, 1))[-1].one_to_one_councils == 0
    )
    told = world.db.scalars(select(Mail).where(Mail.template == refusals.TEMPLATE)).one()
    assert (told.mailbox, told.about) == (Mailbox.TEAM, row.id)
    found = proposals.proposal(world.db, world.council, on=date(2023, 3, 1))
    assert found is not None
    assert found.refused is not None
    lines = council_lists.listing(world.db, Wanted(agreed=False), on=date(2023, 3, 1))
    assert [line.refused_on for line in lines] == [date(2023, 3, 1)]
    with pytest.raises(NoNews):
        world.do(refusals.ask_again, council_id=world.council, news=" ")
    world.do(refusals.ask_again, council_id=world.council, news="A new report")
    found = proposals.proposal(world.db, world.council, on=date(2023, 3, 1))
    assert found is not None
    assert found.refused is None
    assert [(one.reason, one.news) for one in found.refusals] == [
        ("It was supported last year", "A new report")
    ]
    world.do(refusals.refuse, **refuse)
    assert len(refusals.of_council(world.db, world.council)) == 2, "and refused once more, with the history"
    actions = world.db.scalars(select(AuditEntry.action).where(AuditEntry.action.like("council.%"))).all()
    assert sorted(actions) == ["council.asked_again", "council.refused", "council.refused"]


def test_the_departments_observers_are_told_that_they_are_asked_again(world: World) -> None:
    first = world.proposal()
    observers = {world.make.person(role=Role.OBSERVER).id for _ in range(2)}
    for role in (Role.TEAM, Role.AUDITOR, Role.DPO):
        world.make.person(role=role)

    def told() -> list[Mail]:
        world.db.expire_all()
        return list(world.db.scalars(select(Mail).where(Mail.template == refusals.ASKED_AGAIN)))

    def links() -> set[str]:
        around = Around(world.programme, "http://localhost", world.clock())
        letters = [refusals.letter_again(world.db, one, one.person, around) for one in told()]
        return {one.context["link"] for one in letters if one is not None}

    for number in (1, 2):
        world.do(refusals.refuse, council_id=world.council, reason="Too early")
        assert links() == set(), "not while it is refused"
        world.db.rollback()
        world.do(refusals.ask_again, council_id=world.council, news="A new report")
        assert {one.person_id for one in told()} == observers
        assert len(told()) == 2 * number, "each time"
        assert links() == {"http://localhost/councils-to-agree"}
        world.db.rollback()
    world.do(packages.agree, package_id=first.id, agreed=AGREED)
    assert links() == set(), "nor once it is agreed"


def test_a_council_that_is_agreed_after_all_is_refused_no_longer(world: World) -> None:
    first = world.proposal()
    world.do(refusals.refuse, council_id=world.council, reason="Too early")
    fact = world.do(allocations.agree, council_id=world.council, agreed=AGREED)
    assert world.state(first) is PackageState.AGREED
    assert refusals.standing(world.db, world.council) is None
    with pytest.raises(NothingProposed):
        world.do(refusals.refuse, council_id=world.council, reason="Too late")
    world.do(allocations.take_back, fact_id=fact.id, reason="It was another council")
    assert world.state(first) is PackageState.PROPOSED
    assert refusals.standing(world.db, world.council) is None, "it waits for the Department again"
    world.do(refusals.refuse, council_id=world.council, reason="Too early")
    world.do(packages.withdraw, package_id=first.id, reason="The Department does not agree")
    with pytest.raises(NothingProposed):
        world.do(refusals.ask_again, council_id=world.council, news="A report")


def activated(work: Work, *, package_id: UUID) -> None:
    packages.activate(work, work.db.get_one(Package, package_id))


def test_neighbours_are_so_from_both_sides(world: World) -> None:
    east, west = world.make.council("Eastshire").id, world.make.council("Westshire").id
    assert world.do(councils.set_neighbours, council_id=world.council, neighbour_ids=[east, west]) == (2, 0)
    assert councils.neighbours(world.db, world.council) == {east, west}
    assert councils.neighbours(world.db, east) == {world.council}
    assert world.do(councils.set_neighbours, council_id=west, neighbour_ids=[east]) == (1, 1)
    assert councils.neighbours(world.db, world.council) == {east}
    assert councils.neighbours(world.db, east) == {world.council, west}
    with pytest.raises(LookupError):
        world.do(councils.set_neighbours, council_id=east, neighbour_ids=[east])


def test_reviews_come_every_six_months_while_a_supported_council_is_in_intervention(world: World) -> None:
    def due(on: date) -> list[tuple[date, bool]]:
        found = reviews.coming(world.db, world.programme, on=on)
        return [(one.due_on, one.overdue) for one in found]

    world.know(Fact.INTERVENTION, "improvement_notice", date(2020, 8, 31))
    assert due(date(2023, 3, 1)) == [], "no support, no review"
    leader = world.make.person(council=world.db.get(Council, world.council))
    world.make.package(leader, council=world.db.get(Council, world.council), starts_on=date(2022, 8, 31))
    assert due(date(2023, 2, 28)) == [(date(2023, 2, 28), False)], "six months on, the month's last day"
    assert due(date(2023, 3, 1)) == [(date(2023, 2, 28), True)]
    with pytest.raises(reviews.WrongReview):
        world.do(reviews.record, council_id=world.council, held_on=date(2023, 3, 2))
    world.do(reviews.record, council_id=world.council, held_on=date(2023, 2, 20), notes="On the way")
    assert due(date(2023, 3, 1)) == [(date(2023, 8, 20), False)]
    assert [one.notes for one in reviews.held(world.db, world.council)] == ["On the way"]
    fact = council_facts.history(world.db, world.council)[0]
    world.do(allocations.end, fact_id=fact.id, on=date(2023, 3, 1), reason="The notice was lifted")
    assert due(date(2023, 3, 1)) == []


def test_partners_and_contacts_are_named_under_seal(world: World) -> None:
    said = {"kind": PartnerKind.COMMISSIONER, "name": "Com Missioner", "reached": "Department"}
    here = world.do(partners.add, council_id=world.council, from_on=date(2023, 1, 1), **said)
    world.do(partners.note, partner_id=here.id, on=date(2023, 2, 1), way=Way.CALL, about="The board in May")
    with pytest.raises(partners.WrongDay):
        world.do(partners.note, partner_id=here.id, on=date(2023, 3, 2), way=Way.CALL, about="Tomorrow")
    package = world.proposal()
    world.do(
        partners.add, package_id=package.id, from_on=date(2023, 2, 1), **{**said, "name": "Send Adviser"}
    )
    world.do(partners.end, partner_id=here.id, on=date(2023, 2, 28))
    found = partners.of_package(world.db, world.db.get_one(Package, package.id))
    assert [(one.name, one.to_on) for one in found] == [
        ("Send Adviser", None),
        ("Com Missioner", date(2023, 2, 28)),
    ]
    assert [contact.about for contact in found[1].contacts] == ["The board in May"]
    assert {one.name for one in partners.of_council(world.db, world.council)} == {
        "Send Adviser",
        "Com Missioner",
    }
    with pytest.raises(partners.PartnerRefused):
        world.do(partners.add, council_id=world.council, from_on=date(2023, 1, 1), **{**said, "name": "."})


def test_councils_are_listed_by_how_they_stand(world: World) -> None:
    other = world.make.council("Eastshire", region="South West").id
    world.know(Fact.OFSTED, "inadequate", date(2022, 6, 1))
    world.do(allocations.agree, council_id=world.council, agreed=AGREED)
    world.proposal()
    today = date(2023, 3, 1)

    def names(**wanted: Any) -> list[str]:
        lines = council_lists.listing(world.db, Wanted(**wanted), on=today)
        return [line.council.short_name for line in lines]

    assert names() == ["Eastshire", "Northshire"]
    for yes in ("qualifies", "agreed", "supported"):
        assert names(**{yes: True}) == ["Northshire"]
        assert names(**{yes: False}) == ["Eastshire"]
    assert names(region="South West", kind=CouncilKind.COUNTY) == ["Eastshire"]
    assert names(text="north") == ["Northshire"]
    lines = council_lists.listing(world.db, Wanted(qualifies=True), on=today)
    rows = council_lists.as_csv(lines).decode("utf-8-sig").splitlines()
    assert rows[1].endswith("County,North West,Yes,Ofsted judged it inadequate,2022-06-01,,2023-02-01,1,")
    assert other != world.council


def test_the_pipeline_counts_each_state_and_names_nobody_in_its_file(world: World) -> None:
    package = world.proposal()
    world.do(allocations.agree, council_id=world.council, agreed=AGREED)
    world.do(packages.withdraw, package_id=package.id, reason="They have no time")
    world.proposal()
    found = pipeline.pipeline(world.db, world.programme)
    counts = {state.value: len(some) for state, some in found.stages.items() if some}
    assert counts == {"agreed": 1, "withdrawn": 1}
    assert pipeline.pipeline(world.db, world.programme, region="London").total == 0
    assert pipeline.pipeline(world.db, world.programme, state=PackageState.AGREED).total == 1
    text = pipeline.as_csv(found.packages, found.ledgers, world.programme).decode("utf-8-sig")
    assert "Person" not in text
    assert "Northshire Council" in text
    assert text.splitlines()[0].endswith("Days planned,Days booked,Days held,Late cancellations,Nobody came")
    assert ",One-to-one,Agreed,Northshire Council," in text, "in the words of the page"


def test_the_clock_of_the_record_is_londons(world: World) -> None:
    world.clock.now = datetime(2023, 3, 31, 23, 30, tzinfo=UTC)
    assert world.know(Fact.DECLINE, "decline", date(2023, 4, 1)).from_on == date(2023, 4, 1), (
        "half past midnight, BST"
    )
