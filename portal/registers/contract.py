"""The end of the contract, as letters change it: extensions, variations and early ends (cl 2.2, cl 10, cl 18)."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.programme import Programme, latest_end
from privacy.clock import day_words, london_date
from privacy.registers import Register, RegisterEntry, enter
from privacy.work import Work

LETTER_AT_MOST = 30
WORDING_AT_MOST = 4000


class EndRefused(Exception):
    """The contract cannot end on that day; the message says which days it can."""

    field = "ends_on"


def record_end(
    work: Work, programme: Programme, *, ends_on: date, letter: str, wording: str
) -> RegisterEntry:
    """Enter a new last day of the contract, in force from today. Raises EndRefused."""
    latest = latest_end(programme)
    if not programme.contract.starts_on <= ends_on <= latest:
        raise EndRefused(
            f"The contract starts on {day_words(programme.contract.starts_on)} and can be extended "
            f"to {day_words(latest)} at the latest"
        )
    return enter(
        work,
        register=Register.CONTRACT_END,
        letter=letter,
        from_on=london_date(work.now),
        value_on=ends_on,
        body=wording,
    )


def ends(db: DbSession) -> Sequence[RegisterEntry]:
    """What the letters have said so far, newest first."""
    return db.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.register == Register.CONTRACT_END)
        .order_by(RegisterEntry.entered_at.desc())
    ).all()
