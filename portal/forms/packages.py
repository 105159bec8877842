"""Forms about packages: making one, and what is done with it afterwards."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from wtforms import Field, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, StopValidation, ValidationError

from portal.forms.base import DatePartsField, Form, SureBooleanField
from portal.forms.councils import AgreedForm, AgreementForm
from portal.forms.programme import ChosenRadioField, ChosenSelectField, SomeCheckboxesField
from portal.forms.times import HiddenIdField
from portal.models import Council, Office, Role, Strand
from portal.packages.acts import TITLE_AT_MOST, Agreement
from portal.packages.goals import GOAL_AT_MOST
from portal.programme import Programme

GOALS = 5
NATIONAL = "national"
DAYS_AT_MOST = 100


class DaysField(Field):
    """A number of days, such as 5 or 7.5. `data` is a Decimal or None."""

    widget = StringField.widget

    def __init__(self, label: str = "", **options: Any) -> None:
        super().__init__(label, **options)
        self.typed = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed = valuelist[0].strip()[:20] if valuelist else ""
        self.data = None
        if not self.typed:
            return
        try:
            days = Decimal(self.typed)
        except InvalidOperation as problem:
            raise ValueError("Enter a number of days, such as 5 or 7.5") from problem
        if not (days.is_finite() and 0 <= days <= DAYS_AT_MOST):
            raise ValueError(f"Enter a number of days from 0 to {DAYS_AT_MOST}")
        self.data = days

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            raise StopValidation()

    def _value(self) -> str:
        return self.typed if self.raw_data else f"{self.data or ''}"


def _goal(label: str) -> StringField:
    return StringField(
        label,
        validators=[Length(max=GOAL_AT_MOST, message=f"A goal must be {GOAL_AT_MOST:,} characters or fewer")],
    )


class StartForm(Form):
    """The first step: what kind of support, and where. It is sent by GET and changes nothing."""

    class Meta(Form.Meta):
        csrf = False

    strand = ChosenRadioField(
        "What kind of support is it?",
        said="Choose the kind of support",
        choices=[
            SelectChoice(Strand.ONE_TO_ONE.value, "One-to-one support for a leader"),
            SelectChoice(Strand.GROUP.value, "Support for a group"),
        ],
    )
    council = ChosenSelectField("Council", said="Choose a council")

    def offer(self, councils: Iterable[Council]) -> None:
        """Which councils can be chosen; a group may be national."""
        self.council.choices = [
            SelectChoice(NATIONAL, "None: people from across the country"),
            *(SelectChoice(str(council.id), council.name) for council in councils),
        ]

    def validate_council(self, field: Field) -> None:
        if field.data == NATIONAL and self.strand.data == Strand.ONE_TO_ONE:
            raise ValidationError("One-to-one support is in a council. Choose the council")

    @property
    def council_id(self) -> UUID | None:
        return None if self.council.data == NATIONAL else UUID(self.council.data)


class PackageForm(AgreedForm, AgreementForm):
    """The second step: people, goals, time, and the agreement where there is none yet. `package_id` is the new
    package's own id."""

    package_id = HiddenIdField()
    title = StringField(
        "What the group is called",
        validators=[
            Length(max=TITLE_AT_MOST, message=f"The name must be {TITLE_AT_MOST} characters or fewer")
        ],
    )
    members = SomeCheckboxesField("Members", said="Choose from the list")
    leader = ChosenRadioField("Who is supported?", said="Choose who is supported")
    goal_1 = _goal("Goal 1")
    goal_2 = _goal("Goal 2, if there is one")
    goal_3 = _goal("Goal 3, if there is one")
    goal_4 = _goal("Goal 4, if there is one")
    goal_5 = _goal("Goal 5, if there is one")
    planned_days = DaysField(
        "How many days are planned?", validators=[InputRequired("Enter how many days are planned")]
    )
    starts_on = DatePartsField(
        "When does support start?", said="The start date", validators=[InputRequired("Enter the start date")]
    )

    def shape(self, *, strand: Strand, ask_agreement: bool) -> None:
        """Leave out what does not apply."""
        for name in ("members", "title") if strand is Strand.ONE_TO_ONE else ("leader",):
            del self[name]
        if not ask_agreement:
            del self.agreed
        if not ask_agreement or self.agreed.data != "yes":
            self.ask_nothing_of_agreement()

    def offer(self, programme: Programme, offices: Sequence[Office]) -> None:
        """Who can be chosen."""
        people = [
            SelectChoice(
                f"{office.person_id}:{office.role}",
                _described(office, programme, with_council=len({one.council_id for one in offices}) > 1),
            )
            for office in offices
        ]
        for name in ("members", "leader"):
            if name in self:
                self[name].choices = people

    @property
    def goals(self) -> list[str]:
        return [self[f"goal_{number}"].data or "" for number in range(1, GOALS + 1)]

    @property
    def chosen(self) -> list[tuple[UUID, Role]]:
        values = self.members.data if "members" in self else [self.leader.data]
        return [member_of(value) for value in values or []]

    @property
    def agreement_or_none(self) -> Agreement | None:
        return self.agreement if "agreed" in self and self.agreed.data == "yes" else None


