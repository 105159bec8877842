"""Fields for times: one of a list, or a day and a time as people type them, in London wall time."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from wtforms import Field, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.utils import unset_value
from wtforms.validators import InputRequired, Length, StopValidation

from portal.booking import places
from portal.booking.intervals import QUARTER
from portal.days import instant_in
from portal.forms.base import DatePartsField, Form, plain_line
from portal.models import Place
from privacy.clock import MINUTES_IN_DAY, MissingTime, clock_face, wall
from privacy.records import new_id

WHERE_AT_MOST = 300
TRAVEL_AT_MOST = 500
_TYPED = re.compile(r"(\d{1,2})(?:([:.]?)(\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
_MORNING = range(7, 10)
"""Hours of three figures, such as 900, that nobody means for the evening."""
_WORDS = {"midday": 720, "noon": 720, "midnight": 0}


def minute_of(text: str) -> int:
    """The same in quarter hours. Raises ValueError with a message."""
    minute = any_minute_of(text)
    if minute % QUARTER:
        raise ValueError("Use a quarter hour: 2pm, 2:15pm, 2:30pm or 2:45pm")
    return minute


def any_minute_of(text: str) -> int:
    """The minute of the day that was typed: "2:30pm", "9am", "14:30", "1430", "900". Raises ValueError with a
    message."""
    word = text.lower().strip()
    if word in _WORDS:
        return _WORDS[word]
    found = _TYPED.fullmatch(word)
    if found is None:
        raise ValueError("Enter a time such as 2:30pm")
    hour, minute, half = int(found[1]), int(found[3] or 0), found[4]
    if half:
        if not 1 <= hour <= 12 or minute > 59:
            raise ValueError("Enter a time such as 2:30pm")
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    elif found[3] is None or (len(found[1]) == 1 and hour > 0 and (found[2] or hour not in _MORNING)):
        # "2:30" may be either; only the 24-hour clock in full is clear.
        raise ValueError("Say am or pm, such as 2:30pm")
    if hour > 23 or minute > 59:
        raise ValueError("Enter a time such as 2:30pm")
    return hour * 60 + minute


class ClockField(Field):
    """A time as people type it. `data` is the minute of the London day, or None. `said` begins its messages where a
    form has several, such as "Time 2"."""

    widget = StringField.widget
    data: int | None
    read = staticmethod(minute_of)

    def __init__(self, label: str = "", *, said: str = "", **options: Any) -> None:
        super().__init__(label, **options)
        self.said = said
        self.typed = ""

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        super().process(None, data, extra_filters)
        if isinstance(self.data, int):
            self.typed = clock_face(self.data)
        if formdata is not None and self.name in formdata:
            self.typed = (plain_line(formdata.get(self.name, "")) or "")[:20]
            self.raw_data = [self.typed] if self.typed else []
            self.data = None
            if self.typed:
                try:
                    self.data = self.read(self.typed)
                except ValueError as problem:
                    self.process_errors.append(self.named(str(problem)))

    def named(self, message: str) -> str:
        """The message with the name of the box before it."""
        return f"{self.said}: {message[:1].lower()}{message[1:]}" if self.said else message

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            raise StopValidation()

    def _value(self) -> str:
        return self.typed


class MinuteField(ClockField):
    """The same to the minute: when something happened, rather than when it is to be."""

    read = staticmethod(any_minute_of)


def instant_of(on: DatePartsField, at: ClockField) -> datetime:
    """The instant that two filled fields name. Raises MissingTime."""
    if on.data is None or at.data is None:
        raise LookupError("a field is empty")
    return wall(on.data, at.data)


@dataclass(frozen=True)
class Picked:
    """A time of the list, as its radio names it."""

    starts_at: datetime
    mentor_id: UUID


class PickedField(Field):
    """One time of a list. `data` is a Picked or None; whether it can be booked, the rule says."""

    widget = StringField.widget
    data: Picked | None

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not valuelist[0]:
            return
        try:
            instant, mentor = valuelist[0].split(" ")
            starts_at = instant_in(instant)
            picked = Picked(starts_at, UUID(mentor))
        except ValueError as problem:
            raise ValueError("Choose a time") from problem
        if starts_at.minute % QUARTER or starts_at.second or starts_at.microsecond:
            raise ValueError("Choose a time")
        self.data = picked

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            raise StopValidation()
        if self.data is None:
            raise StopValidation("Choose a time")

    @property
    def picked(self) -> Picked:
        """What was picked. Only once valid."""
        if self.data is None:
            raise LookupError("nothing was picked")
        return self.data

    def _value(self) -> str:
        return f"{self.data.starts_at.isoformat()} {self.data.mentor_id}" if self.data else ""


class HiddenIdField(HiddenField):
    """The id of what the form will make: a form that is sent twice makes it once."""

    data: UUID | None

    @property
    def id_to_make(self) -> UUID:
        """The id. Only once valid."""
        if self.data is None:
            raise LookupError("the form has no id")
        return self.data

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = None
        if valuelist:
            try:
                self.data = UUID(valuelist[0])
            except ValueError as problem:
                raise ValueError("Open this page again and send the form once more") from problem

    def pre_validate(self, form: Any) -> None:
        if self.data is None:
            raise StopValidation("Open this page again and send the form once more")


class HiddenOnceField(HiddenIdField):
    """The same with an id of its own to begin with. A form that comes without one, such as a page of before an
    upgrade, is taken too, and counts each time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default=new_id, **options)

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        if self.data is None:
            self.data = new_id()


