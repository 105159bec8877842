"""Every table and column is in the register of holdings, and every way to a person arrives."""

import re

from sqlalchemy import LargeBinary, Table

import portal.models  # noqa: F401 - its tables must be known
from privacy import holdings
from privacy.keystore import METADATA as KEY_STORE
from privacy.records import Held, Kind, Record

NAMED_AS_PEOPLE_DO = {"name", "political_group"}
"""Columns whose name is what people call it."""


def tables() -> list[Table]:
    return list(Record.metadata.tables.values())


def test_every_column_is_declared() -> None:
    loose = [
        f"{table.name}.{column.name}"
        for table in [*tables(), *KEY_STORE.sorted_tables]
        for column in table.columns
        if not isinstance(column.info.get("held"), Held)
    ]
    assert loose == []


def test_every_table_leads_to_a_person_or_is_about_nobody() -> None:
    for table in tables():
        path = holdings.subject_path(table)
        assert not path or path[-1] == "person.id", path


def test_what_is_personal_is_sealed_or_says_why_not() -> None:
    """In clear stand only offices: who leads which council is public (model.md)."""
    clear = {
        f"{table.name}.{column.name}"
        for table in tables()
        for column in table.columns
        if column.info["held"].kind in (Kind.PERSONAL, Kind.SPECIAL) and not column.info["held"].sealed
    }
    assert clear == {
        "office.council_id",
        "office.role",
        "office.from_on",
        "office.to_on",
        "participation.role",
    }


def test_what_is_personal_says_in_words_what_it_holds() -> None:
    """People read it at the head of a value, and in lists where no table stands beside it."""
    words = re.compile(r"[A-Z][^_.]*[^_.,:]")
    for entry in holdings.columns():
        if entry.kind in ("personal", "special"):
            own = entry.column.removesuffix("_sealed")
            told = entry.holds.lower() not in (own, own.replace("_", " ")) or own in NAMED_AS_PEOPLE_DO
            assert told, f"{entry.table}.{entry.column}: {entry.holds}"
            assert words.fullmatch(entry.holds), f"{entry.table}.{entry.column}: {entry.holds}"


def test_no_two_columns_of_a_table_are_called_the_same() -> None:
    for table in [*tables(), *KEY_STORE.sorted_tables]:
        called = [holdings.called(column) for column in table.columns]
        assert sorted(called) == sorted(set(called)), table.name


def test_binary_columns_are_sealed_or_keyed() -> None:
    clear = {
        f"{table.name}.{column.name}"
        for table in tables()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and not column.info["held"].sealed
    }
    assert clear == {
        "audit_entry.mac",
        "audit_head.mac",
        "browser_session.challenge",
        "browser_session.token",
        "factor.handle",
        "feed.token",
        "person.email_index",
        "limit_count.whose",
        "public_request.network",
        "sign_in.network",
        "sign_in.verifier",
    }


def test_the_map_names_every_table_and_store() -> None:
    found = holdings.data_map()
    assert {str(entry["table"]) for entry in found["columns"]} == {
        *(table.name for table in tables()),
        *KEY_STORE.tables,
    }
    assert {"key store", "key folder", "outbox folder"} <= {str(store["name"]) for store in found["stores"]}
