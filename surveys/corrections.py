"""Corrections of wording: the same meaning in better words, traced, with both wordings kept.

Words are corrected in the version that is in force; its body stays as it was published, and the correction
stands beside it. What a measure asks must stay the same in every wave, so its words are corrected in all of
them at once. Codes, kinds, options' codes and order, scores, limits and conditions can't be corrected: to
change those is to ask something else, which is a new version.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work
from surveys.documents import Fault, Unsound
from surveys.measures import unexplained
from surveys.models import Correction, Version
from surveys.questionnaires import Questionnaire, check
from surveys.versions import Published, in_force, lock, pinned
from surveys.wordings import in_other_wave, reworded, wordings

REASON_AT_MOST = 1000


class NothingCorrected(Exception):
    """The words are as they were."""


class NotInForce(Exception):
    """The version was replaced by a newer one, or there is none: nobody starts on it any more."""


class ChangedMeanwhile(Exception):
    """Somebody else corrected or published this questionnaire since the page was shown. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A correction as the team reads it: who, when, why, and each of the words before and after."""

    number: int
    at: datetime
    by: str
    reason: str
    words: Mapping[str, tuple[str, str]]


def correct(
    work: Work, *, version_id: UUID, words: Mapping[str, str], reason: str, seen: int | None = None
) -> list[str]:
    """Correct words by key (surveys/wordings.py); returns the codes of the questionnaires that changed.

    `seen` is how many corrections the version had when the page was shown; None is however many there are.
    Raises NothingCorrected, NotInForce, ChangedMeanwhile, KeyError for words that the version doesn't have,
    and Unsound where the new words have a fault.
    """
    published = _newest(work, version_id)
    if seen is not None and seen != len(published.corrections):
        raise ChangedMeanwhile(published.code)
    was = wordings(published.questionnaire)
    changed = {key: text for key, text in words.items() if was[key] != text}
    if not changed:
        raise NothingCorrected(published.code)
    together = [(published, changed), *_other_waves(work.db, published, changed)]
    made = {one.code: reworded(one.questionnaire, theirs) for one, theirs in together}
    faults = _faults(made)
    if faults:
        raise Unsound(published.code, faults)
    for one, theirs in together:
        _write(work, one, theirs, reason=reason)
    return list(made)


def _newest(work: Work, version_id: UUID) -> Published:
    code = work.db.scalars(select(Version.code).where(Version.id == version_id)).one_or_none()
    if code is None:
        raise NotInForce(str(version_id))
    # All are locked, in one order: words of a measure are corrected in every wave.
    lock(work, work.db.scalars(select(Version.code).distinct()).all())
    newest = next(one for one in in_force(work.db) if one.code == code)
    if newest.id != version_id:
        raise NotInForce(code)
    return newest


def _other_waves(
    db: Session, published: Published, changed: Mapping[str, str]
) -> list[tuple[Published, dict[str, str]]]:
    found = []
    for other in in_force(db):
        if other.id != published.id and other.questionnaire.waves:
            theirs = {
                key: text
                for ours, text in changed.items()
                if (key := in_other_wave(ours, published.questionnaire, other.questionnaire)) is not None
            }
            if theirs:
                found.append((other, theirs))
    return found


def _faults(made: Mapping[str, Questionnaire]) -> list[Fault]:
    """What is wrong with the new words, and with the waves beside each other."""
    faults = [fault for questionnaire in made.values() for fault in check(questionnaire)]
    waves = [questionnaire for questionnaire in made.values() if questionnaire.waves]
    for number, one in enumerate(waves):
        faults += [fault for other in waves[number + 1 :] for fault in unexplained(one, other)]
    return faults


def _write(work: Work, published: Published, words: Mapping[str, str], *, reason: str) -> None:
    was = wordings(published.questionnaire)
    number = len(published.corrections) + 1
    correction = Correction(
        id=new_id(),
        version_id=published.id,
        number=number,
        at=work.now,
        by=work.actor,
        body=json.dumps({key: [was[key], text] for key, text in words.items()}, ensure_ascii=False),
    )
    correction.reason = reason
    work.db.add(correction)
    work.db.flush()
    work.record(
        Action.QUESTIONNAIRE_CORRECTED,
        object=f"version:{published.id}",
        code=published.code,
        number=published.number,
        correction=number,
    )


def log(db: Session, *, version_id: UUID) -> Sequence[Logged]:
    """The corrections of a version, newest first."""
    rows = db.scalars(
        select(Correction).where(Correction.version_id == version_id).order_by(Correction.number.desc())
    ).all()
    return [
        Logged(
            number=row.number,
            at=row.at,
            by=row.by,
            reason=row.reason or "",
            words={key: (before, after) for key, (before, after) in json.loads(row.body).items()},
        )
        for row in rows
    ]


def shared_with(db: Session, *, version_id: UUID, part: str) -> list[str]:
    """The titles of the other waves whose words change too when this part's are corrected."""
    published = pinned(db, version_id=version_id)
    keys = [key for key in wordings(published.questionnaire) if key.startswith(f"{part}/")]
    return [
        other.questionnaire.title
        for other in in_force(db)
        if other.id != version_id
        and other.questionnaire.waves
        and any(in_other_wave(key, published.questionnaire, other.questionnaire) for key in keys)
    ]
