"""The statement of conflicts of interest as a file for the Department (annex 2, 4.2; cl 6.2: with the reference)."""

from portal.csv_files import Cell, csv_of
from portal.mentors.interests import Affected, Statement
from portal.models import MentorChoice, Package
from privacy.clock import london_date

HEAD = (
    "Contract reference",
    "As of",
    "Kind",
    "Name",
    "Council",
    "From",
    "To",
    "What it is",
    "What was done",
    "Packages concerned",
)


def as_csv(statement: Statement, *, reference: str) -> bytes:
    """One row for each declared interest, then one for each stop that was set aside."""
    rows = [*map(_declared, statement.declared), *map(_set_aside, statement.set_aside)]
    return csv_of(HEAD, ([reference, statement.on, *row] for row in rows))


def _declared(one: Affected) -> list[Cell]:
    held = one.interest
    return [
        "Declared interest",
        held.person.name or held.person.ref,
        held.council.name,
        held.from_on,
        held.to_on,
        held.nature,
        held.action or done_about(one),
        " ".join(package.ref for package in one.packages),
    ]


def _set_aside(pair: tuple[MentorChoice, Package]) -> list[Cell]:
    choice, package = pair
    return [
        "Neighbouring council, allowed",
        choice.mentor.name or choice.mentor.ref,
        package.council.name if package.council else "",
        london_date(choice.chosen_at),
        None,
        "; ".join(choice.reasons["stops"]) if choice.reasons else "",
        (choice.reasons or {}).get("set_aside") or "",
        package.ref,
    ]


def done_about(one: Affected) -> str:
    """What the rules do of themselves: keep the mentor out."""
    if one.packages:
        return "The packages concerned are being looked at"
    return "The portal matches them with no package in this council"
