"""What all pages of a questionnaire share: addresses, what stands around the content, readings by staff."""

from datetime import datetime
from typing import Any

from flask import render_template, url_for

from portal.answers import questionnaires
from portal.answers.questionnaires import Asked
from portal.views import typed_answers
from portal.views.context import clock_now, session, the_actor
from portal.views.readings import note_reading
from surveys.models import Mode
from surveys.questions import Posted
from surveys.readings import Reading
from surveys.sittings import Sitting

ANSWERS = ("copy", "download", "change", "reopen", "withdraw", "share", "unshare", "shared")


def address(view: str, asked: Asked, **values: Any) -> str:
    """The address of one of a questionnaire's pages."""
    area = "answers" if view in ANSWERS else "questionnaires"
    return url_for(
        f"{area}.{view}",
        participation_id=asked.participation_id,
        wave=asked.asking.wave.value,
        occasion=asked.asking.occasion,
        **values,
    )


def interviewing(asked: Asked) -> bool:
    """Whether somebody of the team has the page open, for the person who is asked."""
    return the_actor().person_id != asked.person_id


def mode_of(asked: Asked) -> Mode:
    return Mode.INTERVIEW if interviewing(asked) else Mode.SELF


def takes(asked: Asked, sitting: Sitting) -> bool:
    return questionnaires.takes(asked, sitting.response, now=clock_now(), own=not interviewing(asked))


def around(asked: Asked) -> dict[str, Any]:
    """What every page of a questionnaire shows around its content."""
    theirs = interviewing(asked)
    home = url_for("packages.show", package_id=asked.package_id) if theirs else url_for("your_support.index")
    return {
        "asked": asked,
        "home": home,
        "wave": asked.asking.wave.value,
        "address": lambda view, **values: address(view, asked, **values),
        "interview_with": questionnaires.name_of(session(), asked) if theirs else None,
    }


def closed(asked: Asked, *, typed: Posted | None = None, sent_at: datetime | None = None) -> str:
    """The page that says when it can be answered, or that it was sent, with what was typed in vain."""
    return render_template(
        "questionnaires/closed.html",
        **around(asked),
        now=clock_now(),
        typed=texts_of(typed or {}),
        sent_at=sent_at,
    )


def texts_of(typed: Posted) -> list[str]:
    """What was written rather than chosen."""
    return typed_answers.written((name, value) for name, values in typed.items() for value in values)


def note_opened(asked: Asked, sitting: Sitting, purpose: str) -> None:
    """Staff and mentors who open somebody's answers leave a line in the trail."""
    if sitting.response is not None and interviewing(asked):
        response_id, respondent_id = sitting.response.id, asked.participation_id
        note_reading(Reading(response_id=response_id, respondent_id=respondent_id, purpose=purpose))
