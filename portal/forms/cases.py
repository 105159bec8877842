"""Forms of the desk: taking a case in, what happens in it, and the calculator of deadlines."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, EmailField, HiddenField, SelectField, StringField, TelField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, StopValidation

from portal.cases import calculator
from portal.cases import files as case_files
from portal.cases import words as case_words
from portal.cases.calculator import BY_HOUR, DeadlineKind, Question
from portal.cases.intake import Attachment
from portal.forms.base import DatePartsField, Form
from portal.forms.phones import a_phone_number
from portal.forms.programme import ChosenRadioField, ChosenSelectField
from portal.forms.times import HiddenIdField, MinuteField
from portal.models import Person
from portal.people.register import is_address
from portal.registers.contract import LETTER_AT_MOST
from portal.resources.file_kinds import FileRefused
from privacy.cases.rules import NAMING, RULES
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.clock import MissingTime, start_of_day, wall
from privacy.deadlines import Pause

WORDS_AT_MOST = 10_000
LINE_AT_MOST = 200
ADDRESS_AT_MOST = 1000


def _at_most(number: int) -> Length:
    return Length(max=number, message=f"Use {number:,} characters or fewer")


def _is_address(form: Form, field: EmailField) -> None:
    if field.data and not is_address(field.data):
        raise StopValidation("Enter an e-mail address like name@example.gov.uk, or leave it empty")


class AttachedFields(Form):
    """Files that come with a form. `attachments` are those that were sent, once valid."""

    files = MultipleFileField(
        "Files (optional)",
        description=f"PDF, pictures, text or e-mails, up to 10 MB each and {case_files.AT_ONCE} at a time. "
        "They are kept sealed",
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.attachments: list[Attachment] = []

    def validate_files(self, field: MultipleFileField) -> None:
        sent = [file for file in field.data or [] if hasattr(file, "stream")]
        if len(sent) > case_files.AT_ONCE:
            raise StopValidation(f"Send at most {case_files.AT_ONCE} files at a time")
        self.attachments = []
        for file in sent:
            name = file.filename or ""
            try:
                self.attachments.append(case_files.checked(name, file.stream.read()))
            except FileRefused as problem:
                raise StopValidation(f"{name}: {problem}") from problem

    @property
    def lost_files(self) -> bool:
        """Whether files were sent with a form that comes back: they have to be chosen again."""
        return bool(self.errors) and any(hasattr(file, "stream") for file in self.files.data or [])


class WhenFields(Form):
    """A day, and a time where it is known. `when` is the instant; a day alone is its start in London."""

    on = DatePartsField("When?", said="The day")
    at = MinuteField("At what time? (optional)", description="Such as 2:30pm")

    def validate_at(self, field: MinuteField) -> None:
        if field.data is None:
            return
        if self.on.data is None:
            raise StopValidation("Enter the day as well")
        try:
            wall(self.on.data, field.data)
        except MissingTime as problem:
            raise StopValidation(str(problem)) from problem

    @property
    def minute(self) -> int | None:
        return self.at.data


class IntakeForm(WhenFields, AttachedFields):
    """A case that reached us on some channel. `case_id` is the new case's own id."""

    case_id = HiddenIdField()
    kind = ChosenRadioField(
        "What is it?",
        said="Choose what it is",
        choices=[SelectChoice(kind.value, words) for kind, words in case_words.KINDS.items()],
    )
    channel = ChosenRadioField(
        "How did it reach us?",
        said="Choose how it reached us",
        choices=[SelectChoice(one.value, case_words.CHANNELS[one]) for one in case_words.BY_HAND],
    )
    on = DatePartsField(
        "When did it reach any of us, or when was it discovered?",
        said="The day",
        validators=[InputRequired("Enter the day on which it reached us")],
    )
    taken_by = StringField("Who took it?", validators=[_at_most(LINE_AT_MOST)])
    name = StringField("Name of who asks or tells", validators=[_at_most(LINE_AT_MOST)])
    email = EmailField("E-mail address", validators=[_at_most(254), _is_address])
    phone = TelField("Phone number", validators=a_phone_number())
    address = TextAreaField("Postal address", validators=[_at_most(ADDRESS_AT_MOST)])
    asked = TextAreaField(
        "What do they ask, or what happened?",
        validators=[DataRequired("Enter what they ask, or what happened"), _at_most(WORDS_AT_MOST)],
    )
    about = StringField("Whose request is it? (optional)", validators=[_at_most(254)])
    copy_of = StringField("Does it repeat an earlier case? (optional)", validators=[_at_most(20)])
    owner = SelectField("Who has the case?", validators=[Optional()])
    deputy = SelectField("Who stands in?", validators=[Optional()])
    exercise = BooleanField("This is an exercise")

    def offer(self, officers: Sequence[Person]) -> None:
        """Who can have the case."""
        nobody = SelectChoice("", "Nobody yet")
        people = [SelectChoice(str(one.id), one.name or one.ref) for one in officers]
        self.owner.choices, self.deputy.choices = [nobody, *people], [nobody, *people]

    @property
    def contact(self) -> dict[str, str]:
        """What is known of who asks; only what was filled in."""
        named = {name: self[name].data or "" for name in ("name", "email", "phone", "address", "taken_by")}
        return {name: text for name, text in named.items() if text}

    @property
    def received_at(self) -> datetime:
        """The instant of receipt; a day alone is its start, so that no clock begins too late. Only once valid."""
        if self.on.data is None:
            raise LookupError("the day is empty")
        return start_of_day(self.on.data) if self.minute is None else wall(self.on.data, self.minute)

    @property
    def case_kind(self) -> CaseKind:
        return CaseKind(self.kind.data)

    @property
    def case_channel(self) -> Channel:
        return Channel(self.channel.data)

    def chosen(self, field: SelectField) -> UUID | None:
        return UUID(field.data) if field.data else None


