"""Forms of those who give support: offers, and sessions to log, record and schedule.

`asked` holds what the rule takes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation

from portal.booking import offers
from portal.booking.delivery import MINUTES_AT_MOST, MINUTES_STEP, Outcome
from portal.forms.base import DatePartsField, Form, SureBooleanField, WholeNumberField
from portal.forms.programme import SomeCheckboxesField
from portal.forms.times import (
    MEANT,
    ClockField,
    HiddenIdField,
    LengthSelectField,
    TravelForm,
    WhenForm,
    instant_of,
)
from portal.groups.plans import Plan
from portal.groups.sessions import PLACES_AT_MOST
from portal.models import SessionKind
from privacy.clock import MissingTime

TITLE_AT_MOST = 100
Named = Sequence[tuple[UUID | SessionKind, str]]

_short = Length(max=TITLE_AT_MOST, message=f"Use {TITLE_AT_MOST} characters or fewer")
_minutes = NumberRange(MINUTES_STEP, MINUTES_AT_MOST, message="Enter minutes from 5 to 480")


def capacity_field() -> WholeNumberField:
    """How many places a group session has."""
    return WholeNumberField(
        "How many places are there?",
        validators=[
            InputRequired("Enter the number of places"),
            NumberRange(1, PLACES_AT_MOST, message=f"Enter a number from 1 to {PLACES_AT_MOST}"),
        ],
    )


def minimum_field() -> WholeNumberField:
    """With how many people it takes place."""
    return WholeNumberField(
        "Fewest people with whom it takes place, if there is a minimum",
        validators=[
            Optional(),
            NumberRange(1, PLACES_AT_MOST, message=f"Enter a number from 1 to {PLACES_AT_MOST}"),
        ],
    )


def decide_on_field() -> DatePartsField:
    """When it is decided."""
    return DatePartsField(
        "Day to decide whether it takes place",
        description="On this day the programme team is told if too few people have a place.",
        said="The day to decide",
    )


def host_field() -> SelectField:
    """Which council of good practice is visited."""
    return SelectField("Which council do you visit?", description="For a visit only.", default="")


def offer_hosts(field: SelectField, hosts: Named) -> None:
    """Whom a visit may go to."""
    field.choices = [SelectChoice("", "No visit"), *_choices(hosts)]


def _choices(named: Named) -> list[SelectChoice]:
    return [SelectChoice(str(value), words) for value, words in named]


def _in_steps(form: Any, field: Any) -> None:
    if field.data is not None and field.data % MINUTES_STEP:
        raise StopValidation("Round to 5 minutes")


class RowsFields(TravelForm):
    """Several times as rows `on_1`, `at_1` and so on; the rows after `FIRST` can stay empty."""

    FIRST: ClassVar[int]
    MOST: ClassVar[int]
    mentor_id = SelectField("Mentor")

    def rows(self) -> list[tuple[DatePartsField, ClockField]]:
        """Day and time of each row."""
        return [(self[f"on_{number}"], self[f"at_{number}"]) for number in range(1, self.MOST + 1)]

    def validate(self, extra_validators: Any = None) -> bool:
        """Also: each row whole, no time that the clock jumps over, no time twice."""
        sound: bool = super().validate(extra_validators)
        seen: set[datetime] = set()
        return all([sound, *(self._sound(row, on, at, seen) for row, (on, at) in enumerate(self.rows(), 1))])

    def _sound(self, row: int, on: DatePartsField, at: ClockField, seen: set[datetime]) -> bool:
        if on.errors or at.errors:
            return False
        if on.data is None and at.data is None and row > self.FIRST:
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
            self.refuse(at, at.named(str(problem)))
            return False
        if starts_at in seen:
            self.refuse(at, at.named("You entered this time twice. Choose another time"))
            return False
        seen.add(starts_at)
        return True

    @property
    def starts(self) -> list[datetime]:
        """The instants, in the order of the rows. Only once valid."""
        return [instant_of(on, at) for on, at in self.rows() if on.data is not None]

    def field_of(self, starts_at: datetime | None) -> ClockField | None:
        """The time field of the row with this instant."""
        found = (at for on, at in self.rows() if on.data and instant_of(on, at) == starts_at)
        return next(found, None)


def add_rows(form: type[RowsFields]) -> None:
    """Give a form the fields of its rows."""
    for row in range(1, form.MOST + 1):
        setattr(form, f"on_{row}", DatePartsField(f"Day of time {row}", said=f"The date of time {row}"))
        setattr(form, f"at_{row}", ClockField(f"Start of time {row}", said=f"Time {row}"))


class OfferForm(RowsFields):
    """The three to five times of one mail."""

    sure = SureBooleanField(MEANT)

    FIRST, MOST = offers.AT_LEAST, offers.AT_MOST

    def name_choices(self, *, mentors: Named) -> None:
        self.mentor_id.choices = _choices(mentors)

    @property
    def asked(self) -> dict[str, Any]:
        return {"mentor_id": UUID(self.mentor_id.data), "starts": self.starts, **self.met}


add_rows(OfferForm)


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


class ScheduleForm(WhenForm, TravelForm):
    """A group session with places."""

    sure = SureBooleanField(MEANT)

    session_id = HiddenIdField()
    mentor_id = SelectField("Mentor")
    kind = SelectField("What kind of session?")
    title = StringField(
        "What is it called?", validators=[InputRequired("Enter what the session is called"), _short]
    )
    minutes = LengthSelectField(default=120)
    capacity = capacity_field()

    minimum = minimum_field()
    decide_on = decide_on_field()
    host = host_field()
    packages = SomeCheckboxesField(
        "Who else of this council may come?", said="Choose from the list", description="For a joint workshop."
    )

    def name_choices(self, *, mentors: Named, kinds: Named, hosts: Named, packages: Named) -> None:
        self.mentor_id.choices = _choices(mentors)
        self.kind.choices = _choices(kinds)
        offer_hosts(self.host, hosts)
        self.packages.choices = _choices(packages)

    @property
    def asked(self) -> dict[str, Any]:
        plan = Plan(
            minimum=self.minimum.data,
            decide_on=self.decide_on.data,
            host_council_id=UUID(self.host.data) if self.host.data else None,
            package_ids=[UUID(package_id) for package_id in self.packages.data or []],
        )
        return {
            "session_id": self.session_id.id_to_make,
            "mentor_id": UUID(self.mentor_id.data),
            "kind": SessionKind(self.kind.data),
            "title": self.title.data,
            "starts_at": self.starts_at,
            "minutes": self.minutes.data,
            "capacity": self.capacity.data,
            "plan": plan,
            **self.met,
        }
