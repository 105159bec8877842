"""Forms of a return: the direction, each step, and withdrawing it."""

from collections.abc import Mapping
from typing import Any

from flask_wtf.file import FileField, MultipleFileField
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField, day
from portal.forms.times import HiddenIdField
from portal.registers.contract import LETTER_AT_MOST, WORDING_AT_MOST
from portal.returning import words
from portal.returning.opening import PEM_AT_MOST, Direction
from portal.returning.steps import Said
from privacy.returns.course import ReturnKind, Step, Wanted


def _letter(label: str = "Reference of the letter", *, needed: bool = True) -> StringField:
    asked = [InputRequired("Enter the reference of the letter")] if needed else []
    return StringField(
        label,
        validators=[
            *asked,
            Length(max=LETTER_AT_MOST, message=f"The reference must be {LETTER_AT_MOST} characters or fewer"),
        ],
    )


def _words(label: str, *, needed: str = "", hint: str = "") -> TextAreaField:
    asked = [InputRequired(needed)] if needed else [Optional()]
    most = Length(max=WORDING_AT_MOST, message=f"Use {WORDING_AT_MOST:,} characters or fewer")
    return TextAreaField(label, description=hint, validators=[*asked, most])


def _day(label: str, *, needed: str = "") -> DatePartsField:
    return DatePartsField(
        label, said="The day", validators=[InputRequired(needed)] if needed else [Optional()]
    )


def content(sent: Any) -> bytes:
    """What a chosen file holds; nothing where none was chosen. One byte too many shows that it is too big."""
    return bytes(sent.stream.read(PEM_AT_MOST + 1)) if hasattr(sent, "stream") else b""


class DirectionForm(Form):
    """The Department's written direction."""

    return_id = HiddenIdField()
    kind = ChosenRadioField(
        "Why does the data go?",
        said="Choose why the data goes",
        choices=[SelectChoice(kind.value, said) for kind, said in words.KINDS.items()],
    )
    about = StringField(
        "Which council or person, for a part?",
        description="The code of the council, or the reference or e-mail address of the person",
        validators=[Length(max=200, message="Use 200 characters or fewer")],
    )
    ended = ChosenRadioField(
        "How is the contract ended early, if it is?",
        said="Choose how the contract is ended",
        choices=[
            *(SelectChoice(value, said) for value, said in words.ENDED.items()),
            SelectChoice("", "It is not ended early"),
        ],
        default="",
    )
    ends_on = _day("New last day, if notice was given")
    wanted = ChosenRadioField(
        "What does the Department direct?",
        said="Choose what the Department directs",
        choices=[SelectChoice(wanted.value, said) for wanted, said in words.WANTED.items()],
    )
    letter = _letter()
    on = _day("Day of the letter", needed="Enter the day of the letter")
    wording = _words("What the letter says", needed="Enter what the letter says")
    certificates = MultipleFileField(
        "Certificates to which the data goes",
        description="PEM files, one certificate in each. The Department can name a second one, so that losing one "
        "key does not lose the data",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if self.kind.data == ReturnKind.EARLY and not self.ended.data:
            self.refuse(self.ended, "Choose how the contract is ended")
            return False
        return bool(valid)

    @property
    def asked(self) -> Direction:
        """What the rule takes."""
        return Direction(
            kind=ReturnKind(self.kind.data),
            wanted=Wanted(self.wanted.data),
            letter=self.letter.data or "",
            on=day(self.on),
            wording=self.wording.data or "",
            certificates=[one for file in self.certificates.data or () if (one := content(file))],
            about=self.about.data or "",
            ended=self.ended.data or "",
            ends_on=self.ends_on.data,
            return_id=self.return_id.data,
        )


class StepForm(Form):
    """What a step asks; each step's own form has some of these fields."""

    event_id = HiddenIdField()

    @property
    def said(self) -> Said:
        """What the rule takes."""
        given: dict[str, Any] = {
            field.name: content(field.data) if isinstance(field, FileField) else field.data
            for field in self
            if field.name in Said.__dataclass_fields__
        }
        return Said(**{name: value for name, value in given.items() if value is not None})


class FingerprintForm(StepForm):
    fingerprint = TextAreaField(
        "SHA-256 fingerprint, as it was read out to you",
        description="64 digits. Colons and spaces do not matter. Where there are two certificates, one on each line",
        validators=[InputRequired("Enter the fingerprint"), Length(max=2000, message="Use fewer characters")],
    )
    words = _words("Whom did you ring, and on which number?", needed="Say whom you rang")


class ReadBackForm(StepForm):
    code = StringField(
        "Code in the test volume",
        validators=[InputRequired("Enter the code"), Length(max=40, message="Use 40 characters or fewer")],
    )
    words = _words("Who told you the code, and when?", needed="Say who told you the code")


class FreezeForm(StepForm):
    sure = BooleanField(
        "Freeze it now: nothing can be changed any more",
        validators=[InputRequired("Tick the box to freeze")],
    )


class HandOverForm(StepForm):
    how = ChosenRadioField(
        "How was it handed over?",
        said="Choose how it was handed over",
        choices=[SelectChoice(value, said) for value, said in words.HOW.items()],
    )
    on = _day("On which day?", needed="Enter the day")
    words = _words("To whom, and how do you know that it arrived?", needed="Say to whom it went")


class ReceiptForm(StepForm):
    file = FileField("The Department's signature (.p7s)")
    certificate = FileField(
        "Certificate that signed it, if it is another one",
        description="Only one that the Department named in a letter",
    )
    words = _words("That letter, if it is another one")


class AuthorityForm(StepForm):
    letter = _letter()
    on = _day("Day of the letter")
    words = _words("What the letter says")


class AnswerForm(StepForm):
    sure = BooleanField(
        "I have read the direction, the receipt and the authority, and I answer for destroying the data",
        validators=[InputRequired("Tick the box if you answer for it")],
    )


class WithdrawForm(Form):
    """Calling a return off; an extension of the contract is entered with it."""

    reason = _words("Why is this return withdrawn?", needed="Say why it is withdrawn")
    letter = _letter("Reference of the Department's letter, if there is one", needed=False)
    ends_on = _day("New last day of the contract, if it is extended")


FORMS: Mapping[Step, type[StepForm]] = {
    Step.FINGERPRINT: FingerprintForm,
    Step.TEST_VOLUME: StepForm,
    Step.TEST_READ_BACK: ReadBackForm,
    Step.FREEZE: FreezeForm,
    Step.HAND_OVER: HandOverForm,
    Step.RECEIPT: ReceiptForm,
    Step.AUTHORITY: AuthorityForm,
    Step.DESTROY: AnswerForm,
}
"""The form of each step that people take on the page."""