def member_of(value: str) -> tuple[UUID, Role]:
    """The person and role that a choice names."""
    person_id, _, role = value.partition(":")
    return UUID(person_id), Role(role)


def _described(office: Office, programme: Programme, *, with_council: bool) -> str:
    place = f", {office.council.short_name}" if with_council and office.council is not None else ""
    return f"{office.person.name or office.person.ref}, {programme.roles[office.role]}{place}"


class EndForm(Form):
    on = DatePartsField(
        "When did support end?", said="The end date", validators=[InputRequired("Enter the end date")]
    )
    reason = TextAreaField(
        "Why it ends with less than the minimum",
        description="Only where one-to-one support had less time than the contract asks for.",
        validators=[Length(max=2000, message="The reason must be 2,000 characters or fewer")],
    )
    sure = SureBooleanField("This is the day on which support ended")

    @property
    def ending(self) -> dict[str, Any]:
        """What the rule takes."""
        return {"on": self.on.data, "reason": self.reason.data, "sure": self.sure.answers}


class MoveEndForm(Form):
    on = DatePartsField(
        "On which day did support end?", said="The end date", validators=[InputRequired("Enter the end date")]
    )


class LeaveForm(Form):
    on = DatePartsField(
        "What was their last day?", said="The last day", validators=[InputRequired("Enter the last day")]
    )


class WithdrawForm(Form):
    reason = TextAreaField(
        "Why is it withdrawn?",
        validators=[
            InputRequired("Enter the reason"),
            Length(max=2000, message="The reason must be 2,000 characters or fewer"),
        ],
    )


class WaiveForm(Form):
    reason = TextAreaField(
        "Why can the first session be held without the questionnaire?",
        validators=[
            InputRequired("Enter the reason"),
            Length(max=2000, message="The reason must be 2,000 characters or fewer"),
        ],
    )


class GoalForm(Form):
    """A further goal; `goal_id` is its own id."""

    goal_id = HiddenIdField()
    goals = TextAreaField(
        "What is the goal?",
        validators=[
            InputRequired("Enter the goal"),
            Length(max=GOAL_AT_MOST, message=f"A goal must be {GOAL_AT_MOST:,} characters or fewer"),
        ],
    )


class MemberForm(Form):
    members = ChosenSelectField("Who joins the group?", said="Choose a person")
    from_on = DatePartsField(
        "From which day?", said="The first day", validators=[InputRequired("Enter the first day")]
    )

    def offer(self, programme: Programme, offices: Sequence[Office]) -> None:
        """Who can be chosen."""
        with_council = len({office.council_id for office in offices}) > 1
        self.members.choices = [
            SelectChoice(
                f"{office.person_id}:{office.role}", _described(office, programme, with_council=with_council)
            )
            for office in offices
        ]
