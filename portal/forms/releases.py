"""The forms of a release: that it shall be made, and that the Department lets an annual review be passed on."""

from datetime import date

from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from portal.forms.base import DatePartsField, Form
from portal.forms.programme import day
from portal.registers.contract import LETTER_AT_MOST


class ReleaseForm(Form):
    """What leaves the team does not come back: one box to tick."""

    sure = BooleanField(
        "I have looked through the figures, and they can go to the Department",
        validators=[InputRequired("Tick the box once you have looked through the figures")],
    )


class ApprovalForm(Form):
    """The Department's approval of an annual review: which letter, and its day."""

    letter = StringField(
        "Reference of the letter",
        validators=[
            InputRequired("Enter the reference of the letter"),
            Length(max=LETTER_AT_MOST, message=f"The reference must be {LETTER_AT_MOST} characters or fewer"),
        ],
    )
    on = DatePartsField(
        "When did the Department approve it?",
        said="The day of the approval",
        validators=[InputRequired("Enter the day of the approval")],
    )

    @property
    def day(self) -> date:
        """The day. Only once valid."""
        return day(self.on)
