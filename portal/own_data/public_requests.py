"""Requests from the public page: anybody can ask, with or without an account, and who it is is checked later.

Nobody is looked up: the answer is the same whether the portal knows the address or not. Asks are counted in the
database, per network and in all; who is held back is told how else to ask, since a right does not depend on a form.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from portal.cases import intake as desk_cases
from portal.models import PublicRequest
from portal.own_data.cases import TITLES
from portal.people import register as people
from portal.programme import Programme
from privacy import sent_before
from privacy.cases.tables import Case, CaseKind, Channel
from privacy.records import new_id
from privacy.work import Work

NETWORK_ASKS_AT_MOST = 10
ALL_ASKS_AT_MOST = 200
ASKS_WITHIN = timedelta(hours=1)
KINDS: Mapping[CaseKind, str] = {
    **TITLES,
    CaseKind.FOI: "Get information that is not about me (freedom of information)",
}


class TooManyAsks(Exception):
    """More than people could need came from one network, or in all. Nothing was written."""


def ask(
    work: Work,
    programme: Programme,
    *,
    case_id: UUID,
    kind: CaseKind,
    name: str,
    reach: str,
    text: str,
    network: bytes | None,
) -> str:
    """Take a request in; returns its reference. `network` is what asking.network_of says.

    `case_id` comes with the form: sent twice, the first one counts. Raises TooManyAsks, and SentBefore where something
    else was asked.
    """
    work.wait_turn("public requests")
    contact = {"name": name, _way(reach): reach}
    says = {"channel": Channel.PUBLIC_PAGE, "kind": kind, "asked": text, "contact": contact}
    if (known := sent_before.found(work, Case, case_id, **says)) is not None:
        return known.ref
    _hold_back(work, network)
    work.db.add(PublicRequest(id=new_id(), network=network, asked_at=work.now))
    case = desk_cases.take_in(
        work,
        programme,
        kind=kind,
        channel=Channel.PUBLIC_PAGE,
        received_at=work.now,
        asked=text,
        contact=contact,
        case_id=case_id,
    )
    return case.ref


def _way(reach: str) -> str:
    """What somebody typed to be reached by: an e-mail address, a phone number, else where they live."""
    if people.is_address(reach):
        return "email"
    signs = reach.replace(" ", "")
    return "phone" if signs and not signs.strip("+()-0123456789") else "address"


def _hold_back(work: Work, network: bytes | None) -> None:
    if network is not None and _asked(work, PublicRequest.network == network) >= NETWORK_ASKS_AT_MOST:
        raise TooManyAsks
    if _asked(work) >= ALL_ASKS_AT_MOST:
        raise TooManyAsks


def _asked(work: Work, *whose: ColumnElement[bool]) -> int:
    asked = select(func.count()).select_from(PublicRequest)
    return work.db.scalar(asked.where(PublicRequest.asked_at > work.now - ASKS_WITHIN, *whose)) or 0
