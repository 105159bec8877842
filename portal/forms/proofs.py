"""Proving whose a browser is, and setting up what does."""

from wtforms import HiddenField, PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from portal.access.codes import normal
from portal.access.passkeys import ANSWER_AT_MOST
from portal.access.passwords import AT_LEAST, AT_MOST
from portal.forms.account import figures
from portal.forms.base import Form

APP_CODE = Regexp(r"[0-9]{6}$", message="The code is 6 figures, such as 012345")


def letters(value: str | None) -> str | None:
    """A code from paper, however it was written."""
    return normal(value) if value else value


class PasswordForm(Form):
    """A password; with the code of an app for those who need it."""

    password = PasswordField("Password", validators=[InputRequired("Enter your password")])
    totp = StringField("Code from your authenticator app", filters=[figures])

    def need_app(self) -> None:
        self.totp.validators = [DataRequired("Enter the code that your app shows"), APP_CODE]


class PaperCodeForm(Form):
    """A code from paper: a recovery code, or a start code."""

    recovery = StringField(
        "Code", filters=[letters], validators=[DataRequired("Enter the code"), Length(max=40)]
    )


class NewPasswordForm(Form):
    """A new password, typed once: it can be shown, and a password manager fills it in."""

    password_now = PasswordField("Your password now")
    new_password = PasswordField(
        "New password", validators=[InputRequired(f"Enter a password of {AT_LEAST} characters or more")]
    )

    def need_password_now(self) -> None:
        self.password_now.validators = [InputRequired("Enter your password"), Length(max=AT_MOST)]


class AppForm(Form):
    """The first code of a new authenticator app."""

    totp = StringField(
        "Code that the app shows now",
        filters=[figures],
        validators=[DataRequired("Enter the code that your app shows"), APP_CODE],
    )


class PasskeyForm(Form):
    """What a browser answers when it made a passkey or signed with one."""

    answer = HiddenField(validators=[DataRequired("Your device sent no passkey"), Length(max=ANSWER_AT_MOST)])


class MailboxForm(Form):
    """Whether others read somebody's mailbox."""

    shared = RadioField(
        "Does anybody else read this mailbox?",
        choices=[
            SelectChoice("yes", "Yes, for example an assistant"),
            SelectChoice("no", "No, only I read it"),
        ],
        validators=[InputRequired("Choose yes or no")],
    )
