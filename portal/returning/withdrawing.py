"""Calling a return off. Where the contract is extended, its new last day is entered in the same work (cl 2.2)."""

from datetime import date
from uuid import UUID

from portal.programme import Programme
from portal.registers import contract
from portal.returning.opening import DirectionRefused, require_no_name
from privacy.returns import acts
from privacy.work import Work


def withdraw(
    work: Work, programme: Programme, *, return_id: UUID, reason: str, letter: str, ends_on: date | None
) -> None:
    """Withdraw a return; again is refused. Raises Ended, DirectionRefused or EndRefused."""
    if ends_on is not None and not letter:
        raise DirectionRefused("Enter the reference of the letter that extends the contract", field="letter")
    require_no_name(work.db, letter)
    acts.withdraw(work, return_id=return_id, letter=letter or None, reason=reason)
    if ends_on is not None:
        contract.record_end(work, programme, ends_on=ends_on, letter=letter, wording=reason)
