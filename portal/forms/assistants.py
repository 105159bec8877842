"""Forms about assistants."""

from datetime import date
from typing import Any

from wtforms import EmailField, HiddenField, StringField
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from portal.forms.base import DatePartsField, Form
from portal.people.register import ADDRESS_AT_MOST, NAME_AT_MOST, is_address


class AssistantForm(Form):
    """Who books for a leader, and until when; `on` is today."""

    name = StringField(
        "Their name",
        validators=[
            InputRequired("Enter their name"),
            Length(max=NAME_AT_MOST, message=f"The name must be {NAME_AT_MOST} characters or fewer"),
        ],
    )
    email = EmailField(
        "Their e-mail address",
        validators=[
            InputRequired("Enter their e-mail address"),
            Length(max=ADDRESS_AT_MOST, message=f"The address must be {ADDRESS_AT_MOST} characters or fewer"),
        ],
    )
    ends_on = DatePartsField(
        "Until when, if not for good?",
        said="The last day",
        description="Leave this empty if there is no last day.",
        validators=[Optional()],
    )

    sure = HiddenField()
    """The address once it was read again: a mistyped one lets somebody else in."""

    def __init__(self, *args: Any, on: date | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.today = on

    def validate_ends_on(self, field: DatePartsField) -> None:
        if field.data is not None and self.today is not None and field.data < self.today:
            raise StopValidation("The last day is in the past")

    def validate_email(self, field: EmailField) -> None:
        if not is_address(field.data or ""):
            raise StopValidation("Enter an e-mail address like name@council.gov.uk")

    @property
    def is_sure(self) -> bool:
        """Whether the address that was read again is the one that is sent."""
        return bool(self.sure.data) and self.sure.data == self.email.data

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "called": self.name.data,
            "email": self.email.data,
            "to_on": self.ends_on.data,
        }
