"""Forms of those who give support: offers, and sessions to log, record and schedule.

`asked` holds what the rule takes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, StopValidation

from portal import offers
from portal.delivery import MINUTES_AT_MOST, MINUTES_STEP, Outcome
from portal.forms.base import DatePartsField, Form, WholeNumberField
from portal.forms.times import ClockField, HiddenIdField, LengthSelectField, PlaceForm, WhenForm, instant_of
from portal.models import SessionKind
from portal.sessions import PLACES_AT_MOST
from privacy.clock import MissingTime

TITLE_AT_MOST = 100
Named = Sequence[tuple[UUID | SessionKind, str]]

_short = Length(max=TITLE_AT_MOST, message=f"Use {TITLE_AT_MOST} characters or fewer")
_minutes = NumberRange(MINUTES_STEP, MINUTES_AT_MOST, message="Enter minutes from 5 to 480")


def _choices(named: Named) -> list[SelectChoice]:
    return [SelectChoice(str(value), words) for value, words in named]


def _in_steps(form: Any, field: Any) -> None:
    if field.data is not None and field.data % MINUTES_STEP:
        raise StopValidation("Round to 5 minutes")


class OfferFields(PlaceForm):
    """Three to five times as rows `on_1`, `at_1` and so on; the rows after the third can stay empty."""

    mentor_id = SelectField("Mentor")

    def name_choices(self, *, mentors: Named) -> None:
        self.mentor_id.choices = _choices(mentors)

    def rows(self) -> list[tuple[DatePartsField, ClockField]]:
        """Day and time of each row."""
        return [(self[f"on_{number}"], self[f"at_{number}"]) for number in range(1, offers.AT_MOST + 1)]

    def validate(self, extra_validators: Any = None) -> bool:
        """Also: each row whole, no time that the clock jumps over, no time twice."""
        sound: bool = super().validate(extra_validators)
        seen: set[datetime] = set()
        return all([sound, *(self._sound(row, on, at, seen) for row, (on, at) in enumerate(self.rows(), 1))])

    def _sound(self, row: int, on: DatePartsField, at: ClockField, seen: set[datetime]) -> bool:
        if on.errors or at.errors:
            return False
        if on.data is None and at.data is None and row > offers.AT_LEAST:
            return True
        if on.data is None:
            self.refuse(on, f"Enter the date of time {row}")
        elif at.data is None:
            self.refuse(at, f"Enter the start of time {row}, such as 2:30pm")
        else:
            return self._new(on, at, seen)
        return False

    def _new(self, on: DatePartsField, at: ClockField, seen: set[datetime]) -> bool:
        try:
            starts_at = instant_of(on, at)
        except MissingTime as problem:
            self.refuse(at, problem)
            return False
        if starts_at in seen:
            self.refuse(at, "You entered this time twice. Choose another time")
            return False
        seen.add(starts_at)
        return True

    @property
    def asked(self) -> dict[str, Any]:
        starts = [instant_of(on, at) for on, at in self.rows() if on.data is not None]
        return {"mentor_id": UUID(self.mentor_id.data), "starts": starts, **self.met}

    def field_of(self, starts_at: datetime | None) -> ClockField | None:
        """The time field of the row with this instant."""
        found = (at for on, at in self.rows() if on.data and instant_of(on, at) == starts_at)
        return next(found, None)


class OfferForm(OfferFields):
    """The times of one mail."""


for _row in range(1, offers.AT_MOST + 1):
    setattr(OfferForm, f"on_{_row}", DatePartsField(f"Day of time {_row}", said=f"The date of time {_row}"))
    setattr(OfferForm, f"at_{_row}", ClockField(f"Start of time {_row}"))


class LogForm(WhenForm):
    """A session that took place. Kind, title and who came are asked for groups only."""

    session_id = HiddenIdField()
    mentor_id = SelectField("Mentor")
    minutes = WholeNumberField(
        "How many minutes did it last?", validators=[InputRequired("Enter the minutes"), _minutes, _in_steps]
    )
    kind = SelectField("What kind of session?", default=SessionKind.ONE_TO_ONE.value)
    title = StringField("What was it called?", validators=[_short])
    attended = SelectMultipleField("Who came?")

    def name_choices(self, *, mentors: Named, kinds: Named, members: Named) -> None:
        self.mentor_id.choices = _choices(mentors)
        self.kind.choices = _choices(kinds)
        self.attended.choices = _choices(members)

    @property
    def asked(self) -> dict[str, Any]:
        kind = SessionKind(self.kind.data)
        one = kind is SessionKind.ONE_TO_ONE
        return {
            "session_id": self.session_id.id_to_make,
            "mentor_id": UUID(self.mentor_id.data),
            "starts_at": self.starts_at,
            "minutes": self.minutes.data,
            "kind": kind,
            "title": self.title.data or None,
            "attended": None if one else {UUID(person_id) for person_id in self.attended.data or []},
            **self.met,
        }


class RecordForm(Form):
    """What became of a session; who came is asked for groups only."""

    outcome = RadioField(
        "Did the session take place?",
        choices=[
            SelectChoice(Outcome.HELD.value, "Yes"),
            SelectChoice(Outcome.NO_SHOW.value, "No, nobody came"),
            SelectChoice(Outcome.CANCELLED.value, "No, it was called off"),
        ],
        validators=[InputRequired("Say whether the session took place")],
    )
    minutes = WholeNumberField("How many minutes did it last?")
    attended = SelectMultipleField("Who came?")

    def name_choices(self, *, members: Named) -> None:
        self.attended.choices = _choices(members)

    def validate_minutes(self, field: WholeNumberField) -> None:
        """Minutes count only where there was a session."""
        if self.outcome.data != Outcome.HELD.value:
            field.errors = []
            raise StopValidation
        if field.errors:
            return
        if field.data is None:
            raise StopValidation("Enter the minutes")
        _minutes(self, field)
        _in_steps(self, field)

    @property
    def asked(self) -> dict[str, Any]:
        held = self.outcome.data == Outcome.HELD.value
        came = {UUID(person_id) for person_id in self.attended.data or []}
        return {
            "outcome": Outcome(self.outcome.data),
            "minutes": self.minutes.data if held else None,
            "attended": came if self.attended.choices else None,
        }


class ScheduleForm(WhenForm):
    """A group session with places."""

    session_id = HiddenIdField()
    mentor_id = SelectField("Mentor")
    kind = SelectField("What kind of session?")
    title = StringField(
        "What is it called?", validators=[InputRequired("Enter what the session is called"), _short]
    )
    minutes = LengthSelectField(default=120)
    capacity = WholeNumberField(
        "How many places are there?",
        validators=[
            InputRequired("Enter the number of places"),
            NumberRange(1, PLACES_AT_MOST, message=f"Enter a number from 1 to {PLACES_AT_MOST}"),
        ],
    )

    def name_choices(self, *, mentors: Named, kinds: Named) -> None:
        self.mentor_id.choices = _choices(mentors)
        self.kind.choices = _choices(kinds)

    @property
    def asked(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id.id_to_make,
            "mentor_id": UUID(self.mentor_id.data),
            "kind": SessionKind(self.kind.data),
            "title": self.title.data,
            "starts_at": self.starts_at,
            "minutes": self.minutes.data,
            "capacity": self.capacity.data,
            **self.met,
        }
