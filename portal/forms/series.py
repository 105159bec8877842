"""Forms of a series of sessions: how it is meant, then its days one by one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.booking import series
from portal.booking.series import Date, Every
from portal.forms.base import DatePartsField
from portal.forms.times import ClockField, HiddenIdField, LengthSelectField, TravelForm, WhenForm, instant_of
from privacy.clock import MissingTime

ROWS = range(1, series.AT_MOST + 1)


class _SeriesFields(TravelForm):
    """What both steps ask."""

    series_id = HiddenIdField()
    mentor_id = SelectField("Mentor")
    minutes = LengthSelectField()

    def offer_mentors(self, mentors: Sequence[tuple[UUID, str]]) -> None:
        """Who can be chosen."""
        self.mentor_id.choices = [SelectChoice(str(mentor_id), name) for mentor_id, name in mentors]

    @property
    def common(self) -> dict[str, Any]:
        """What all sessions of the series share, as the rules take it."""
        return {"mentor_id": UUID(self.mentor_id.data), "minutes": self.minutes.data}


class SeriesPlanForm(WhenForm, _SeriesFields):
    """The first session, how often, and how many."""

    every = RadioField(
        "How often?",
        choices=[
            SelectChoice(Every.WEEK.value, "Every week"),
            SelectChoice(Every.FORTNIGHT.value, "Every second week"),
            SelectChoice(Every.MONTH.value, "Every month, on the same weekday of the month"),
        ],
        validators=[InputRequired("Choose how often")],
    )
    count = SelectField(
        "How many sessions?",
        choices=[SelectChoice(number, str(number)) for number in range(series.AT_LEAST, series.AT_MOST + 1)],
        coerce=int,
        default=4,
    )


class SeriesDatesFields(_SeriesFields):
    """The days of a series as rows `on_1`, `at_1`, `book_1`; a row that is not ticked is left out."""

    def rows(self) -> list[tuple[BooleanField, DatePartsField, ClockField]]:
        """The rows that the form has: those that were sent, or filled in."""
        found = [(self[f"book_{number}"], self[f"on_{number}"], self[f"at_{number}"]) for number in ROWS]
        return [row for row in found if row[1].raw_data is not None or row[1].data is not None]

    def fill(self, dates: Sequence[Date], *, minute: int) -> None:
        """Show these days; what clashes or is a bank holiday is not ticked."""
        for number, found in zip(ROWS, dates, strict=False):
            on, at, book = self[f"on_{number}"], self[f"at_{number}"], self[f"book_{number}"]
            on.process(None, found.on)
            at.process(None, minute)
            book.data = found.problem is None and found.holiday is None

    def validate(self, extra_validators: Any = None) -> bool:
        """Also: each ticked row has a day and a time that exists."""
        sound: bool = super().validate(extra_validators)
        return all([sound, *(self._sound(on, at) for book, on, at in self.rows() if book.data)])

    def _sound(self, on: DatePartsField, at: ClockField) -> bool:
        if on.errors or at.errors:
            return False
        if on.data is None:
            self.refuse(on, "Enter a date")
        elif at.data is None:
            self.refuse(at, at.named("Enter a time such as 2:30pm"))
        else:
            try:
                instant_of(on, at)
            except MissingTime as problem:
                self.refuse(at, problem)
            else:
                return True
        return False

    @property
    def sessions(self) -> dict[UUID, datetime]:
        """The ticked rows: the id that each session will have, and when it starts. Only once valid."""
        return {
            series.session_id(self.series_id.id_to_make, number): instant_of(on, at)
            for number, (book, on, at) in enumerate(self.rows(), 1)
            if book.data
        }

    def show(self, problems: Mapping[datetime, str]) -> None:
        """Put what was refused beside its row."""
        for book, on, at in self.rows():
            if book.data and on.data is not None and at.data is not None:
                problem = problems.get(instant_of(on, at))
                if problem is not None:
                    self.refuse(on, problem)


class SeriesForm(SeriesDatesFields):
    """The second step."""


for _row in ROWS:
    setattr(SeriesForm, f"book_{_row}", BooleanField(f"Book session {_row}"))
    setattr(SeriesForm, f"on_{_row}", DatePartsField(f"Day of session {_row}", said="The date"))
    setattr(SeriesForm, f"at_{_row}", ClockField(f"Start of session {_row}", said=f"Session {_row}"))