class EventForm(WhenFields, AttachedFields):
    """Something that happened in a case; `form_of` makes one with the fields that an event needs."""

    happened = Event.NOTE

    event = HiddenField()
    event_id = HiddenIdField()

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.event.data = self.happened.value
        # Many of these forms stand on one page: ids tell them apart, names are those of the fields.
        for field in self:
            if not isinstance(field, HiddenField):
                field.id = f"{self.happened.value}-{field.name}"
                field.label.field_id = field.id

    @property
    def label(self) -> str:
        return case_words.ask(self.happened)

    @property
    def needed(self) -> list[str]:
        """The fields for words, in the order of the rule."""
        left_out = ["left_out"] if "left_out" in self else []
        return [
            *RULES[self.happened].body,
            *left_out,
            *([] if "text" in RULES[self.happened].body else ["text"]),
        ]

    @property
    def body(self) -> dict[str, str]:
        return {name: self[name].data or "" for name in self.needed if name in self}

    def offer(self, officers: Sequence[Person]) -> None:
        if "person_id" in self:
            self["person_id"].choices = [SelectChoice(str(one.id), one.name or one.ref) for one in officers]

    @property
    def chosen_person(self) -> UUID | None:
        """Who was chosen. Only once valid."""
        return UUID(self["person_id"].data) if "person_id" in self else None

    def extra(self, name: str) -> Any:
        """What another field than those for words holds; None where the form has none."""
        return self[name].data if name in self else None


def _words(event: Event, name: str) -> TextAreaField:
    told = name == "evidence" and event in case_words.TELLING
    words = case_words.TOLD if told else case_words.FIELDS[name]
    needs = DataRequired(f"{words.label.rstrip('?')}: this cannot be empty")
    return TextAreaField(words.label, description=words.hint, validators=[needs, _at_most(WORDS_AT_MOST)])


