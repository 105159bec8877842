"""A leader whose support begins, for journeys of participants; and how they come in by their mail."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import delivery
from portal.booking.delivery import Outcome
from portal.models import Package, Person, Place, Session
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from surveys import responses
from surveys.models import Mode, Response, Wave
from surveys.sittings import Asking
from tests.answering import address
from tests.conftest import Stack
from tests.crowd import whole_answers
from tests.journeys.tablets import Tablet
from tests.served import Served


@dataclass
class Support:
    """A leader with a mentor, invited; nothing answered yet."""

    db: DbSession
    stack: Stack
    package: Package
    leader: Person
    mentor: Person

    @property
    def address(self) -> str:
        assert self.leader.email is not None
        return self.leader.email

    def act(self, act: Callable[[Work], Any]) -> Any:
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            return act(work)

    def baseline_is_in(self) -> None:
        part = self.package.participations[0]
        if responses.submitted(self.db, [part.id], Wave.BASELINE):
            return
        asking = Asking(respondent_id=part.id, wave=Wave.BASELINE, role=part.role.value)
        answers = whole_answers(Wave.BASELINE, part.role.value)
        self.act(partial(responses.submit_answers, asking=asking, answers=answers, mode=Mode.SELF))

    def session_is_held(self) -> str:
        """Yesterday; returns its feedback's address."""
        self.baseline_is_in()
        programme, session_id = self.stack.instance.programme, new_id()
        booking: dict[str, Any] = {
            "package_id": self.package.id,
            "session_id": session_id,
            "mentor_id": self.mentor.id,
        }
        tomorrow = self.stack.clock() + timedelta(days=1)
        when: dict[str, Any] = {"starts_at": tomorrow, "place": Place.REMOTE, "free_time": True}
        self.act(lambda work: bookings.book(work, programme, **booking, **when))
        self.stack.clock.pass_time(days=2)
        record: dict[str, Any] = {"session_id": session_id, "outcome": Outcome.HELD, "minutes": 60}
        self.act(lambda work: delivery.record(work, programme, **record))
        return address(self.package, "feedback", str(session_id))

    def answers(self, wave: Wave = Wave.BASELINE) -> dict[str, Any]:
        """What is stored."""
        self.db.rollback()
        found: dict[str, Any] = self.db.scalars(select(Response).where(Response.wave == wave)).one().answers
        return found

    def sessions(self) -> list[Session]:
        self.db.rollback()
        return list(self.db.scalars(select(Session)))


def link_in(text: str, *, of: str) -> str:
    """The first address in a mail that holds these words."""
    return next(link for link in re.findall(r"https?://localhost(\S+)", text) if of in link)


def come_in(me: Tablet, support: Support, *, own: bool = False) -> None:
    """From the page that asks who it is: the address, the code of the mail."""
    me.fill("E-mail", support.address)
    me.press("Send me a link and a code")
    me.comes("document.querySelector('[name=code]') !== null")
    code = re.search(r"\b\d{6}\b", me.served.mail(support.address, subject="Sign in"))
    assert code
    me.fill("code", code[0])
    if own:
        me.choose("This is my own device")
    me.press("Sign in")


def invitation(served: Served, support: Support) -> str:
    return link_in(served.mail(support.address, subject="ready"), of="/your-support")
