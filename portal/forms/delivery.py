"""Forms about those who deliver: profile, clearance, interests, matching and hand-over."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation

from portal.forms.base import DatePartsField, Form, WholeNumberField
from portal.forms.programme import ChosenRadioField, ChosenSelectField
from portal.forms.times import ClockField, instant_of
from portal.mentors import choosing, clearances, interests, profiles
from portal.mentors.choosing import Candidate
from portal.mentors.profiles import GROUPS, HELD, KINDS, REGIONS, WISHES, Profile, role_words
from portal.models import ClearanceKind, Council, Person
from portal.programme import Programme
from privacy.clock import MissingTime

_words = Length(max=profiles.WORDS_AT_MOST, message=f"Use {profiles.WORDS_AT_MOST:,} characters or fewer")
_interest_words = Length(
    max=interests.WORDS_AT_MOST, message=f"Use {interests.WORDS_AT_MOST:,} characters or fewer"
)
_why_words = Length(max=choosing.WHY_AT_MOST, message=f"Use {choosing.WHY_AT_MOST:,} characters or fewer")


class ClearanceForm(Form):
    """A dated record of one kind."""

    kind = ChosenRadioField(
        "What is recorded?",
        said="Choose what is recorded",
        choices=[SelectChoice(kind.value, clearances.WORDS[kind]) for kind in ClearanceKind],
    )
    from_on = DatePartsField(
        "When was it given, signed or completed?",
        said="The day",
        validators=[InputRequired("Enter the day")],
    )
    expires_on = DatePartsField(
        "When does it expire?",
        said="The expiry date",
        description="From this day on it counts no more.",
        validators=[InputRequired("Enter the expiry date")],
    )
    note = StringField(
        "Number, or where the evidence is kept",
        validators=[
            Length(max=clearances.NOTE_AT_MOST, message=f"Use {clearances.NOTE_AT_MOST} characters or fewer")
        ],
    )

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "kind": ClearanceKind(self.kind.data),
            "from_on": self.from_on.data,
            "expires_on": self.expires_on.data,
            "note": self.note.data or None,
        }


class AboutForm(Form):
    """A mentor's own lines."""

    about = TextAreaField(
        "Three lines about you",
        description="Leaders read this before they book. For example, what you did and how you like to work.",
        validators=[
            InputRequired("Write something about you"),
            Length(max=profiles.ABOUT_AT_MOST, message=f"Use {profiles.ABOUT_AT_MOST} characters or fewer"),
        ],
    )


class ProfileForm(Form):
    """What the team records of a mentor."""

    roles = SelectMultipleField("Which roles have they held?")
    public_sector = TextAreaField("Experience in the public sector", validators=[_words])
    one_to_one = TextAreaField("Experience of one-to-one support", validators=[_words])
    skills = TextAreaField("Skills", validators=[_words])
    kinds = SelectMultipleField(
        "Which types of council do they know?",
        choices=[SelectChoice(kind.value, words) for kind, words in KINDS.items()],
    )
    regions = SelectMultipleField(
        "In which regions can they work?", choices=[SelectChoice(region, region) for region in REGIONS]
    )
    capacity = WholeNumberField(
        "How many packages can they serve at once?",
        validators=[
            InputRequired("Enter a number"),
            NumberRange(
                0,
                profiles.CAPACITY_AT_MOST,
                message=f"Enter a number from 0 to {profiles.CAPACITY_AT_MOST}",
            ),
        ],
    )
    trained_on = DatePartsField(
        "When did they complete mentor training?", said="The day of the training", validators=[Optional()]
    )
    coaching = StringField(
        "Coaching qualification, if any", validators=[Length(max=200, message="Use 200 characters or fewer")]
    )

    def offer(self, programme: Programme) -> None:
        """Which roles can be chosen."""
        self.roles.choices = [SelectChoice(role, role_words(role, programme.roles)) for role in HELD]

    @property
    def profile(self) -> Profile:
        return Profile(
            roles=tuple(self.roles.data or ()),
            public_sector=self.public_sector.data or "",
            one_to_one=self.one_to_one.data or "",
            skills=self.skills.data or "",
            kinds=tuple(self.kinds.data or ()),
            regions=tuple(self.regions.data or ()),
            capacity=self.capacity.data or 0,
            trained_on=self.trained_on.data,
            coaching=self.coaching.data or "",
        )


