"""What stands beside answers that were sent: who else can read them, what can be done with them, as a file."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect
from werkzeug import Response

from portal import filters
from portal.answers import reopenings, shares
from portal.answers.questionnaires import Asked
from portal.mentors import serving
from portal.models import Share
from portal.views.asked import interviewing
from portal.views.context import session, today, work
from portal.views.question_fields import Told
from surveys.models import ResponseState
from surveys.sittings import Opened, Sitting


def sharing(asked: Asked, sitting: Sitting) -> dict[str, Any]:
    """For the person themselves: the mentors who can read it, those it can be shown to, and a wish that waits."""
    response = sitting.response
    if response is None or interviewing(asked):
        return {"shared_with": [], "mentors": [], "wish": reopenings.waiting(session(), asked)}
    sent = response.state is ResponseState.SUBMITTED
    return {
        "shared_with": names_of(
            shares.live(session(), participation_id=asked.participation_id, response_id=response.id)
        ),
        "mentors": serving.mentors_from(session(), asked.package_id, on=today()) if sent else [],
        "wish": reopenings.waiting(session(), asked),
    }


def names_of(shared: Sequence[Share]) -> list[str]:
    return [one.mentor.name or one.mentor.ref for one in shared]


def as_text(asked: Asked, response: Opened, sections: Sequence[Told]) -> str:
    """Somebody's own answers as a plain text, for them to keep."""
    lines = [asked.title, f"Reference {response.ref}"]
    if response.submitted_at is not None:
        lines.append(f"Sent on {filters.day_time(response.submitted_at)}")
    for section in sections:
        lines += ["", "", section.title, "-" * len(section.title)]
        for question, answer in section.answers:
            lines += ["", question, *(f"    {line}" for line in (answer or "Not answered").split("\n"))]
    return "\n".join(lines) + "\n"


def set_share(participation_id: UUID, response_id: UUID | None, then: str, *, on: bool) -> Response:
    """Share something with the mentors of now, or take it back, and go back to its page."""
    act = shares.share if on else shares.unshare
    try:
        with work() as unit:
            act(unit, participation_id=participation_id, response_id=response_id)
    except shares.NothingToShare:
        flash("There is nobody to share this with now.", "notice")
    else:
        flash("Your mentor can read this now." if on else "Your mentor cannot read this any more.", "success")
    return redirect(then, 303)