def renew_ids(form: Form) -> None:
    """Give a form that is shown again a new id: what it was opened for has been made, as after going back."""
    for field in form:
        if isinstance(field, HiddenIdField):
            field.data = new_id()


PLACES = tuple(SelectChoice(place.value, said) for place, said in places.WORDS.items())


class PlaceForm(Form):
    """How people meet, and where; a link goes into the same box as an address."""

    place = RadioField("How will you meet?", choices=PLACES, default=Place.REMOTE.value)
    where = StringField(
        "Address, link, or both",
        description="You can leave this empty and add it later.",
        validators=[Length(max=WHERE_AT_MOST, message=f"Use {WHERE_AT_MOST} characters or fewer")],
    )

    @property
    def met(self) -> dict[str, Any]:
        """`place` and `where`, as rules take them."""
        return {"place": Place(self.place.data), "where": self.where.data or None}


class TravelForm(PlaceForm):
    """Also how to get there."""

    travel = TextAreaField(
        "How to get there",
        description="Parking, entrance, whom to ask for. Leave it empty if you meet online.",
        validators=[Length(max=TRAVEL_AT_MOST, message=f"Use {TRAVEL_AT_MOST} characters or fewer")],
    )

    @property
    def met(self) -> dict[str, Any]:
        return {**super().met, "travel": self.travel.data or None}


MEANT = "This time is right"
"""What is ticked beside a time at which sessions are hardly ever held."""


class WhenForm(PlaceForm):
    """A day and a time, typed."""

    on = DatePartsField("Which day?", validators=[InputRequired("Enter a date")])
    at = ClockField(
        "What time does it start?",
        description="In quarter hours, such as 2:30pm",
        validators=[InputRequired("Enter a time such as 2:30pm")],
    )

    def validate_at(self, field: ClockField) -> None:
        if self.on.data is not None and field.data is not None:
            try:
                wall(self.on.data, field.data)
            except MissingTime as problem:
                raise StopValidation(str(problem)) from problem

    @property
    def starts_at(self) -> datetime:
        """The instant; a time that comes twice is its first coming (the page shows BST). Only once valid."""
        return instant_of(self.on, self.at)


def length_choices(*, step: int = 15, most: int = 480) -> list[SelectChoice]:
    """Lengths to choose from, in minutes."""
    return [SelectChoice(minutes, _length(minutes)) for minutes in range(step, most + 1, step)]


def quarter_choices(form: Any, field: Any) -> list[SelectChoice]:
    """The quarter hours from 7am to 10pm and the field's own, after an empty one."""
    quarters = set(range(7 * 60, 22 * 60 + 1, QUARTER))
    if isinstance(field.data, int) and field.data in range(0, MINUTES_IN_DAY + 1, QUARTER):
        quarters.add(field.data)
    return [SelectChoice("", "–"), *(SelectChoice(minute, clock_face(minute)) for minute in sorted(quarters))]


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    words = [f"{hours} hour{'' if hours == 1 else 's'}"] if hours else []
    return " ".join([*words, f"{rest} minutes"] if rest else words)


class LengthSelectField(SelectField):
    """A length in quarter hours; `data` is minutes."""

    def __init__(self, label: str = "How long is it?", **options: Any) -> None:
        super().__init__(label, choices=length_choices(), coerce=int, **options)
