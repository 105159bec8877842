"""The facts of the programme: one file, checked whole, overridden by dated entries."""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session as DbSession

from portal import programme as programmes
from portal.instance import SHIPPED_PROGRAMME
from portal.programme import OutsideContract, Period, Programme, ProgrammeFaults
from privacy import registers
from privacy.registers import Register
from privacy.work import unit_of_work
from tests.conftest import SetClock

Edit = Callable[[str], str]


def load(folder: Path, edit: Edit) -> Programme:
    path = folder / "programme.toml"
    path.write_text(edit(SHIPPED_PROGRAMME.read_text(encoding="utf-8")), encoding="utf-8")
    return programmes.load(path)


def test_the_shipped_file_has_the_contracts_facts() -> None:
    facts = programmes.load(SHIPPED_PROGRAMME)
    assert facts.reference == "con_9887"
    assert facts.contract == Period(date(2021, 6, 1), date(2024, 3, 31))
    assert {kpi.target for kpi in facts.kpis.values()} == {0.75}
    assert (facts.minutes_in_day, facts.minimum_days, facts.minimum_minutes) == (420, 5, 2100)
    assert facts.post_months == 3
    assert facts.sla["one_to_one_councils"] == facts.sla["group_councils"] == 15


def test_contract_years_end_on_31_march_and_the_first_has_ten_months() -> None:
    facts = programmes.load(SHIPPED_PROGRAMME)
    years = programmes.contract_years(facts.contract, facts.year_ends)
    assert [(year.name, year.period.starts_on, year.period.ends_on) for year in years] == [
        ("2021-22", date(2021, 6, 1), date(2022, 3, 31)),
        ("2022-23", date(2022, 4, 1), date(2023, 3, 31)),
        ("2023-24", date(2023, 4, 1), date(2024, 3, 31)),
    ]


def test_a_contract_that_ends_early_or_is_extended_has_its_years() -> None:
    early = programmes.contract_years(Period(date(2021, 6, 1), date(2022, 1, 31)), (3, 31))
    assert [year.name for year in early] == ["2021-22"]
    longer = programmes.contract_years(Period(date(2021, 6, 1), date(2025, 3, 31)), (3, 31))
    assert [year.name for year in longer] == ["2021-22", "2022-23", "2023-24", "2024-25"]


def test_every_fault_is_reported_at_once_by_key(tmp_path: Path) -> None:
    def harm(text: str) -> str:
        return (
            text.replace('reference = "con_9887"', "")
            .replace("starts_on = 2021-06-01 ", "starts_on = 2021-06-01T10:00:00 ")
            .replace("target = 0.75", "target = 75", 1)
            .replace("minutes_in_day = 420", 'minutes_in_day = "420"')
            .replace("buffer_minutes = 15", "buffer_minutes = 10")
            .replace('team = "leadership-support@programme.example"', 'team = "nobody"')
            .replace("feedback_days = 14", "feedback_days = 14\nfeedback_dais = 3")
        )

    with pytest.raises(ProgrammeFaults) as caught:
        load(tmp_path, harm)
    text = "\n".join(caught.value.faults)
    for key in (
        "contract.reference is missing",
        "contract.starts_on must be a date",
        "kpi.one_to_one.target",
        "support.minutes_in_day",
        "booking.buffer_minutes",
        "contacts.team",
        "windows.feedback_dais is not a known key",
    ):
        assert key in text, f"{key} in\n{text}"


def test_a_file_of_the_release_before_is_taken_with_what_was_shipped_since(tmp_path: Path) -> None:
    def older(text: str) -> str:
        for section in programmes.LATER:
            text = re.sub(rf"^\[{section}\]\n.*?(?=^\[|^#|\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
            assert f"[{section}]" not in text
        return text

    before, now = load(tmp_path, older), load(tmp_path, str)
    assert (before.disclosure, before.reading) == (now.disclosure, now.reading)


@pytest.mark.parametrize(
    "edit",
    [lambda text: text + "\n[[", lambda text: text.replace("ends_on = 2024-03-31", "ends_on = 2021-05-31")],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, edit: Edit) -> None:
    with pytest.raises(ProgrammeFaults):
        load(tmp_path, edit)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgrammeFaults, match=r"missing\.toml"):
        programmes.load(tmp_path / "missing.toml")


def test_what_the_code_knows_the_file_names() -> None:
    """Every role and kind of session has its word, and no other stands there."""
    data = tomllib.loads(SHIPPED_PROGRAMME.read_text(encoding="utf-8"))
    facts = programmes.load(SHIPPED_PROGRAMME)
    assert set(data["roles"]) == {role.value for role in facts.roles}
    assert set(data["session_kinds"]) == {kind.value for kind in facts.session_kinds}


def test_a_register_entry_overrides_the_files_end(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    on = date(2023, 3, 1)
    assert programmes.contract_period(db, programme, on=on).ends_on == date(2024, 3, 31)
    with unit_of_work(db, clock, "person:tess") as work:
        registers.enter(
            work,
            register=Register.CONTRACT_END,
            letter="DFE-1",
            from_on=date(2023, 4, 1),
            value_on=date(2024, 9, 30),
            body="Extended by six months.",
        )
    assert programmes.contract_period(db, programme, on=on).ends_on == date(2024, 3, 31), "not in force yet"
    assert programmes.contract_period(db, programme, on=date(2023, 4, 1)).ends_on == date(2024, 9, 30)


def test_a_day_outside_the_contract_is_refused_naming_dates_and_file(
    db: DbSession, programme: Programme
) -> None:
    with pytest.raises(OutsideContract) as caught:
        programmes.require_inside(db, programme, date(2024, 4, 1), what="The session", on=date(2023, 3, 1))
    for word in ("1 April 2024", "1 June 2021", "31 March 2024", "programme.toml"):
        assert word in str(caught.value)
