"""Forms of a mentor's hours: the week, a single day, a day that goes back to its weekday's hours, and limits."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.booking.availability import Span
from portal.booking.hours import SPANS_AT_MOST
from portal.booking.intervals import QUARTER, EndsBeforeStart
from portal.forms.base import DatePartsField, Form
from portal.forms.closed_times import KEEP, MOVE, clash_field
from portal.forms.times import quarter_choices
from privacy.clock import MINUTES_IN_DAY

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NUMBERS = range(1, SPANS_AT_MOST + 1)


class SpansForm(Form):
    """Up to three spans of a day for each of `days`, as pairs of selects named `monday_1_from`, `monday_1_to`."""

    days: ClassVar[Sequence[str]] = ()

    def rows(self, day: str) -> list[tuple[Any, Any]]:
        """The pairs of fields of a day."""
        return [(self[f"{day}_{number}_from"], self[f"{day}_{number}_to"]) for number in NUMBERS]

    def spans(self, day: str) -> list[Span]:
        """The spans of a day that are filled in. Only once valid."""
        return [Span(starts.data, ends.data) for starts, ends in self.rows(day) if starts.data is not None]

    def filled(self, day: str) -> set[tuple[Any, Any]]:
        """What stands in the pairs of a day that are not empty, valid or not."""
        pairs = {(starts.data, ends.data) for starts, ends in self.rows(day)}
        return pairs - {(None, None)}

    def fill(self, day: str, spans: Sequence[Span]) -> None:
        """Show these spans."""
        for (starts, ends), span in zip(self.rows(day), spans, strict=False):
            starts.data, ends.data = span.starts, span.ends

    def validate(self, extra_validators: Any = None) -> bool:
        """Also: both ends of each span, in order, and no two of a day that overlap."""
        sound: bool = super().validate(extra_validators)
        return all([sound, *(self._sound(day) for day in self.days)])

    def _sound(self, day: str) -> bool:
        found: list[Span] = []
        for starts, ends in self.rows(day):
            if starts.data is None and ends.data is None:
                continue
            span = self._span(starts, ends)
            if span is None:
                return False
            if any(span.starts < other.ends and other.starts < span.ends for other in found):
                self.refuse(starts, "This overlaps another time of the same day")
                return False
            found.append(span)
        return True

    def _span(self, starts: Any, ends: Any) -> Span | None:
        if starts.data is None or ends.data is None:
            self.refuse(ends if ends.data is None else starts, "Choose both a start and an end")
            return None
        try:
            return Span(starts.data, ends.data)
        except EndsBeforeStart:
            self.refuse(ends, "The end must come after the start")
            return None


def _minute(value: Any) -> int | None:
    if value in (None, ""):
        return None
    minute = int(value)
    if minute not in range(0, MINUTES_IN_DAY + 1, QUARTER):
        raise ValueError("no quarter hour of a day")
    return minute


def _selects(days: Sequence[str]) -> dict[str, SelectField]:
    return {
        f"{day}_{number}_{end}": SelectField(
            f"{day.capitalize()}, time {number}, {end}", choices=quarter_choices, coerce=_minute
        )
        for day in days
        for number in NUMBERS
        for end in ("from", "to")
    }


class WeekForm(SpansForm):
    """The whole week."""

    days = WEEKDAYS

    def week(self) -> dict[int, list[Span]]:
        """Weekday (0 is Monday) to its spans. Only once valid."""
        return {number: self.spans(day) for number, day in enumerate(WEEKDAYS)}


class DayForm(SpansForm):
    """One day with hours of its own; no spans closes it."""

    days = ("day",)
    on = DatePartsField("Which day?", validators=[InputRequired("Enter a date")])
    clash = clash_field()

    @property
    def is_begun(self) -> bool:
        """Whether anything was typed or chosen."""
        return bool(self.on.raw_data or self.filled("day"))

    @property
    def decided(self) -> bool:
        """Whether somebody has said what is to become of the sessions in the way."""
        return self.clash.data in (KEEP, MOVE)


class LimitsForm(Form):
    """The most sessions that a mentor takes on."""

    per_day = SelectField("Most sessions in a day")
    per_week = SelectField("Most sessions in a week")

    @property
    def most(self) -> dict[str, int]:
        """What the rule takes. Only once valid."""
        return {"per_day": int(self.per_day.data), "per_week": int(self.per_week.data)}

    def offer(self, *, per_day: int, per_week: int) -> None:
        """Up to the programme's own numbers."""
        self.per_day.choices = [SelectChoice(str(number), str(number)) for number in range(1, per_day + 1)]
        self.per_week.choices = [SelectChoice(str(number), str(number)) for number in range(1, per_week + 1)]


for _form in (WeekForm, DayForm):
    for _name, _field in _selects(_form.days).items():
        setattr(_form, _name, _field)


class ForgetDayForm(Form):
    """Which single day goes back to its weekday's hours."""

    forget = StringField(validators=[InputRequired()])

    @property
    def day(self) -> date | None:
        """The day; None for what is no date."""
        try:
            return date.fromisoformat(self.forget.data or "")
        except ValueError:
            return None
