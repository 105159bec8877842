"""Forms of group sessions: what is planned, go or no-go, who is added, and action learning sets.

`asked` holds what the rule takes.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form
from portal.forms.mentors import (
    TITLE_AT_MOST,
    Named,
    RowsFields,
    add_rows,
    capacity_field,
    decide_on_field,
    host_field,
    minimum_field,
    offer_hosts,
)
from portal.forms.programme import ChosenRadioField, ChosenSelectField, SomeCheckboxesField
from portal.forms.times import HiddenIdField, LengthSelectField
from portal.groups.sets import DATES_AT_MOST
from portal.models import Decision, GroupPlan, Participation, Session

REASON_AT_MOST = 500


def _people(members: Sequence[Participation]) -> list[SelectChoice]:
    return [
        SelectChoice(str(one.person_id), one.person.name or one.person.ref)
        for one in members
        if one.person is not None
    ]


class PlanForm(Form):
    """What is planned of a group session that is still to come."""

    capacity = capacity_field()
    minimum = minimum_field()
    decide_on = decide_on_field()
    host = host_field()

    @classmethod
    def of(cls, held: Session, plan: GroupPlan | None, *, hosts: Named) -> "PlanForm":
        """The form with what is planned now; whom it visits is asked of a visit only."""
        now: dict[str, Any] = {"capacity": held.capacity}
        if plan is not None:
            now |= {
                "minimum": plan.minimum,
                "decide_on": plan.decide_on,
                "host": str(plan.host_council_id or ""),
            }
        form = cls(data=now)
        offer_hosts(form.host, hosts)
        if not hosts:
            del form.host
        return form

    @property
    def asked(self) -> dict[str, Any]:
        host = self.host.data if "host" in self else None
        return {
            "capacity": self.capacity.data,
            "minimum": self.minimum.data,
            "decide_on": self.decide_on.data,
            "host_council_id": UUID(host) if host else None,
        }


class DecideForm(Form):
    """Go or no-go; a reason is wanted for no-go, which the rule sees to."""

    decision = ChosenRadioField(
        "Does this session take place?",
        said="Choose whether it takes place",
        choices=[
            SelectChoice(Decision.GO.value, "Go: it takes place with those who have a place"),
            SelectChoice(Decision.NO_GO.value, "No-go: call it off"),
        ],
    )
    reason = TextAreaField(
        "Why is it called off?",
        description="Everybody who has a place or waits for one reads this in their mail.",
        validators=[Length(max=REASON_AT_MOST, message=f"Use {REASON_AT_MOST} characters or fewer")],
    )

    @property
    def asked(self) -> dict[str, Any]:
        return {"decision": Decision(self.decision.data), "reason": self.reason.data or None}


class AddForm(Form):
    """Whom the team gives a place, or puts on the waiting list."""

    person = ChosenSelectField("Who comes?", said="Choose a person")

    def offer(self, members: Sequence[Participation]) -> None:
        """Who can be chosen."""
        self.person.choices = _people(members)

    @property
    def person_id(self) -> UUID:
        return UUID(self.person.data)


class SetForm(RowsFields):
    """The dates of an action learning set, and its members."""

    FIRST, MOST = 2, DATES_AT_MOST
    set_id = HiddenIdField()
    title = StringField(
        "What is it called?",
        validators=[
            InputRequired("Enter what the set is called"),
            Length(max=TITLE_AT_MOST, message=f"Use {TITLE_AT_MOST} characters or fewer"),
        ],
    )
    minutes = LengthSelectField("How long is each date?", default=120)
    members = SomeCheckboxesField(
        "Who is in the set?", said="Choose from the list", validators=[InputRequired("Choose the members")]
    )

    def offer(self, *, mentors: Named, members: Sequence[Participation]) -> None:
        """Who can be chosen."""
        self.mentor_id.choices = [SelectChoice(str(value), words) for value, words in mentors]
        self.members.choices = _people(members)

    @property
    def asked(self) -> dict[str, Any]:
        return {
            "set_id": self.set_id.id_to_make,
            "mentor_id": UUID(self.mentor_id.data),
            "title": self.title.data,
            "starts": self.starts,
            "minutes": self.minutes.data,
            "member_ids": [UUID(person_id) for person_id in self.members.data or []],
            **self.met,
        }


add_rows(SetForm)


class ReplaceForm(Form):
    """Who leaves a set, and who follows on all coming dates."""

    leaver = ChosenSelectField("Who leaves?", said="Choose who leaves")
    newcomer = ChosenSelectField("Who takes over all coming dates?", said="Choose who takes over")

    def offer(self, *, seated: Sequence[Participation], others: Sequence[Participation]) -> None:
        """Who can be chosen."""
        self.leaver.choices, self.newcomer.choices = _people(seated), _people(others)

    @property
    def asked(self) -> dict[str, Any]:
        return {"leaver_id": UUID(self.leaver.data), "newcomer_id": UUID(self.newcomer.data)}
