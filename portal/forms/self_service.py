"""The form in which an instruction is entered that lets people do something themselves."""

from datetime import date

from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, StopValidation

from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField, day
from portal.forms.times import HiddenOnceField
from portal.own_data.self_service import WORDS
from portal.registers.contract import LETTER_AT_MOST, WORDING_AT_MOST
from privacy.registers import Standing


def _said(act: Standing) -> ChosenRadioField:
    return ChosenRadioField(
        WORDS[act],
        said="Say what the instruction says of this",
        default="silent",
        choices=[
            SelectChoice("silent", "It says nothing of this"),
            SelectChoice("yes", "People may do this themselves"),
            SelectChoice("no", "People may do this no more"),
        ],
    )


class StandingForm(Form):
    """The instruction; `entry_id` is the id of its entry."""

    entry_id = HiddenOnceField()
    letter = StringField(
        "Reference of the letter",
        validators=[
            InputRequired("Enter the reference of the letter"),
            Length(max=LETTER_AT_MOST, message=f"The reference must be {LETTER_AT_MOST} characters or fewer"),
        ],
    )
    from_on = DatePartsField(
        "From which day does it hold?", said="The day", validators=[InputRequired("Enter the day")]
    )
    own_download = _said(Standing.OWN_DOWNLOAD)
    own_correction = _said(Standing.OWN_CORRECTION)
    wording = TextAreaField(
        "What the instruction says",
        validators=[
            InputRequired("Enter what the instruction says"),
            Length(
                max=WORDING_AT_MOST, message=f"The wording must be {WORDING_AT_MOST:,} characters or fewer"
            ),
        ],
    )

    def validate_own_correction(self, field: ChosenRadioField) -> None:
        if not self.acts:
            raise StopValidation("Say of one of the two what the instruction says")

    @property
    def acts(self) -> dict[Standing, bool]:
        """What the instruction says of each act that it names."""
        said = {act: self[act.value].data for act in Standing}
        return {act: word == "yes" for act, word in said.items() if word in ("yes", "no")}

    @property
    def starts_on(self) -> date:
        """The day. Only once valid."""
        return day(self.from_on)
