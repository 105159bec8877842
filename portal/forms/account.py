"""Signing in: the address, and the code."""

from wtforms import BooleanField, EmailField, StringField
from wtforms.validators import DataRequired, Length, Regexp

from portal.forms.base import Form, without_marks

ADDRESS_AT_MOST = 254


def figures(value: str | None) -> str | None:
    """A code without what people type or paste around its figures."""
    return "".join(letter for letter in without_marks(value) if letter not in " -\u2013") if value else value


class AskForm(Form):
    """Whose mailbox gets the link and the code."""

    email = EmailField(
        "Your e-mail address",
        validators=[
            DataRequired("Enter your e-mail address"),
            Length(
                max=ADDRESS_AT_MOST, message=f"The address must have {ADDRESS_AT_MOST} characters or fewer"
            ),
            Regexp(r"[^@\s]+@[^@\s]+$", message="Enter an e-mail address like name@council.gov.uk"),
        ],
    )


class FinishForm(Form):
    """The code of the mail, or the link's token, and whether this device is to be kept."""

    code = StringField(
        "Code",
        filters=[figures],
        validators=[
            DataRequired("Enter the code from the mail"),
            Regexp(r"[0-9]{6}$", message="The code is 6 figures, such as 012345"),
        ],
    )
    device = BooleanField("This is my own device")


class LinkForm(Form):
    """The button on the page of a mailed link."""

    device = BooleanField("This is my own device")
