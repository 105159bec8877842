"""Remarks of the data protection officer: on a category of processing, or a part of the assessment."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from privacy.clock import london_date
from privacy.registers import Register, RegisterEntry, enter, latest
from privacy.work import Work

AT_MOST = 4000


class Part(StrEnum):
    """The parts of the impact assessment that only people can write (cl 17.3(a) and (b))."""

    PURPOSE = "_purpose"
    NECESSITY = "_necessity"
    PROPORTION = "_proportion"
    CONSULTED = "_consulted"


def remark(work: Work, *, on: str, text: str, entry_id: UUID | None = None) -> RegisterEntry:
    """Say something about a table's processing or a part of the assessment; empty takes it back. Raises SentBefore."""
    return enter(
        work,
        register=Register.REMARK,
        letter=on,
        from_on=london_date(work.now),
        body=text,
        entry_id=entry_id,
    )


def remarks(db: DbSession) -> Mapping[str, RegisterEntry]:
    """What was said last, by what it is about."""
    return {about: entry for about, entry in latest(db, Register.REMARK).items() if entry.body}
