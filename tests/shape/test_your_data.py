"""What people are told of their data is whole: every table has a word, every version of the notice its words."""

import hashlib
from pathlib import Path

import portal.models  # noqa: F401 - its tables must be known
from portal.cases import held_words
from portal.own_data import cases as own_cases
from portal.own_data import copy as own_copy
from portal.own_data import notices as privacy_notices
from portal.own_data import rights as own_rights
from portal.own_data import what_we_hold
from privacy import processing, reach
from privacy.cases.rules import ASKED, RULES
from privacy.cases.tables import Event
from privacy.columns import sealed_columns

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# What the desk writes for itself, and what happens in other kinds of case than people's own.
KEPT_TO_ITSELF = {Event.NOTE, Event.ASSIGNED, Event.UNLAWFUL_TOLD, Event.LATE_EXPLAINED}


def test_every_table_about_people_has_a_word() -> None:
    named = {f"{link.table.name}.{link.column.name}" for link in reach.mentions()}
    known = {table.name for table in reach.personal_tables()} | named
    assert known - set(what_we_hold.WORDS) == set(), (
        "say in portal/own_data/what_we_hold.py what people call it"
    )
    assert set(what_we_hold.WORDS) - known == set(), "there is no such table or column"
    assert {group for group, _ in what_we_hold.WORDS.values()} <= set(what_we_hold.GROUPS)


def test_every_table_that_the_desk_searches_has_a_word() -> None:
    known = {activity.table for activity in processing.activities()}
    assert known - set(held_words.WORDS) == set(), "say in portal/cases/held_words.py what the desk calls it"
    assert set(held_words.WORDS) - known == set(), "there is no such table"
    assert {group for group, _ in held_words.WORDS.values()} == set(held_words.GROUPS)


def test_what_is_theirs_in_a_copy_are_values_that_exist() -> None:
    known = set()
    for table in reach.tables():
        kind = reach.mapper_of(table).class_
        descriptors = sealed_columns(kind)
        for cls in kind.__mro__:
            known |= {
                f"{table.name}.{name}"
                for name, value in vars(cls).items()
                if any(value is one for one in descriptors)
            }
    assert own_copy.THEIRS - known == set()


def test_versions_of_the_privacy_notice_never_change() -> None:
    days = [version.on for version in privacy_notices.VERSIONS]
    assert days == sorted(set(days))
    for version in privacy_notices.VERSIONS:
        path = TEMPLATES / version.template
        assert path.stem == version.on.isoformat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert digest == version.digest, "a changed notice is a new file with a date of its own"
    files = {f"privacy_notices/{path.name}" for path in (TEMPLATES / "privacy_notices").iterdir()}
    assert files == {version.template for version in privacy_notices.VERSIONS}


def test_every_right_can_be_asked_for_and_every_step_is_decided() -> None:
    assert {right.kind for right in own_rights.RIGHTS} == set(ASKED) == set(own_cases.TITLES)
    theirs = {event for event, rule in RULES.items() if rule.kinds & ASKED}
    assert set(own_cases.HAPPENED) <= theirs
    assert not set(own_cases.HAPPENED) & KEPT_TO_ITSELF
