"""Earlier cases of the same person or the same address, so that nothing is handled twice.

What people wrote of themselves is sealed: it is opened here in memory and compared, and stands nowhere in clear.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.models import Person
from privacy.cases import acts
from privacy.cases.story import Story
from privacy.cases.tables import CaseKind
from privacy.columns import normal_address
from privacy.errors import HolderErased

SOON = timedelta(days=60)
"""A case of the same kind that came so long before is likely the same one."""
_DIGITS_COMPARED = 9


@dataclass(frozen=True)
class Match:
    """An earlier case; `same` says in words what it has in common. `likely`: it may be the same request."""

    story: Story
    same: str
    likely: bool


@dataclass(frozen=True)
class Looked:
    """What a new case is compared by."""

    kind: CaseKind
    received_at: datetime
    contact: Mapping[str, Any]
    subject_id: UUID | None
    case_id: UUID | None = None


def matches(db: DbSession, looked: Looked) -> Sequence[Match]:
    """The other cases of the same person, address, phone or name, newest first; in a fixed number of queries."""
    known = _marks(looked.contact)
    found = []
    for story in acts.stories(db, closed=None):
        if story.case.id == looked.case_id:
            continue
        same = _same(story, looked, known)
        if same:
            found.append(Match(story, ", ".join(same), _is_likely(story, looked)))
    return sorted(found, key=lambda one: one.story.case.received_at, reverse=True)


def belongs_to(db: DbSession, contact: Mapping[str, Any]) -> Person | None:
    """Whose account has the address that was given. Whoever writes from it need not be them."""
    address = str(contact.get("email") or "")
    return accounts.find(db, address) if "@" in address else None


def contact_of(story: Story) -> Mapping[str, Any]:
    """What somebody wrote of themselves; empty once it is erased."""
    try:
        return story.case.contact or {}
    except HolderErased:
        return {}


def _same(story: Story, looked: Looked, known: Mapping[str, str]) -> list[str]:
    same = ["the same person"] if looked.subject_id and story.case.subject_id == looked.subject_id else []
    theirs = _marks(contact_of(story))
    return same + [f"the same {what}" for what, mark in known.items() if theirs.get(what) == mark]


def _is_likely(story: Story, looked: Looked) -> bool:
    apart = abs(looked.received_at - story.case.received_at)
    return story.case.kind is looked.kind and (story.closed is None or apart <= SOON)


def _marks(contact: Mapping[str, Any]) -> dict[str, str]:
    """What is compared of a contact, each in one form."""
    email, phone, name = (str(contact.get(part) or "") for part in ("email", "phone", "name"))
    digits = re.sub(r"\D", "", phone)[-_DIGITS_COMPARED:]
    marks = {
        "address": normal_address(email),
        "phone number": digits if len(digits) == _DIGITS_COMPARED else "",
        "name": " ".join(_plain(name)),
    }
    return {what: mark for what, mark in marks.items() if mark}


def _plain(name: str) -> Iterable[str]:
    bare = unicodedata.normalize("NFKD", name.casefold())
    return sorted(re.findall(r"\w+", "".join(letter for letter in bare if not unicodedata.combining(letter))))
