"""Forms of what is done from a case. Each names the instruction that it rests on."""

from collections.abc import Iterable
from uuid import UUID

from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, StopValidation

from portal.desk.person_rights import VALUE_AT_MOST, Item
from portal.filters import day
from portal.forms.base import Form
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
    """Restrict, or lift it: the page says which."""


class RectifyForm(CitesFields):
    item = ChosenSelectField("What is wrong", said="Choose what is wrong")
    value = TextAreaField(
        "What is right",
        validators=[Length(max=VALUE_AT_MOST, message=f"Use {VALUE_AT_MOST:,} characters or fewer")],
    )
    reason = TextAreaField(
        "Why it was wrong",
        validators=[
            InputRequired("Enter why it was wrong"),
            Length(max=1000, message="Use 1,000 characters or fewer"),
        ],
    )
    told = TextAreaField(
        "Who was told",
        description="Whoever had the wrong value from us, one to a line. Leave it empty if nobody had it.",
        validators=[Length(max=1000, message="Use 1,000 characters or fewer")],
    )

    def offer(self, items: Iterable[Item]) -> None:
        """What can be put right."""
        self.item.choices = [SelectChoice(one.code, one.said) for one in items]

    @property
    def names(self) -> list[str]:
        """Who was told, one by one."""
        return [line.strip() for line in (self.told.data or "").splitlines() if line.strip()]


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
