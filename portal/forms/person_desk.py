"""Forms with which the data protection officer acts on one person's data."""

from collections.abc import Iterable

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, StopValidation

from portal.desk.person_rights import VALUE_AT_MOST, Item
from portal.forms.base import Form
from portal.forms.programme import ChosenRadioField, ChosenSelectField
from portal.forms.times import HiddenIdField, HiddenOnceField
from portal.registers.contract import LETTER_AT_MOST, WORDING_AT_MOST
from privacy.rights import Cause, Lifted

CAUSES = {
    Cause.LEGAL: "Legal proceedings or a duty to keep it",
    Cause.ACCESS: "They asked for their data, and have not got it yet",
    Cause.FOI: "Somebody asked for it under the Freedom of Information Act",
}


WHY_LIFTED = {
    Lifted.OVER: "What it was placed for is over",
    Lifted.TOLD: "The Department told us to lift it",
    Lifted.MISTAKE: "It was placed by mistake",
}


def letter_field() -> StringField:
    return StringField(
        "Reference of the Department's instruction",
        validators=[
            InputRequired("Enter the reference of the instruction"),
            Length(max=LETTER_AT_MOST, message=f"The reference must be {LETTER_AT_MOST} characters or fewer"),
        ],
    )


class FindForm(Form):
    who = StringField(
        "Reference or e-mail address",
        validators=[
            InputRequired("Enter a reference such as P-7KX4M2, or an e-mail address"),
            Length(max=254, message="Use 254 characters or fewer"),
        ],
    )


class InstructionForm(Form):
    """What the Department wrote; `entry_id` is the id of its entry."""

    entry_id = HiddenOnceField()
    letter = letter_field()
    wording = TextAreaField(
        "What the Department wrote",
        validators=[
            InputRequired("Enter what the Department wrote"),
            Length(
                max=WORDING_AT_MOST, message=f"The wording must be {WORDING_AT_MOST:,} characters or fewer"
            ),
        ],
    )


class RestrictForm(Form):
    """`act` is what the page offered: the same page sent again does not do the contrary."""

    act = HiddenField()
    letter = letter_field()


class RectifyForm(Form):
    """What is wrong about somebody, what is right, and who was told; from a case as well as from the person's page."""

    rectification_id = HiddenOnceField()
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


class HoldForm(Form):
    """A hold on everything; `hold_id` is its own id."""

    hold_id = HiddenIdField()
    cause = ChosenRadioField(
        "Why it is kept",
        said="Choose why it is kept",
        choices=[SelectChoice(cause.value, text) for cause, text in CAUSES.items()],
    )
    reason = TextAreaField(
        "What it is about",
        validators=[
            InputRequired("Enter what it is about"),
            Length(max=1000, message="Use 1,000 characters or fewer"),
        ],
    )


class LiftForm(Form):
    why = ChosenRadioField(
        "Why is it lifted?",
        said="Choose why it is lifted",
        choices=[SelectChoice(why.value, text) for why, text in WHY_LIFTED.items()],
    )


class EraseForm(Form):
    letter = letter_field()
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
