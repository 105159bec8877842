"""The record of a search: every place of the register, what was found there, and why that is enough."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.cases import held_words
from portal.cases import search as case_search
from portal.cases.search import Searched, Where
from portal.models import Person
from privacy import holdings, outside
from privacy.cases import acts
from privacy.cases.rules import Incomplete
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.holdings import Store
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory

MAILBOX = Store(
    "Team mailbox", "e-mails about sessions", "the provider's", "until the contract ends", outside=True
)
PERSON = held_words.words("person")


class Searching:
    """A case about a lead member, and a mailbox outside the software."""

    def __init__(self, stack: Stack, make: Factory, db: DbSession) -> None:
        self.db, self.clock = db, stack.clock
        person = make.person("Ada Lead")
        self.person_id: UUID = person.id
        make.package(person)
        make.db.rollback()
        with self.work() as work:
            outside.describe(work, MAILBOX)
        self.case_id = self.open(self.person_id)

    def work(self) -> Any:
        return unit_of_work(self.db, self.clock, "person:desk")

    def open(self, subject_id: UUID | None) -> UUID:
        with self.work() as work:
            return acts.open_case(
                work,
                kind=CaseKind.ACCESS,
                channel=Channel.POST,
                received_at=datetime(2023, 2, 28, 10, tzinfo=UTC),
                asked="All of it",
                subject_id=subject_id,
            ).id

    def places(self, case_id: UUID | None = None) -> dict[str, case_search.SearchPlace]:
        self.db.rollback()
        found = case_search.places(self.db, acts.read(self.db, case_id or self.case_id).case)
        return {place.name: place for place in found}

    def record(self, codes: set[str], found: dict[str, str] | None = None) -> None:
        said = Searched(frozenset(codes), found or {}, "They ask for their part in 2022 alone")
        with self.work() as work:
            case_search.record(work, case_id=self.case_id, said=said)


@pytest.fixture
def searching(stack: Stack, make: Factory, db: DbSession) -> Searching:
    return Searching(stack, make, db)


def test_every_store_of_the_register_is_listed(searching: Searching) -> None:
    found = searching.places()
    assert {store.name.capitalize() for store in holdings.STORES} <= set(found)
    said = {entry.table for entry in holdings.columns() if entry.kind != "not personal"}
    ours = [place for place in found.values() if place.where is Where.DATABASE]
    assert {f"table-{name}" for name in said} == {place.code for place in ours}
    assert {held_words.words(name) for name in said} == {place.name for place in ours}
    assert {place.group for place in ours} == set(held_words.GROUPS)
    assert found["Team mailbox"].where is Where.OUTSIDE
    assert len({place.code for place in found.values()}) == len(found)


def test_the_product_counts_its_own_rows(searching: Searching) -> None:
    found = searching.places()
    assert found[PERSON].found == "1 row"
    assert found["Who takes part in which package"].found == "1 row"
    assert found["Goals"].found == "nothing"
    assert found["The keys of each person"].rows
    assert found["Team mailbox"].rows is None
    unknown = searching.places(searching.open(None))
    assert {place.rows for place in unknown.values()} == {None}


def test_what_was_searched_found_and_left_out_is_written_down(searching: Searching) -> None:
    found = searching.places()
    mailbox = found["Team mailbox"].code
    searching.record({found[PERSON].code, mailbox}, {mailbox: "3 e-mails"})
    event = acts.read(searching.db, searching.case_id).last(Event.SEARCHED)
    assert event is not None
    assert event.body is not None
    assert event.body["searched"] == f"{PERSON}: 1 row\nTeam mailbox: 3 e-mails"
    assert event.body["text"].startswith("Not searched: ")
    assert "Who takes part in which package" in event.body["text"].split("; ")
    assert event.body["proportionate"] == "They ask for their part in 2022 alone"
    before = case_search.before(acts.read(searching.db, searching.case_id))
    assert before is not None
    assert before.found == {mailbox: "3 e-mails"}
    raw = str(event.__dict__["body_sealed"])
    assert "e-mails" not in raw


def test_what_lies_outside_needs_a_word_on_what_was_found(searching: Searching) -> None:
    mailbox = searching.places()["Team mailbox"].code
    with pytest.raises(Incomplete, match="Say what was found in Team mailbox") as refused:
        searching.record({mailbox})
    assert refused.value.field == f"found_{mailbox}"
    with pytest.raises(Incomplete, match="at least one place"):
        searching.record({"made-up"})
    assert searching.db.get(Person, searching.person_id) is not None
