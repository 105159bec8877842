"""Forms of what takes two people, and of what answers are opened for."""

from collections.abc import Sequence

from wtforms import TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.answers.purposes import WORDS
from portal.desk.key_report import KeyLine
from portal.filters import day
from portal.forms.base import Form
from portal.forms.person_desk import letter_field
from portal.forms.programme import ChosenRadioField, ChosenSelectField

WHY_AT_MOST = 1000


class RetireForm(Form):
    key = ChosenSelectField("Key to destroy", said="Choose the key to destroy")
    letter = letter_field()

    def offer(self, keys: Sequence[KeyLine]) -> None:
        """The keys that are no longer in force."""
        self.key.choices = [SelectChoice(key.id, f"{key.id}, made on {day(key.created_at)}") for key in keys]


class NotAgreeForm(Form):
    """Why the second person does not agree; whoever asked reads it."""

    why = TextAreaField(
        "Why do you not agree?",
        validators=[
            InputRequired("Say why you do not agree"),
            Length(max=WHY_AT_MOST, message=f"Use {WHY_AT_MOST:,} characters or fewer"),
        ],
    )


class AskExportForm(Form):
    """The instruction that an export of one person's data rests on."""

    letter = letter_field()


class PurposeForm(Form):
    purpose = ChosenRadioField(
        "What do you open answers for today?",
        said="Choose what you open answers for",
        choices=[SelectChoice(one.value, words) for one, words in WORDS.items()],
    )