@cache
def form_of(event: Event) -> type[EventForm]:
    """The class of the form for an event, with the fields that its rule needs."""
    rule = RULES[event]
    fields: dict[str, Any] = {"happened": event}
    for name in rule.body:
        fields[name] = _words(event, name)
    if event is Event.CLOSED:
        label = case_words.FIELDS["left_out"].label
        fields["left_out"] = TextAreaField(label, validators=[_at_most(WORDS_AT_MOST)])
    if "text" not in rule.body and event not in NAMING:
        fields["text"] = TextAreaField(case_words.NOTE.label, validators=[_at_most(WORDS_AT_MOST)])
    if event in (Event.CLOSED, Event.SUBJECT_KNOWN):
        fields["erases"] = BooleanField("Yes, erase this data now. Nobody can bring it back")
    if event in (Event.ASSIGNED, Event.DEPUTISED):
        fields["person_id"] = ChosenSelectField("To whom?", said="Choose somebody")
    if event is Event.SUBJECT_KNOWN:
        fields["who"] = StringField(
            "Their reference or e-mail address",
            validators=[
                DataRequired("Enter a reference such as P-7KX4M2, or an e-mail address"),
                _at_most(254),
            ],
        )
    if event is Event.DEPARTMENT_ASKED:
        fields["value_on"] = DatePartsField(
            "The day that the Department named (optional)",
            said="The day",
            description="Leave it empty for the 5 working days of the contract",
        )
    if rule.cites:
        fields["letter"] = StringField(
            "Reference of the written instruction",
            validators=[DataRequired("Enter the reference of the instruction"), _at_most(LETTER_AT_MOST)],
        )
    return type(f"{event.value}_form", (EventForm,), fields)


class CalculatorForm(Form):
    """Dates for any clock; sent by GET, so that an answer has an address."""

    class Meta(Form.Meta):
        csrf = False

    kind = ChosenSelectField(
        "Which clock?",
        said="Choose a clock",
        choices=[SelectChoice(kind.value, words) for kind, words in calculator.WORDS.items()],
    )
    received = DatePartsField(
        "Received, discovered, or asked on", said="The day", validators=[InputRequired("Enter the day")]
    )
    at = MinuteField("At what time? (for clocks of hours)", description="Such as 2:30pm")
    identity = DatePartsField("Proof of identity came on", said="The day of the proof of identity")
    authority = DatePartsField("The representative's authority came on", said="The day of the authority")
    fee = DatePartsField("The fee was paid on", said="The day of the fee")
    asked_1 = DatePartsField("First question asked on", said="The day of the first question")
    answered_1 = DatePartsField("First question answered on", said="The day of the first answer")
    asked_2 = DatePartsField("Second question asked on", said="The day of the second question")
    answered_2 = DatePartsField("Second question answered on", said="The day of the second answer")
    extended = DatePartsField("Notice of extension given on", said="The day of the extension")
    by = DatePartsField("Day that the Department named", said="The day that the Department named")

    def validate_at(self, field: MinuteField) -> None:
        if self.received.data is not None and field.data is not None:
            try:
                wall(self.received.data, field.data)
            except MissingTime as problem:
                raise StopValidation(str(problem)) from problem

    @property
    def pauses(self) -> list[Pause]:
        """The questions with their answers. Raises NotInOrder."""
        pairs = ((self.asked_1, self.answered_1), (self.asked_2, self.answered_2))
        asked = [question.data for question, _ in pairs if question.data is not None]
        answered = [reply.data for _, reply in pairs if reply.data is not None]
        return calculator.pauses(asked, answered)

    def question(self, *, today: date) -> Question:
        """What is asked. Only once valid. Raises NotInOrder."""
        if self.received.data is None:
            raise LookupError("the day is empty")
        kind, on = DeadlineKind(self.kind.data), self.received.data
        timed = kind in BY_HOUR and self.at.data is not None
        return Question(
            kind=kind,
            received_at=wall(on, self.at.data or 0) if timed else start_of_day(on),
            as_of=today,
            identity_on=self.identity.data,
            authority_on=self.authority.data,
            fee_on=self.fee.data,
            pauses=self.pauses,
            extended_on=self.extended.data,
            by_on=self.by.data,
        )
