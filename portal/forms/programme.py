"""Forms of the contract's facts, of files that are sent, and of acts that need no more than a button."""

from datetime import date
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, StopValidation

from portal.forms.base import DatePartsField, Form
from portal.registers.contract import LETTER_AT_MOST, WORDING_AT_MOST

FILE_AT_MOST = 20 * 1024 * 1024


class Chosen:
    """What radios and lists share: no choice, or one that is not offered, is told in the form's own words."""

    data: Any
    choices: Any
    said: str
    asked = True

    def pre_validate(self, form: Any) -> None:
        if self.asked and str(self.data or "") not in {str(choice.value) for choice in self.choices}:
            raise StopValidation(self.said)


class ChosenRadioField(Chosen, RadioField):
    """One of a few. `said` is shown when none is chosen."""

    def __init__(self, label: str = "", *, said: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.said = said


class ChosenSelectField(Chosen, SelectField):
    """One of many. `said` is shown when none is chosen."""

    def __init__(self, label: str = "", *, said: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.said = said


class SomeCheckboxesField(SelectMultipleField):
    """Any number of a list; what is not offered is told in the form's own words."""

    def __init__(self, label: str = "", *, said: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.said = said

    def pre_validate(self, form: Any) -> None:
        if not set(self.data or ()) <= {choice.value for choice in self.choices}:
            raise StopValidation(self.said)


def day(field: DatePartsField) -> date:
    """The date of a field that was checked. Raises LookupError for an empty one."""
    if field.data is None:
        raise LookupError(f"{field.name} is empty")
    return field.data


class ConfirmForm(Form):
    """A button, and what the rule may say instead."""


class FileForm(Form):
    file = FileField("File", validators=[FileRequired("Choose a file")])


class ContractEndForm(Form):
    ends_on = DatePartsField(
        "New last day of the contract",
        said="The last day",
        validators=[InputRequired("Enter the last day of the contract")],
    )
    letter = StringField(
        "Reference of the letter",
        validators=[
            InputRequired("Enter the reference of the letter"),
            Length(max=LETTER_AT_MOST, message=f"The reference must be {LETTER_AT_MOST} characters or fewer"),
        ],
    )
    wording = TextAreaField(
        "What the letter says",
        validators=[
            InputRequired("Enter what the letter says"),
            Length(
                max=WORDING_AT_MOST, message=f"The wording must be {WORDING_AT_MOST:,} characters or fewer"
            ),
        ],
    )