class GroupForm(Form):
    """Political group, and for leaders which mentor they would like; only while an instruction lists it."""

    political_group = SelectField(
        "Political group",
        choices=[SelectChoice("", "Not recorded")]
        + [SelectChoice(group.value, words) for group, words in GROUPS.items()],
    )
    wish = SelectField(
        "Which mentor would they like?",
        choices=[SelectChoice("", "Not asked")]
        + [SelectChoice(wish.value, words) for wish, words in WISHES.items()],
    )


class InterestForm(Form):
    """An interest in a council."""

    council = ChosenSelectField("Council", said="Choose a council")
    nature = TextAreaField(
        "What is the interest?",
        description="For example, a job, a contract, family, or a close working relationship.",
        validators=[InputRequired("Say what the interest is"), _interest_words],
    )
    from_on = DatePartsField(
        "From which day?", said="The first day", validators=[InputRequired("Enter the first day")]
    )
    to_on = DatePartsField("Until which day, if it is over?", said="The last day", validators=[Optional()])
    action = TextAreaField("What was done about it, if anything", validators=[_interest_words])

    def offer(self, councils: Iterable[Council]) -> None:
        """Which councils can be chosen."""
        self.council.choices = [SelectChoice(str(council.id), council.name) for council in councils]

    def leave_action(self) -> None:
        """What is done about an interest is for the team to say."""
        del self.action

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "council_id": UUID(self.council.data),
            "nature": self.nature.data or "",
            "from_on": self.from_on.data,
            "to_on": self.to_on.data,
            "action": (self.action.data or None) if "action" in self else None,
        }


class InterestChangeForm(Form):
    """The last day of an interest, and what was done about it."""

    to_on = DatePartsField("Last day, if it is over", said="The last day", validators=[Optional()])
    action = TextAreaField("What was done about it", validators=[_interest_words])

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {"to_on": self.to_on.data, "action": self.action.data or None}


class ChooseForm(Form):
    """A mentor for a package, and why."""

    mentors = ChosenRadioField("Whom do you choose?", said="Choose a mentor")
    why = TextAreaField(
        "Why this mentor?", validators=[InputRequired("Say why this mentor is chosen"), _why_words]
    )
    set_aside = TextAreaField(
        "If they are from a neighbouring council: why is it right here?",
        description="The reason goes into the statement of conflicts for the Department.",
        validators=[_why_words],
    )

    def offer(self, free: Sequence[Candidate], allowed: Sequence[Candidate]) -> None:
        """Who can be chosen; `allowed` are those whom a person may allow."""
        self.mentors.choices = [
            *(SelectChoice(str(one.person.id), one.name) for one in free),
            *(
                SelectChoice(str(one.person.id), f"{one.name} (neighbouring council, needs a reason)")
                for one in allowed
            ),
        ]
        if not allowed:
            del self.set_aside

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "person_id": UUID(self.mentors.data),
            "why": self.why.data or "",
            "set_aside": (self.set_aside.data or None) if "set_aside" in self else None,
        }


class HandOverForm(Form):
    """To whom everything goes."""

    to = ChosenSelectField("Who takes over?", said="Choose a mentor")

    def offer(self, mentors: Iterable[Person]) -> None:
        """Who can be chosen."""
        self.to.choices = [SelectChoice(str(one.id), one.name or one.ref) for one in mentors]


class GiveForm(Form):
    """One session to another mentor of its package, at its time or another."""

    to = ChosenSelectField("Which mentor gives it?", said="Choose a mentor")
    on = DatePartsField("Day", said="The day", validators=[InputRequired("Enter the day")])
    at = ClockField("Start", validators=[InputRequired("Enter the start, such as 2:30pm")])

    def offer(self, mentors: Iterable[Person]) -> None:
        """Who can be chosen."""
        self.to.choices = [SelectChoice(str(one.id), one.name or one.ref) for one in mentors]

    def validate_at(self, field: ClockField) -> None:
        """No time that the clock jumps over."""
        if self.on.data is not None and field.data is not None:
            try:
                instant_of(self.on, field)
            except MissingTime as problem:
                raise StopValidation(str(problem)) from problem

    @property
    def asked(self) -> dict[str, Any]:
        """What the rule takes."""
        return {"mentor_id": UUID(self.to.data), "starts_at": instant_of(self.on, self.at)}
