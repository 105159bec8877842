"""Forms of the registers: instructions and schedule 3a, sub-processors, remarks, risks, the access review."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from wtforms import BooleanField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.forms.base import DatePartsField, Form, WholeNumberField
from portal.forms.programme import ChosenRadioField, ChosenSelectField, day
from portal.forms.times import HiddenOnceField
from portal.registers.contract import LETTER_AT_MOST, WORDING_AT_MOST
from portal.registers.instructions import BASES, CONDITIONS, ITEMS, ROWS
from privacy import remarks
from privacy.registers import SPECIAL, DataItem, Grounds, RegisterEntry
from privacy.risks import STEPS, Risk
from privacy.subprocessors import SubProcessor

NOT_CHOSEN = SelectChoice("", "Not chosen")
NO_ENTRY = SelectChoice("", "None: it stands beside the others")


def _letter(label: str = "Reference of the letter") -> StringField:
    return StringField(
        label,
        validators=[
            InputRequired("Enter the reference of the letter"),
            Length(max=LETTER_AT_MOST, message=f"The reference must be {LETTER_AT_MOST} characters or fewer"),
        ],
    )


def _words(label: str, *, needed: str = "", most: int = WORDING_AT_MOST, hint: str = "") -> TextAreaField:
    asked = [InputRequired(needed)] if needed else [Optional()]
    return TextAreaField(
        label,
        description=hint,
        validators=[*asked, Length(max=most, message=f"Use {most:,} characters or fewer")],
    )


def _line(label: str, *, needed: str = "", most: int = 200, hint: str = "") -> StringField:
    asked = [InputRequired(needed)] if needed else []
    return StringField(
        label,
        description=hint,
        validators=[*asked, Length(max=most, message=f"Use {most} characters or fewer")],
    )


def _said(item: DataItem) -> ChosenRadioField:
    return ChosenRadioField(
        f"What does it say of {ITEMS[item][0].lower()}{ITEMS[item][1:]}?",
        said=f"Say what it says of {ITEMS[item][0].lower()}{ITEMS[item][1:]}",
        default="silent",
        choices=[
            SelectChoice("silent", "Nothing"),
            SelectChoice("listed", "It lists them: they may be recorded"),
            SelectChoice("no_more", "They may be recorded no more"),
        ],
    )


def _basis(item: DataItem) -> ChosenSelectField:
    return ChosenSelectField(
        f"{ITEMS[item]}: lawful basis, if it lists them",
        said="Choose from the list",
        choices=[NOT_CHOSEN, *(SelectChoice(code, words) for code, words in BASES.items())],
        default="",
    )


def _condition(item: DataItem) -> ChosenSelectField:
    return ChosenSelectField(
        f"{ITEMS[item]}: condition of Article 9, if it lists them",
        said="Choose from the list",
        choices=[NOT_CHOSEN, *(SelectChoice(code, words) for code, words in CONDITIONS.items())],
        default="",
    )


class EntryForm(Form):
    """A form that makes an entry; `entry_id` is its own id."""

    entry_id = HiddenOnceField()


class InstructionForm(EntryForm):
    """A written instruction of the Controller: what it lists or lists no more, on what that rests, what it replaces."""

    letter = _letter()
    from_on = DatePartsField(
        "From which day does it hold?", said="The day", validators=[InputRequired("Enter the day")]
    )
    wording = _words("What the instruction says", needed="Enter what the instruction says")
    replaces = ChosenSelectField(
        "Which earlier instruction does it replace?",
        said="Choose from the list",
        choices=[NO_ENTRY],
        default="",
    )
    political_group = _said(DataItem.POLITICAL_GROUP)
    political_group_basis = _basis(DataItem.POLITICAL_GROUP)
    political_group_condition = _condition(DataItem.POLITICAL_GROUP)
    adjustments = _said(DataItem.ADJUSTMENTS)
    adjustments_basis = _basis(DataItem.ADJUSTMENTS)
    adjustments_condition = _condition(DataItem.ADJUSTMENTS)
    dietary = _said(DataItem.DIETARY)
    dietary_basis = _basis(DataItem.DIETARY)
    dietary_condition = _condition(DataItem.DIETARY)
    case_words = ChosenRadioField(
        "May the Controller's auditor read what is written in cases?",
        said="Say whether the auditor may read it",
        default="silent",
        choices=[
            SelectChoice("silent", "It says nothing of that"),
            SelectChoice("listed", "Yes"),
            SelectChoice("no_more", "No more"),
        ],
    )
    kpi_numbers = ChosenRadioField(
        "Shall the numbers of the KPIs be shown to the Department, however small they are?",
        said="Say whether they shall be shown",
        default="silent",
        choices=[
            SelectChoice("silent", "It says nothing of that"),
            SelectChoice("listed", "Yes"),
            SelectChoice("no_more", "No more"),
        ],
    )

    def offer(self, entries: Iterable[RegisterEntry]) -> None:
        """Which instructions can be replaced: those in force."""
        self.replaces.choices = [NO_ENTRY, *(SelectChoice(str(one.id), one.letter) for one in entries)]

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        said = {item: self[item.value].data for item in DataItem}
        return {
            "entry_id": self.entry_id.id_to_make,
            "letter": self.letter.data or "",
            "from_on": day(self.from_on),
            "wording": self.wording.data or "",
            "replaces_id": UUID(self.replaces.data) if self.replaces.data else None,
            "items": {item: word == "listed" for item, word in said.items() if word in ("listed", "no_more")}
            or None,
            "grounds": {
                item: Grounds(
                    self[f"{item.value}_basis"].data or "", self[f"{item.value}_condition"].data or ""
                )
                for item in SPECIAL
                if said[item] == "listed"
            },
        }


class ScheduleForm(EntryForm):
    """A version of schedule 3a, row by row."""

    letter = _letter("Reference of the letter or variation that it came with")
    from_on = DatePartsField(
        "From which day does it hold?", said="The day", validators=[InputRequired("Enter the day")]
    )
    subject = _words(ROWS["subject"], needed="Enter what the processing is about")
    duration = _words(ROWS["duration"], needed="Enter how long it goes on")
    purposes = _words(ROWS["purposes"], needed="Enter what is done, and what for")
    data = _words(ROWS["data"], needed="Enter the types of personal data")
    people = _words(ROWS["people"], needed="Enter whose data it is")
    plan = _words(ROWS["plan"], needed="Enter what happens at the end")

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "entry_id": self.entry_id.id_to_make,
            "letter": self.letter.data or "",
            "from_on": day(self.from_on),
            "rows": {name: self[name].data or "" for name in ROWS},
        }


class SubProcessorForm(EntryForm):
    """A sub-processor as it stands now."""

    name = _line("Name", needed="Enter the name")
    does = _words("What it does with the data", needed="Enter what it does", most=1000)
    location = _line(
        "Where the data lies", needed="Enter where the data lies", hint="Town or region, and country"
    )
    abroad = BooleanField("The data leaves the United Kingdom")
    transfer = _words("If so: on what the transfer rests, and the letter of consent", most=1000)
    hosts = _line(
        "Mail servers, if mail goes by it", hint="Names such as smtp.provider.example, commas between"
    )
    notified_on = DatePartsField("Notice to the Department", said="The day", validators=[Optional()])
    consented_on = DatePartsField("The Department's written consent", said="The day", validators=[Optional()])
    consent = _line("Reference of the letter of consent")
    agreed_on = DatePartsField("Written agreement on the same terms", said="The day", validators=[Optional()])
    informed = _words("What the Department was told about it", most=1000)
    ended_on = DatePartsField("Last day, if it is over", said="The last day", validators=[Optional()])

    def show(self, what: SubProcessor) -> None:
        """Fill in what was entered last."""
        for field in self:
            if hasattr(what, field.name):
                value = getattr(what, field.name)
                field.process(None, ", ".join(value) if field.name == "hosts" else value)

    @property
    def asked(self) -> SubProcessor:
        """What the rule takes."""
        return SubProcessor(
            name=self.name.data or "",
            does=self.does.data or "",
            location=self.location.data or "",
            abroad=bool(self.abroad.data),
            transfer=self.transfer.data or "",
            hosts=tuple(one.strip().lower() for one in (self.hosts.data or "").split(",") if one.strip()),
            notified_on=self.notified_on.data,
            consented_on=self.consented_on.data,
            consent=self.consent.data or "",
            agreed_on=self.agreed_on.data,
            informed=self.informed.data or "",
            ended_on=self.ended_on.data,
        )


class RemarkForm(EntryForm):
    """A remark; empty takes the last one back."""

    text = _words("Remark", most=remarks.AT_MOST)


def _step(label: str) -> WholeNumberField:
    asked = NumberRange(STEPS[0], STEPS[-1], message=f"Enter a number from {STEPS[0]} to {STEPS[-1]}")
    return WholeNumberField(label, validators=[InputRequired("Enter a number from 1 to 5"), asked])


class RiskForm(EntryForm):
    """A risk as it stands now."""

    title = _line("The risk in a few words", needed="Enter the risk")
    harm = _words("What it could do to people", needed="Enter what it could do to people", most=1000)
    likelihood = _step("Likelihood without measures, 1 to 5")
    severity = _step("Severity without measures, 1 to 5")
    measures = _words("What is done about it", needed="Enter what is done about it", most=1000)
    left_likelihood = _step("Likelihood that is left, 1 to 5")
    left_severity = _step("Severity that is left, 1 to 5")
    owner = _line("Who answers for it, by role", needed="Enter who answers for it")
    closed = BooleanField("It is over: keep it, and count it no more")

    def show(self, what: Risk) -> None:
        """Fill in what was entered last."""
        for field in self:
            if hasattr(what, field.name):
                field.process(None, getattr(what, field.name))

    @property
    def asked(self) -> Risk:
        """What the rule takes."""
        numbers = ("likelihood", "severity", "left_likelihood", "left_severity")
        return Risk(
            title=self.title.data or "",
            harm=self.harm.data or "",
            measures=self.measures.data or "",
            owner=self.owner.data or "",
            closed=bool(self.closed.data),
            **{name: int(self[name].data or 0) for name in numbers},
        )


class OnDayForm(Form):
    """A day to look at; sent by GET."""

    class Meta(Form.Meta):
        csrf = False

    on = DatePartsField("What was in force on", said="The day", validators=[Optional()])

    def day(self, today: date) -> date:
        """The day that was asked for, else today."""
        return self.on.data if isinstance(self.on.data, date) else today


class DismissForm(Form):
    """Why a suspicion is none."""

    reason = _words("Why it is no incident", needed="Enter why it is no incident", most=2000)


class AffectedForm(Form):
    """Whom to put on the list of an incident."""

    people = _words("People, by reference or e-mail address, one to a line", most=WORDING_AT_MOST)
    packages = _line("Packages, by reference", hint="Commas between. Everybody in them goes on the list")


class AssessForm(Form):
    """What could follow from an incident; `event_id` is the id of the event that says it."""

    event_id = HiddenOnceField()
    risk = _words("What could follow from it for these people", needed="Enter what could follow", most=2000)


class ExerciseForm(Form):
    """What an exercise is about; `case_id` is the new case's own id."""

    case_id = HiddenOnceField()
    scenario = ChosenRadioField("What has happened?", said="Choose what has happened")
    words = _words("In your own words, or more about it", most=2000)

    def offer(self, scenarios: Mapping[str, str]) -> None:
        """What can have happened."""
        self.scenario.choices = [SelectChoice(code, words) for code, words in scenarios.items()]

    def asked(self, scenarios: Mapping[str, str]) -> str:
        """The scenario in words."""
        return "\n".join(filter(None, (scenarios[str(self.scenario.data)], self.words.data)))
