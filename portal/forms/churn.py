"""The form in which somebody's place passes to another, or ends."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.forms.base import DatePartsField, Form
from portal.forms.packages import member_of
from portal.forms.programme import ChosenRadioField, ChosenSelectField, SomeCheckboxesField, day
from portal.models import Office, Role, Strand
from portal.packages.churn import Newcomer, Running, Successor, Terms
from portal.packages.goals import GOAL_AT_MOST
from portal.packages.strands import STRANDS
from portal.people.register import ADDRESS_AT_MOST, NAME_AT_MOST
from portal.programme import Programme

NOBODY, KNOWN, NEW = "nobody", "known", "new"


class PassOnForm(Form):
    on = DatePartsField(
        "What was their last day?", said="The last day", validators=[InputRequired("Enter the last day")]
    )
    who = ChosenRadioField(
        "Who follows?",
        said="Choose who follows",
        choices=[
            SelectChoice(KNOWN, "Somebody we know"),
            SelectChoice(NEW, "Somebody new"),
            SelectChoice(NOBODY, "Nobody. Support ends"),
        ],
    )
    members = ChosenSelectField("If we know them: who?", said="Choose a person")
    name = StringField(
        "If they are new: name",
        validators=[Length(max=NAME_AT_MOST, message=f"The name must be {NAME_AT_MOST} characters or fewer")],
    )
    email = EmailField(
        "If they are new: e-mail address",
        validators=[
            Length(max=ADDRESS_AT_MOST, message=f"The address must be {ADDRESS_AT_MOST} characters or fewer")
        ],
    )
    from_on = DatePartsField("Their first day", said="The first day", validators=[Optional()])
    moves = SomeCheckboxesField("Which support goes on with them?", said="Choose from the list")
    goals = TextAreaField(
        "What is one-to-one support to achieve for them?",
        description="Goals of the one before are not taken over. You can add more later.",
        validators=[Length(max=GOAL_AT_MOST, message=f"A goal must be {GOAL_AT_MOST:,} characters or fewer")],
    )
    with_sessions = BooleanField("Give them the coming sessions too, at the same times")
    found: Sequence[Running] = ()

    def offer(
        self, programme: Programme, found: Sequence[Running], offices: Iterable[Office], *, new: bool = True
    ) -> None:
        """What goes on, and who can follow; `new` says whether somebody can be added."""
        self.found = found
        self.moves.choices = [
            SelectChoice(str(one.part.id), f"{_kind(one)}, package {one.package.ref}") for one in found
        ]
        self.members.choices = [
            SelectChoice(
                f"{office.person_id}:{office.role}",
                f"{office.person.name or office.person.ref}, {programme.roles[office.role]}",
            )
            for office in offices
        ]
        if not new:
            self.who.choices = [choice for choice in self.who.choices if choice.value != NEW]
        self.members.asked = self.who.data == KNOWN

    @property
    def one_to_one_goes_on(self) -> bool:
        chosen = set(self.moves.data or ())
        return any(
            one.package.strand is Strand.ONE_TO_ONE and str(one.part.id) in chosen for one in self.found
        )

    def validate_name(self, field: StringField) -> None:
        if self.who.data == NEW and not field.data:
            raise ValidationError("Enter the name of who follows")

    def validate_email(self, field: EmailField) -> None:
        if self.who.data == NEW and not field.data:
            raise ValidationError("Enter an e-mail address")

    def validate_goals(self, field: TextAreaField) -> None:
        if self.who.data != NOBODY and self.one_to_one_goes_on and not field.data:
            raise ValidationError("Enter at least one goal. Goals are agreed before support starts")

    def validate(self, extra_validators: object = None) -> bool:
        valid = super().validate(extra_validators)
        if self.who.data in (KNOWN, NEW) and self.from_on.data is None and not self.from_on.errors:
            self.refuse(self.from_on, "Enter their first day")
            return False
        return bool(valid)

    def terms(self, role: Role) -> Terms:
        """What the rule takes; `role` is the one that somebody new gets."""
        if self.who.data == NOBODY:
            return Terms(on=day(self.on))
        who: UUID | Newcomer
        if self.who.data == KNOWN:
            who, role = member_of(self.members.data)
        else:
            who = Newcomer(self.name.data, self.email.data)
        return Terms(
            on=day(self.on),
            successor=Successor(who, role, day(self.from_on)),
            moves=[UUID(value) for value in self.moves.data or ()],
            goal=self.goals.data or "",
            with_sessions=self.with_sessions.data,
        )


def _kind(one: Running) -> str:
    words = (
        STRANDS[Strand.ONE_TO_ONE]
        if one.package.strand is Strand.ONE_TO_ONE
        else one.package.title or "A group"
    )
    count = len(one.coming)
    if not count:
        return words
    return f"{words}, {count} {'session' if count == 1 else 'sessions'} to come"
