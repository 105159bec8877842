"""Fields of forms: what is typed or forged, and what rules get of it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, StringField

from portal.app import create_app
from portal.days import day_in, instant_in
from portal.forms.account import figures
from portal.forms.base import DatePartsField, Form, HiddenNumberField, WholeNumberField, one_line
from portal.forms.times import ClockField, PickedField, minute_of
from portal.mailing import letters
from portal.settings import Settings

MENTOR = "0f0e0d0c-0b0a-4909-8807-060504030201"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


class Everything(Form):
    name = StringField("Name")
    address = EmailField("Address")
    on = DatePartsField("Day")
    at = ClockField("Time")
    many = WholeNumberField("How many")
    seen = HiddenNumberField()
    time = PickedField("Time of the list")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings.from_environ({}, root=Path("/nowhere")))


def filled(app: Flask, **typed: Any) -> Everything:
    with app.test_request_context("/", method="POST"):
        data = MultiDict({name.replace("__", "-"): value for name, value in typed.items()})
        form = Everything(formdata=data, meta={"csrf": False})
        form.validate()
        return form


@pytest.mark.parametrize(
    "typed, line",
    [
        (f" {FAMILY} ", FAMILY),
        ("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc"),
        ("a\u00a0\u2003b", "a b"),
        ("a\tb\r\nc\u2028d\u2029e\x85f\0g", "a b c d e f g"),
        ("\u202eevil", "evil"),
        ("\u200b\u200d", ""),
        ("", ""),
        (None, None),
    ],
)
def test_one_line_keeps_what_joins_letters_and_emoji(typed: str | None, line: str | None) -> None:
    assert one_line(typed) == line
    if line:
        assert letters.one_line(typed or "") == line


def test_marks_around_what_rules_read_are_passed_over(app: Flask) -> None:
    form = filled(
        app,
        address="\u200bana@council.example\u200e",
        on__day="\u200e27",
        on__month="3\u200e",
        on__year="\u206a2023",
        at="\u200e2:30pm",
        many="\u200e45",
    )
    assert form.address.data == "ana@council.example"
    assert (form.on.data, form.at.data, form.many.data) == (date(2023, 3, 27), 870, 45)
    assert figures("\u200e123\u200b 456") == "123456"


@pytest.mark.parametrize(
    "instant, picked",
    [
        ("2023-03-06T14:30:00+00:00", datetime(2023, 3, 6, 14, 30, tzinfo=UTC)),
        ("2023-06-06T14:30:00+01:00", datetime(2023, 6, 6, 13, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("0001-01-01T00:00:00+00:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("9999-12-31T23:45:00+00:00", None),
        ("2023-03-06T14:31:00+00:00", None),
        ("2023-03-06T14:30:01+00:00", None),
        ("2023-03-06T14:30:00.000001+00:00", None),
        ("2023-03-06T14:30:00", None),
        ("2023-03-06", None),
        ("x", None),
    ],
)
def test_forged_times_are_no_times(app: Flask, instant: str, picked: datetime | None) -> None:
    form = filled(app, time=f"{instant} {MENTOR}")
    if picked is None:
        assert (form.time.data, form.time.errors) == (None, ["Choose a time"])
    else:
        assert (form.time.picked.starts_at, form.time.picked.mentor_id) == (picked, UUID(MENTOR))


@pytest.mark.parametrize("year", ["0001", "1899", "2101", "9999", "²²²²"])
def test_years_that_nobody_means(app: Flask, year: str) -> None:
    form = filled(app, on__day="31", on__month="12", on__year=year)
    assert form.on.data is None
    assert form.on.errors == ["The date must be a real date, such as 27 3 2023"]


@pytest.mark.parametrize("year", ["23", "3", "20233"])
def test_a_year_has_four_figures(app: Flask, year: str) -> None:
    form = filled(app, on__day="29", on__month="3", on__year=year)
    assert (form.on.data, form.on.wrong_parts) == (None, ["year"])
    assert form.on.errors == ["The date needs a year of four figures, such as 2023"]


@pytest.mark.parametrize(
    "typed, minute",
    [
        ("0900", 540),
        ("900", 540),
        ("1430", 870),
        ("930am", 570),
        ("0230pm", 870),
        ("14.30", 870),
        ("0000", 0),
    ],
)
def test_times_are_read_as_people_write_them(typed: str, minute: int) -> None:
    assert minute_of(typed) == minute


@pytest.mark.parametrize("typed", ["230", "9", "9:00", "24:00", "1460", "12345"])
def test_times_that_may_be_either_or_are_none(typed: str) -> None:
    with pytest.raises(ValueError, match="such as 2:30pm"):
        minute_of(typed)


@pytest.mark.parametrize("typed", ["many", "4.5", "²", "9" * 5000])
def test_a_number_that_is_none(app: Flask, typed: str) -> None:
    form = filled(app, many=typed)
    assert (form.many.data, form.many.errors) == (None, ["Enter a whole number"])


@pytest.mark.parametrize("typed", ["9" * 400, "-" + "9" * 400, str(2**31)])
def test_a_number_that_nothing_could_hold(app: Flask, typed: str) -> None:
    form = filled(app, many=typed)
    assert (form.many.data, form.many.errors) == (None, ["Enter a smaller number"])


@pytest.mark.parametrize("carried", ["", "many", "²", "9" * 400, "9" * 5000])
def test_a_number_that_a_page_carries_is_none_where_it_comes_back_as_nothing_we_sent(
    app: Flask, carried: str
) -> None:
    form = filled(app, seen=carried)
    assert (form.seen.data, list(form.seen.errors)) == (None, [])
    assert filled(app, seen="7").seen.data == 7


@pytest.mark.parametrize("day", ["9" * 20, "9" * 400, "0", "32"])
def test_days_that_no_month_has(app: Flask, day: str) -> None:
    form = filled(app, on__day=day, on__month="12", on__year="2023")
    assert form.on.data is None
    assert form.on.errors == ["The date must be a real date, such as 27 3 2023"]
    assert form.on.parts["day"] == day[:20]


def test_days_of_reports() -> None:
    assert day_in("2100-12-31") == date(2100, 12, 31)
    for text in ("1999-12-31", "2101-01-01", "9999-12-31", "2023-02-29", ""):
        with pytest.raises(ValueError, match="real date from 2000 to 2100"):
            day_in(text)
    with pytest.raises(ValueError, match="no instant"):
        instant_in("9999-12-31T23:59:59+00:00")
