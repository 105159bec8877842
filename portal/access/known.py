"""Who is signed in, read for every request: in one query, as plain values, where that says all there is to know.

A leader in office has offices and nothing else that decides what they may do. Whoever holds another office, or assists,
or has an assistant, is read with all rows that decide on them (portal/access/devices.py). Nothing is kept from one
request to the next: an account that is closed, an office that ends and a sign-in that is over count at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Result, bindparam, exists, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    PARTICIPANT,
    AccessDecision,
    BrowserSession,
    Clearance,
    Delegation,
    Office,
    ParkedForm,
    Person,
    Role,
)
from privacy.columns import AddressKeys, keys_of, unseal_column
from privacy.returns import standstill
from privacy.statements import run


@dataclass(frozen=True, slots=True)
class HeldOffice:
    """An office, as rules about roles ask for it."""

    role: Role
    from_on: date
    to_on: date | None

    def held_on(self, day: date) -> bool:
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)


@dataclass(frozen=True, slots=True)
class Assisting:
    """That somebody books for a leader on the day for which it was read."""

    on: date

    def live_on(self, day: date) -> bool:
        return day == self.on


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A person as plain values. What is not read is empty: rules that ask for it find nobody cleared or reviewed."""

    id: UUID
    ref: str
    opened: Callable[[], str | None]
    created_at: datetime
    disabled_at: datetime | None
    mailbox_shared: bool | None
    offices: Sequence[HeldOffice]
    assists: Sequence[Delegation | Assisting] = ()
    assisted: Sequence[Delegation] = ()
    clearances: Sequence[Clearance] = ()
    access_decisions: Sequence[AccessDecision] = ()

    @cached_property
    def name(self) -> str | None:
        return self.opened()


@dataclass(frozen=True, kw_only=True)
class LeadersBrowser:
    """A signed-in browser of a leader. `keeps`: a form of theirs may be kept (portal/access/parking.py)."""

    id: UUID
    person_id: UUID
    level: int
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    method: str | None
    proved_at: datetime | None
    follows_id: UUID | None
    frozen: bool
    keeps: bool
    person: Plain
    device: bool = False


Account: TypeAlias = Person | Plain
Browser: TypeAlias = BrowserSession | LeadersBrowser

_B, _P, _O = BrowserSession.__table__.c, Person.__table__.c, Office.__table__.c
_D, _F = Delegation.__table__.c, ParkedForm.__table__.c
_STATEMENT = (
    select(
        _B.id,
        _B.person_id,
        _B.level,
        _B.device,
        _B.created_at,
        _B.seen_at,
        _B.ends_at,
        _B.ended_at,
        _B.method,
        _B.proved_at,
        _B.follows_id,
        _P.ref,
        _P.name_sealed,
        _P.created_at.label("known_at"),
        _P.disabled_at,
        _P.mailbox_shared,
        _O.role,
        _O.from_on,
        _O.to_on,
        exists().where((_D.leader_id == _P.id) | (_D.assistant_id == _P.id)).label("delegates"),
        standstill.everything_is_frozen().label("frozen"),
        exists().where(_F.person_id == _P.id).label("keeps"),
    )
    .select_from(BrowserSession.__table__.join(Person.__table__).outerjoin(Office.__table__))
    .where(_B.token == bindparam("token"))
    .order_by(_O.from_on)
)


def read(db: DbSession, token: bytes) -> LeadersBrowser | None:
    """The browser with this digest of a cookie, if it is one that a leader is signed in with; None for any other, which
    has to be looked at whole."""
    rows = run(db, _STATEMENT, {"token": token}).all()
    if not rows or rows[0].device or rows[0].delegates or any(row.role not in PARTICIPANT for row in rows):
        return None
    first = rows[0]
    # Most pages show the name: its key is read together with whichever is needed first.
    keys_of(db).expect(first.person_id)
    return LeadersBrowser(
        id=first.id,
        person_id=first.person_id,
        level=first.level,
        created_at=first.created_at,
        seen_at=first.seen_at,
        ends_at=first.ends_at,
        ended_at=first.ended_at,
        method=first.method,
        proved_at=first.proved_at,
        follows_id=first.follows_id,
        frozen=first.frozen,
        keeps=first.keeps,
        person=Plain(
            id=first.person_id,
            ref=first.ref,
            opened=partial(_name, db, first.person_id, first.name_sealed),
            created_at=first.known_at,
            disabled_at=first.disabled_at,
            mailbox_shared=first.mailbox_shared,
            offices=[HeldOffice(row.role, row.from_on, row.to_on) for row in rows],
        ),
    )


_ACCOUNTS = select(
    _P.id,
    _P.ref,
    _P.name_sealed,
    _P.created_at,
    _P.disabled_at,
    _P.mailbox_shared,
    _O.role,
    _O.from_on,
    _O.to_on,
    exists()
    .where(
        _D.assistant_id == _P.id,
        _D.ended_at.is_(None),
        _D.from_on <= bindparam("on"),
        or_(_D.to_on.is_(None), _D.to_on >= bindparam("on")),
    )
    .label("assists"),
).select_from(Person.__table__.outerjoin(Office.__table__))
_AT_ADDRESS = _ACCOUNTS.where(_P.email_index.in_(bindparam("indexes", expanding=True)))
_OF_ID = _ACCOUNTS.where(_P.id == bindparam("person"))


def at_address(db: DbSession, address: str, *, on: date) -> Plain | None:
    """Who has an e-mail address, with what decides on a day whether they may come in.

    To be known costs next to nothing more than not to be: a stopwatch tells nobody (ASVS 6.3.8).
    """
    return _account(db, run(db, _AT_ADDRESS, {"indexes": AddressKeys(db).indexes(address), "on": on}), on=on)


def of_id(db: DbSession, person_id: UUID | None, *, on: date) -> Plain | None:
    """The same of a person."""
    return _account(db, run(db, _OF_ID, {"person": person_id, "on": on}), on=on)


def _account(db: DbSession, found: Result[*tuple[Any, ...]], *, on: date) -> Plain | None:
    rows = found.all()
    if not rows:
        return None
    first = rows[0]
    return Plain(
        id=first.id,
        ref=first.ref,
        opened=partial(_name, db, first.id, first.name_sealed),
        created_at=first.created_at,
        disabled_at=first.disabled_at,
        mailbox_shared=first.mailbox_shared,
        offices=[HeldOffice(row.role, row.from_on, row.to_on) for row in rows if row.role is not None],
        assists=[Assisting(on)] if first.assists else [],
    )


def _name(db: DbSession, person_id: UUID, value: bytes | None) -> str | None:
    if value is None:
        return None
    name: str = unseal_column(keys_of(db), Person.name_sealed, value, row=person_id, holder=person_id)
    return name
