"""The form of a verdict on an example of impact."""

from wtforms import HiddenField, RadioField, SelectChoice, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length

from portal.answers.verdicts import WORDS
from portal.forms.base import Form


class VerdictForm(Form):
    verdict = RadioField(
        "Verdict",
        choices=[SelectChoice(verdict.value, words) for verdict, words in WORDS.items()],
        validate_choice=False,
        validators=[
            InputRequired("Choose a verdict"),
            AnyOf(list(WORDS), message="Choose one of the three verdicts"),
        ],
    )
    note = TextAreaField(
        "Why",
        description="For the team. The verdict and this note can be changed later; earlier ones are kept.",
        validators=[Length(max=2000, message="The note must be 2,000 characters or fewer")],
    )
    seen = HiddenField()
