"""Forms in which people ask about their own data, signed in or not."""

from typing import Any

from wtforms import BooleanField, EmailField, StringField, TelField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, StopValidation

from portal.forms.base import Form
from portal.forms.phones import a_phone_number
from portal.forms.programme import ChosenRadioField
from portal.forms.times import HiddenIdField
from portal.own_data.public_requests import KINDS
from portal.own_data.requests import TEXT_AT_MOST
from portal.people.register import ADDRESS_AT_MOST, NAME_AT_MOST


def _text_at_most() -> Length:
    return Length(max=TEXT_AT_MOST, message=f"Use {TEXT_AT_MOST:,} characters or fewer")


class AskForm(Form):
    """One request. What it is about must be said where the right alone does not say it (`asks_what`)."""

    case_id = HiddenIdField()
    text = TextAreaField("In your own words", validators=[_text_at_most()])

    def __init__(self, *args: Any, asks_what: bool = True, **more: Any) -> None:
        super().__init__(*args, **more)
        self.asks_what = asks_what

    def validate_text(self, field: TextAreaField) -> None:
        if self.asks_what and not field.data:
            raise StopValidation("Say what you want, in your own words")


class DetailsForm(Form):
    """One's own name and phone number."""

    case_id = HiddenIdField()
    name = StringField(
        "Name",
        validators=[
            DataRequired("Enter your name"),
            Length(max=NAME_AT_MOST, message=f"The name must be {NAME_AT_MOST} characters or fewer"),
        ],
    )
    phone = TelField(
        "Phone number",
        description="Leave it empty if we should not ring you",
        validators=a_phone_number(),
    )

    @property
    def wanted(self) -> dict[str, str]:
        """What the rule takes."""
        return {"name": self.name.data or "", "phone": self.phone.data or ""}


class AddressForm(Form):
    """Another e-mail address of one's own."""

    case_id = HiddenIdField()
    email = EmailField(
        "New e-mail address",
        validators=[
            DataRequired("Enter your new e-mail address"),
            Length(max=ADDRESS_AT_MOST, message=f"The address must be {ADDRESS_AT_MOST} characters or fewer"),
        ],
    )


class AnswerForm(Form):
    """What the desk asked, answered."""

    answer = TextAreaField("Your answer", validators=[DataRequired("Enter your answer"), _text_at_most()])


class MoreForm(Form):
    """More about a request that was made."""

    text = TextAreaField(
        "What do you want to tell us?",
        validators=[DataRequired("Enter what you want to tell us"), _text_at_most()],
    )
    takes_back = BooleanField("I do not need this any more")


class PublicForm(Form):
    """A request of somebody who is not signed in."""

    case_id = HiddenIdField()
    kind = ChosenRadioField(
        "What do you want?",
        said="Choose what you want",
        choices=[SelectChoice(kind.value, text) for kind, text in KINDS.items()],
    )
    text = TextAreaField(
        "In your own words",
        description="Say what it is about. Do not tell us more about yourself than we need.",
        validators=[DataRequired("Say what you want, in your own words"), _text_at_most()],
    )
    name = StringField(
        "Your name",
        validators=[
            DataRequired("Enter your name"),
            Length(max=NAME_AT_MOST, message=f"The name must be {NAME_AT_MOST} characters or fewer"),
        ],
    )
    reach = StringField(
        "How can we reach you?",
        description="An e-mail address, a phone number or a postal address",
        validators=[
            DataRequired("Enter an e-mail address, a phone number or a postal address"),
            Length(max=ADDRESS_AT_MOST, message=f"Use {ADDRESS_AT_MOST} characters or fewer"),
        ],
    )
