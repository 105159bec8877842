"""Telling people of what happens to their sign-in: new browsers and devices, new and lost proofs, changed addresses.

A mail is a reference as all mail is: what it says is read again when it is sent (portal/access/news_mails.py).
"""

from enum import StrEnum
from uuid import UUID

from portal.mailing import queue as mail
from portal.models import AddressChange, Mailbox, Person, Role
from portal.people import in_office
from privacy.clock import london_date
from privacy.work import Work

NEWS, ADDRESS, TO_CONFIRM, RESTORED_ONE = "account_news", "address_changed", "factor_waits", "factor_restored"


class News(StrEnum):
    """What somebody is told. The word stands as the step of the mail, so it stays as it is."""

    NEW_BROWSER = "new_browser"
    DEVICE_KEPT = "device_kept"
    FACTOR_ADDED = "factor_added"
    FACTOR_WAITS = "factor_waits"
    FACTOR_CONFIRMED = "factor_confirmed"
    FACTOR_ENDED = "factor_ended"
    CODE_USED = "code_used"
    RESTORED = "restored"
    PAUSED = "paused"
    ADDRESS_NEW = "address_new"
    ASSISTANT_NAMED = "assistant_named"
    ASSISTANT_ENDED = "assistant_ended"


def tell(work: Work, what: News, *, person_id: UUID, about: UUID) -> None:
    """Queue the news about one thing, once."""
    mail.queue(work, template=NEWS, about=about, to=person_id, step=what.value)


def tell_of_address(work: Work, person: Person, before: str) -> None:
    """Tell both mailboxes that somebody's address is another now."""
    change = AddressChange(person_id=person.id, at=work.now)
    change.before = before
    work.db.add(change)
    work.db.flush()
    mail.queue(work, template=ADDRESS, about=change.id, to=None)
    tell(work, News.ADDRESS_NEW, person_id=person.id, about=change.id)


def tell_staff(work: Work, factor_id: UUID) -> None:
    """Tell the team that somebody set up a proof which rests on their mailbox alone."""
    mail.queue(work, template=TO_CONFIRM, about=factor_id, to=Mailbox.TEAM)


def tell_administrators(work: Work, *, person_id: UUID, about: UUID) -> None:
    """Tell every administrator that somebody's sign-in was restored: whoever did it, and the others."""
    for one in in_office.ids(work.db, {Role.ADMINISTRATOR}, on=london_date(work.now)):
        if one != person_id:
            mail.queue(work, template=RESTORED_ONE, about=about, to=one)
