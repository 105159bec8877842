"""Forms of what takes two people, and of what answers are opened for."""

from wtforms import StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Regexp

from portal.answers.purposes import WORDS
from portal.forms.base import Form
from portal.forms.person_desk import letter_field
from portal.forms.programme import ChosenRadioField


class RetireForm(Form):
    key = StringField(
        "Key to destroy",
        validators=[
            InputRequired("Enter the key, such as K1"),
            Regexp(r"[KI][0-9]{1,6}$", message="A key is a letter and a number, such as K1"),
        ],
    )
    letter = letter_field()


class AskExportForm(Form):
    """The instruction that an export of one person's data rests on."""

    letter = letter_field()


class PurposeForm(Form):
    purpose = ChosenRadioField(
        "What do you open answers for today?",
        said="Choose what you open answers for",
        choices=[SelectChoice(one.value, words) for one, words in WORDS.items()],
    )
