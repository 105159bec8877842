"""Forms of times without sessions: a mentor's leave, a council's or everybody's closed times, bank holidays."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.booking import blackouts, holidays
from portal.forms.base import DatePartsField, Form
from portal.forms.times import ClockField
from privacy.clock import MINUTES_IN_DAY

KEEP, MOVE = "keep", "move"


def clash_field() -> RadioField:
    """Asked only once sessions stand in the way; either answer goes on."""
    return RadioField(
        "What is to become of the sessions?",
        choices=[
            SelectChoice(KEEP, "Keep them: they take place"),
            SelectChoice(MOVE, "Save this, and show me the sessions so that I can move them"),
        ],
        validators=[Optional()],
        validate_choice=False,
    )


class StretchForm(Form):
    """From a day to a day, whole days unless a time is typed."""

    from_on = DatePartsField(
        "First day", said="The first day", validators=[InputRequired("Enter the first day")]
    )
    from_at = ClockField("From what time?", said="From", description="Leave empty for the whole day")
    to_on = DatePartsField("Last day", said="The last day", validators=[InputRequired("Enter the last day")])
    to_at = ClockField("Until what time?", said="Until", description="Leave empty for the whole day")
    clash = clash_field()

    @property
    def stretch(self) -> dict[str, Any]:
        """What the rules take. Midnight at the end of a stretch is the end of that day. Only once valid."""
        return {
            "from_on": self.from_on.data,
            "from_minute": self.from_at.data or 0,
            "to_on": self.to_on.data,
            "to_minute": self.to_at.data or MINUTES_IN_DAY,
            "despite": self.decided,
        }

    @property
    def decided(self) -> bool:
        """Whether somebody has said what is to become of the sessions in the way."""
        return self.clash.data in (KEEP, MOVE)

    @property
    def wants_to_move(self) -> bool:
        return bool(self.clash.data == MOVE)


class LeaveForm(StretchForm):
    """When a mentor is away."""


class BlackoutForm(StretchForm):
    """When a council, or every council, has no sessions."""

    council = SelectField("Which council?")
    name = StringField(
        "What is it called?",
        description="Shown to those who book, for example Pre-election period",
        validators=[
            InputRequired("Enter what it is called"),
            Length(max=blackouts.NAME_AT_MOST, message=f"Use {blackouts.NAME_AT_MOST} characters or fewer"),
        ],
    )

    def name_councils(self, councils: Sequence[tuple[UUID, str]]) -> None:
        """Whom it can be for."""
        known = [SelectChoice(str(council_id), name) for council_id, name in councils]
        self.council.choices = [SelectChoice("", "Every council"), *known]

    @property
    def asked(self) -> dict[str, Any]:
        council_id = UUID(self.council.data) if self.council.data else None
        return {"council_id": council_id, "name": self.name.data, **self.stretch}


class HolidayForm(Form):
    """A day that the published list of bank holidays lacks."""

    on = DatePartsField("Which day?", validators=[InputRequired("Enter a date")])
    name = StringField(
        "What is it called?",
        validators=[
            InputRequired("Enter what the day is called"),
            Length(max=holidays.NAME_AT_MOST, message=f"Use {holidays.NAME_AT_MOST} characters or fewer"),
        ],
    )


class TakeOutForm(Form):
    """A bank holiday that is to be a day like others, or with `back` one that is to be a holiday again."""

    day = StringField(validators=[InputRequired()])
    back = StringField()
