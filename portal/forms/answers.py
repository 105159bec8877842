"""Forms around answers: what is to change, why they are opened, where paper answers come from."""

from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.answers.paper import SOURCE_AT_MOST, WAVES
from portal.answers.questionnaires import TITLES
from portal.forms.base import DatePartsField, Form
from portal.forms.programme import FileForm

TEXT_AT_MOST = 2000


class WishForm(Form):
    wish = TextAreaField(
        "What do you want to change?",
        description="You can leave this empty.",
        validators=[
            Length(max=TEXT_AT_MOST, message="What you want to change must be 2,000 characters or fewer")
        ],
    )


class ReasonForm(Form):
    reason = TextAreaField(
        "Why are these answers opened again?",
        description="The reason is kept with the answers.",
        validators=[
            InputRequired("Enter the reason"),
            Length(max=TEXT_AT_MOST, message="The reason must be 2,000 characters or fewer"),
        ],
    )


class NotesForm(Form):
    notes = TextAreaField(
        "Notes of the call",
        description="Such as when to ring again. Answers belong in the questionnaire.",
        validators=[Length(max=TEXT_AT_MOST, message="The notes must be 2,000 characters or fewer")],
    )


class PaperForm(Form):
    answered_on = DatePartsField(
        "When were the answers given?",
        said="The day",
        validators=[InputRequired("Enter the day on which the answers were given")],
    )
    source = StringField(
        "Where do they come from?",
        description="For example, the paper form of the first meeting.",
        validators=[
            InputRequired("Enter where the answers come from"),
            Length(max=SOURCE_AT_MOST, message="Where they come from must be 300 characters or fewer"),
        ],
    )


class AnswersFileForm(FileForm):
    wave = RadioField(
        "Which questionnaire?",
        choices=[SelectChoice(wave.value, TITLES[wave]) for wave in WAVES],
        validators=[InputRequired("Choose the questionnaire")],
    )
