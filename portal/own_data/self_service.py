"""What people may do themselves, because the Department has said so once and for all (cl 17.1, 17.5, sch 3a).

Each such act still opens a case, sends its notice, and cites the instruction. Letters that the programme file names
are entered when an instance is set up; later ones by the data protection officer.
"""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.programme import Programme
from privacy import registers
from privacy.clock import london_date
from privacy.registers import Register, RegisterEntry, Standing
from privacy.work import Work

WORDS: Mapping[Standing, str] = {
    Standing.OWN_DOWNLOAD: "Download a copy of their own data",
    Standing.OWN_CORRECTION: "Put their own name and phone number right",
}


def allows(db: DbSession, *, on: date) -> dict[Standing, RegisterEntry | None]:
    """For each act the instruction that lets people do it on a day, None where there is none."""
    return {act: registers.standing(db, act, on=on) for act in Standing}


def enter(
    work: Work,
    *,
    letter: str,
    from_on: date,
    acts: Mapping[Standing, bool],
    wording: str,
    entry_id: UUID | None = None,
) -> RegisterEntry:
    """Enter an instruction that lets people do something themselves, or with false no more. Raises SentBefore."""
    return registers.enter(
        work,
        register=Register.INSTRUCTION,
        letter=letter,
        from_on=from_on,
        items=acts,
        body=wording,
        entry_id=entry_id,
    )


def enter_named(work: Work, programme: Programme) -> list[str]:
    """Enter the letters of the programme file, each once; returns those that were entered now.

    What a later letter said of the same act is not taken back by setting up again.
    """
    known = {
        (entry.letter, name)
        for entry in registers.entries(work.db, Register.INSTRUCTION)
        for name in entry.items or {}
    }
    by_letter: dict[str, dict[Standing, bool]] = {}
    for act, letter in programme.standing.items():
        if letter and (letter, act.value) not in known:
            by_letter.setdefault(letter, {})[act] = True
    for letter, acts in by_letter.items():
        said = "; ".join(WORDS[act] for act in acts)
        enter(
            work,
            letter=letter,
            from_on=london_date(work.now),
            acts=acts,
            wording=f"Named in the programme file: people may do this themselves. {said}.",
        )
    return list(by_letter)
