"""What people may do themselves: letters of the programme file, entered once, and what later ones say."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.own_data import self_service
from portal.programme import Programme
from privacy import registers
from privacy.registers import Register, RegisterEntry, Standing
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack

TODAY = date(2023, 3, 1)


def enter_named(db: DbSession, clock: SetClock, programme: Programme, **letters: Any) -> list[str]:
    named = {act: letters.get(act.value, "") for act in Standing}
    with unit_of_work(db, clock, "system:init") as work:
        return self_service.enter_named(work, replace(programme, standing=named))


def allowed(db: DbSession, *, on: date = TODAY) -> set[Standing]:
    db.rollback()
    return {act for act, entry in self_service.allows(db, on=on).items() if entry is not None}


def test_without_a_letter_nothing_is_allowed(db: DbSession, clock: SetClock, programme: Programme) -> None:
    assert set(programme.standing.values()) == {""}, "the shipped file names no letter: there is none"
    assert enter_named(db, clock, programme) == []
    assert allowed(db) == set()


def test_letters_of_the_file_are_entered_once(db: DbSession, clock: SetClock, programme: Programme) -> None:
    assert enter_named(db, clock, programme, own_download="A 1") == ["A 1"]
    assert enter_named(db, clock, programme, own_download="A 1") == []
    assert allowed(db) == {Standing.OWN_DOWNLOAD}
    assert enter_named(db, clock, programme, own_download="A 1", own_correction="A 1") == ["A 1"]
    assert allowed(db) == set(Standing)
    assert len(db.scalars(select(RegisterEntry)).all()) == 2


def test_setting_up_again_does_not_undo_a_later_letter(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    enter_named(db, clock, programme, own_download="A 1")
    clock.pass_time(hours=1)
    with unit_of_work(db, clock, "person:dpo") as work:
        acts = {Standing.OWN_DOWNLOAD: False}
        self_service.enter(work, letter="B 2", from_on=TODAY, acts=acts, wording="No more.")
    assert allowed(db) == set()
    enter_named(db, clock, programme, own_download="A 1")
    assert allowed(db) == set()


def test_an_instruction_counts_from_its_day_and_not_once_it_is_replaced(
    db: DbSession, clock: SetClock
) -> None:
    with unit_of_work(db, clock, "person:dpo") as work:
        acts = {Standing.OWN_CORRECTION: True}
        first = self_service.enter(
            work, letter="A 1", from_on=date(2023, 3, 5), acts=acts, wording="From the fifth."
        )
        registers.enter(
            work,
            register=Register.INSTRUCTION,
            letter="B 2",
            from_on=date(2023, 3, 9),
            replaces_id=first.id,
            body="Instead of the first.",
        )
    assert allowed(db) == set()
    assert allowed(db, on=date(2023, 3, 5)) == {Standing.OWN_CORRECTION}
    assert allowed(db, on=date(2023, 3, 9)) == set()


def run(stack: Stack, *args: str) -> Result:
    return stack.app.test_cli_runner().invoke(args=list(args))


@pytest.mark.parametrize("lets", [(), ("own_download",), ("own_download", "own_correction")])
def test_the_command_says_what_an_instruction_lets_people_do(
    stack: Stack, db: DbSession, lets: tuple[str, ...]
) -> None:
    options = [word for one in lets for word in ("--lets", one)]
    assert run(stack, "privacy", "instruction", "C 3", "--text", "They may.", *options).exit_code == 0
    assert allowed(db) == set(map(Standing, lets))
