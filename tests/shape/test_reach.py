"""Every table knows its way to the person, or says that it is about nobody; none is forgotten by export or erasure."""

import pytest
from sqlalchemy import Table
from sqlalchemy.orm import Session

import portal.models  # noqa: F401 - its tables must be known
from privacy import person_data, reach, retention
from privacy.columns import sealed_columns
from privacy.records import Erase, Held, Keep, Kind, new_id

# Nobody is the subject of these. They name who did something, or hold what somebody typed under a key of its own.
ABOUT_NOBODY = {
    "approval": "who asked for what takes two people, and who agreed; whose data it was by reference",
    "audit_entry": "references alone, and it comes with every export",
    "audit_head": "the end of the trail",
    "blackout": "when a council has no session, and who entered it",
    "backup_run": "when backups were made, and by which worker",
    "chain_check": "when the trail was checked, and by which worker",
    "codebook": "themes that people sort texts by, and who changed them",
    "correction": "a questionnaire's words, and who changed them",
    "council": "public",
    "council_fact": "public, and who recorded it; what they typed is the council's",
    "council_refusal": "why the Department did not agree a council, and who said so",
    "data_return": "what the Controller directed, and ids of whom a part is about",
    "data_return_event": "what was done for that, and by whom",
    "erasure": "who was erased, by an id that names nobody any more",
    "export": "who took answers out, and why",
    "figure": "numbers of people, counted and kept to be looked at",
    "holiday_change": "days on which nobody works, and who entered them",
    "instance_fact": "what this instance is",
    "key_event": "what was done with keys, and by whom",
    "partner": "organisations that a council works with, and how they are reached; nobody who uses the portal",
    "partner_contact": "what was spoken about with such an organisation, and by whom",
    "programme_note": "risks and lessons of the programme, and who noted them",
    "public_request": "that the public page was used, and from which network",
    "store_confirmation": "what was destroyed outside the software, by which role, and who wrote it down",
    "register_entry": "letters of the Controller",
    "release": "protected numbers of people, and who released them",
    "resource": "files and links, and who added them",
    "resource_use": "where such a file is shown, and who put it there",
    "review": "how a council gets on, and who noted it",
    "session": "a package's; its mentor is named, and attendances lead to those who took part",
    "version": "what was asked",
}
# In clear, personal, and kept where the row stays: it tells in which role somebody was supported, not who.
KEPT_IN_CLEAR = {"participation.role"}


def held(column: object) -> Held:
    found: Held = column.info["held"]  # type: ignore[attr-defined]
    return found


def says_something(table: Table) -> bool:
    return any(held(column).kind is not Kind.NOT_PERSONAL for column in table.columns)


def test_every_table_that_says_something_of_people_leads_to_them_or_is_known_to_be_about_nobody() -> None:
    lost = {
        table.name
        for table in reach.tables()
        if says_something(table) and not reach.path(table) and reach.holding(table).shared_by is None
    }
    assert lost - set(ABOUT_NOBODY) == set(), "give it a subject, or say here why it has none"


@pytest.mark.parametrize("table", reach.personal_tables(), ids=lambda table: table.name)
def test_erasure_leaves_nothing_personal_in_a_table(table: Table) -> None:
    if reach.holding(table).erase is Erase.DELETE_ROW:
        return
    emptied = {column.name for column in reach.blanked(table)}
    left = {
        f"{table.name}.{column.name}"
        for column in table.columns
        if held(column).kind in (Kind.PERSONAL, Kind.SPECIAL) and column.name not in emptied
    }
    assert left <= KEPT_IN_CLEAR


def test_a_row_that_may_have_to_stay_can_be_emptied() -> None:
    """Others' rows can need it: then every sealed or keyed value of it goes."""
    for table in {link.target.table for link in reach.links() if link.erase is Erase.KEEP}:
        values = [
            column for column in table.columns if held(column).sealed or held(column).kind is Kind.SPECIAL
        ]
        assert [column.name for column in values if not column.nullable] == [], table


def test_every_sealed_value_has_a_holder_whose_key_erasure_destroys() -> None:
    known = {*reach.holder_tables(), *reach.shared_tables()}
    for table in reach.personal_tables():
        for one in sealed_columns(reach.mapper_of(table).class_):
            name = str(held(table.c[one.column]).holder)
            if name in table.c:
                column = table.c[name]
                at = reach.target_of(column).table if column.foreign_keys else table
                assert at in known, f"{table.name}.{one.column} is sealed for {at.name}"
            else:
                targets = {reach.target_of(one).table for one in table.columns if one.foreign_keys}
                assert targets & known, f"{table.name}.{name} chooses among nothing that is erased"


def test_every_personal_table_comes_with_the_export() -> None:
    asked = {store.name for store in person_data.stores(Session(), new_id(), readers={})}
    assert {table.name for table in reach.personal_tables()} <= asked
    assert {f"{link.table.name}-naming" for link in reach.mentions()} <= asked
    assert {f"{table.name}-around" for table in reach.shared_tables()} <= asked


def test_whoever_is_pointed_at_is_found_by_an_index() -> None:
    """Deleting a row asks every column that points at it: without an index that is a walk through the table."""
    slow = [
        str(link.column)
        for link in reach.links()
        if reach.holding(link.target.table).erase is Erase.DELETE_ROW and not indexed(link.column)
    ]
    assert slow == []


def indexed(column: object) -> bool:
    table: Table = column.table  # type: ignore[attr-defined]
    firsts = [next(iter(index.columns)) for index in table.indexes]
    firsts += [
        next(iter(one.columns))
        for one in table.constraints
        if hasattr(one, "columns")
        and list(one.columns)
        and type(one).__name__ in ("PrimaryKeyConstraint", "UniqueConstraint")
    ]
    return any(first is column for first in firsts)


def test_a_keeping_time_in_days_has_a_clock() -> None:
    assert retention.timed()
    for table in reach.tables():
        declared = reach.holding(table)
        assert (declared.keep.days is not None) == bool(declared.clock), table
        assert all(name in table.c for name in declared.clock), table
        if declared.clock:
            assert not table.c[declared.clock[-1]].nullable, f"{table}: the last clock is always set"


def test_every_way_of_keeping_is_used() -> None:
    assert {keep for keep in Keep if keep.days is not None} == {
        reach.holding(table).keep for table in retention.timed()
    }
