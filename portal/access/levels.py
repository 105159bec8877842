"""How much somebody has to prove, and for what. Pure.

    MAIL    a mailed code or link, or a kept device: book, answer, and see what this very browser session typed
    PROOF   a passkey with user verification, or the mailed code and a password (staff: and an app's code)

Whoever runs, watches or gives the programme enters at PROOF only. Leaders and assistants enter at MAIL; who of them
reads earlier answers, goals, notes and their own data at MAIL too is for the programme's setting to say, since an
assistant often reads the mailbox (ASVS 6.3.3).
"""

from datetime import date
from enum import StrEnum

from portal.access.known import Account
from portal.models import PARTICIPANT, Level, Role

UNCLEARED = PARTICIPANT | {Role.ASSISTANT}
"""Roles that need no clearance: they see only what is theirs, or times of those they book for."""


class Reading(StrEnum):
    """Who needs PROOF to read what is theirs. SHARED_MAILBOXES: chief executives, everybody with an assistant, and
    everybody who says that others read their mailbox."""

    ALWAYS = "always"
    SHARED_MAILBOXES = "shared_mailboxes"
    NEVER = "never"


def enters_at(held: frozenset[Role]) -> Level:
    """The level from which pages open at all, by the roles somebody holds."""
    return Level.MAIL if held <= UNCLEARED else Level.PROOF


def reads_at(person: Account, held: frozenset[Role], *, reading: Reading, on: date) -> Level:
    """The level from which somebody reads what is theirs."""
    match reading:
        case _ if enters_at(held) is Level.PROOF:
            return Level.PROOF
        case Reading.ALWAYS:
            return Level.PROOF
        case Reading.NEVER:
            return Level.MAIL
        case Reading.SHARED_MAILBOXES:
            return Level.PROOF if is_shared(person, on=on) else Level.MAIL


def is_shared(person: Account, *, on: date) -> bool:
    """Whether others are to be reckoned with in somebody's mailbox. Who was a chief executive counts as one still; so
    does whoever had an assistant, until they say that nobody reads along any more."""
    said = bool(person.assisted) if person.mailbox_shared is None else person.mailbox_shared
    return said or shared_by_office(person, on=on)


def shared_by_office(person: Account, *, on: date) -> bool:
    """The same by what we know ourselves, whatever they say."""
    executive = any(office.role is Role.CHIEF_EXECUTIVE for office in person.offices)
    return executive or any(one.live_on(on) for one in person.assisted)
