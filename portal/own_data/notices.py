"""The privacy notice in its versions, and which of them people were shown (UK GDPR Articles 13 and 14).

A version is a file named by its date; its words never change, which its digest shows. What is kept of a person is
which version they were shown and on which day: the first time they sign in after a change, when a banner leads them
to it. Whether they read it is nobody's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import NoticeShown
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work


@dataclass(frozen=True)
class Version:
    """One version: from which day it holds, its file, the SHA-256 of that file, and what is new in it."""

    on: date
    template: str
    digest: str
    news: str = ""


VERSIONS: Sequence[Version] = (
    Version(
        date(2021, 6, 1),
        "privacy_notices/2021-06-01.html",
        "e24a35da5cc373adee6a594074762090f3b0c2b6c66a371c891ef6a67aa22281",
    ),
)
"""Oldest first. A changed notice is a new file and a new line here."""


def newest(*, on: date) -> Version:
    """The version that holds on a day."""
    begun = [version for version in VERSIONS if version.on <= on]
    return begun[-1] if begun else VERSIONS[0]


def version_of(text: str, *, on: date) -> Version | None:
    """The version that its date names, once it holds."""
    return next((one for one in VERSIONS if one.on.isoformat() == text and one.on <= on), None)


def until(*, on: date) -> list[Version]:
    """Every version that holds or held, newest first."""
    return [version for version in reversed(VERSIONS) if version.on <= on]


def shown(db: DbSession, person_id: UUID) -> Sequence[NoticeShown]:
    """Which versions somebody was shown, newest first."""
    return db.scalars(
        select(NoticeShown).where(NoticeShown.person_id == person_id).order_by(NoticeShown.version_on.desc())
    ).all()


def show(work: Work, *, person_id: UUID) -> Version | None:
    """Note that somebody who signs in is shown the version of today; None where they were shown it before."""
    version = newest(on=london_date(work.now))
    # Two browsers may sign in at once.
    work.wait_turn(f"privacy notice {person_id}")
    known = work.db.scalars(
        select(NoticeShown.id).where(NoticeShown.person_id == person_id, NoticeShown.version_on == version.on)
    ).first()
    if known is not None:
        return None
    work.db.add(
        NoticeShown(
            id=new_id(),
            person_id=person_id,
            version_on=version.on,
            digest=version.digest,
            shown_on=london_date(work.now),
        )
    )
    return version
