"""Forms of what is done from a case. Each names the instruction that it rests on."""

from collections.abc import Iterable
from uuid import UUID

from wtforms import HiddenField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, StopValidation

from portal.filters import day
from portal.forms.base import Form
from portal.forms.person_desk import RectifyForm as PersonRectifyForm
from portal.forms.programme import ChosenSelectField
from privacy.registers import RegisterEntry


class CitesFields(Form):
    """The instruction that an act rests on."""

    entry = ChosenSelectField(
        "Instruction of the Department", said="Choose the instruction that this rests on"
    )

    def cite(self, entries: Iterable[RegisterEntry]) -> None:
        """The instructions that can be chosen, the likeliest first."""
        self.entry.choices = [
            SelectChoice(str(entry.id), f"{entry.letter}, in force from {day(entry.from_on)}")
            for entry in entries
        ]

    @property
    def entry_id(self) -> UUID:
        """What was chosen. Only once valid."""
        return UUID(self.entry.data)


class RestrictForm(CitesFields):
    """Restrict, or lift it. `act` is what the page offered: the same page sent again does not do the contrary."""

    act = HiddenField()


class RectifyForm(CitesFields, PersonRectifyForm):
    """Put something right, as a decision of the case says."""


class EraseForm(CitesFields):
    confirm = StringField(
        "Type the person's reference to erase their data",
        validators=[InputRequired("Type the person's reference")],
    )

    def __init__(self, reference: str | None = None, **options: object) -> None:
        super().__init__(**options)
        self.reference = reference

    def validate_confirm(self, field: StringField) -> None:
        if (field.data or "").strip().upper() != self.reference:
            raise StopValidation("This is not the person's reference")
