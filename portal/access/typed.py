"""Which answers were typed in a signed-in browser itself: those it shows again, whatever else it may not read.

Only digests are noted, sealed for the person, beside the browser's session. An answer that was changed elsewhere since
is not the one that was typed here.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.models import BrowserSession
from privacy.work import Work
from surveys.questions import Answers, Value
from surveys.sittings import Asking


def note(
    work: Work, *, browser_session_id: UUID, asking: Asking, keys: Iterable[str], answers: Answers
) -> None:
    """Note that the answers under these keys were typed here, as they are stored now."""
    row = work.db.get_one(BrowserSession, browser_session_id, with_for_update=True)
    place, before = _place(asking), row.typed or {}
    typed = {key: _digest(answers[key]) for key in keys if answers.get(key) is not None}
    if typed:
        row.typed = {**before, place: {**before.get(place, {}), **typed}}


def covered(db: DbSession, *, browser_session_id: UUID, asking: Asking, answers: Answers) -> frozenset[str]:
    """The keys of the answers that were not typed here."""
    row = db.get_one(BrowserSession, browser_session_id)
    here: Mapping[str, str] = (row.typed or {}).get(_place(asking), {})
    return frozenset(
        key for key, value in answers.items() if value is not None and here.get(key) != _digest(value)
    )


def _place(asking: Asking) -> str:
    return f"{asking.respondent_id}/{asking.wave}/{asking.occasion}"


def _digest(value: Value | None) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
