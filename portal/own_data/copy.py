"""What somebody's own copy of their data has in it at once, and what is looked at first (Article 15(4)).

They get what they wrote, and what they see on their own pages. What others wrote of them may name other people, and
a case that is not their own request may be one that they must not hear of yet, such as a disclosure to the police:
the desk looks at that first, and sends it on.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import NoteKind
from portal.own_data import cases as own_cases
from privacy.audit import AuditEntry
from privacy.cases.tables import Case, Channel
from privacy.person_data import Row, Store, Value
from privacy.person_exports import Look, without
from privacy.rights import LegalHold, PersonExport

THEIRS = frozenset(
    {
        *(f"person.{name}" for name in ("name", "email", "phone", "adjustments", "dietary")),
        *("person.political_group", "person.mentor_wish", "delegation.called", "delegation.address"),
        *("response.answers", "response.draft", "response_past.answers", "parked_form.fields"),
        *("reopening.wish", "call_request.phone", "call_request.when"),
        *("goal.text", "goal_event.text", "offer.where", "offer.travel"),
        *("session.title", "session.called_off", "session.where", "session.travel", "package.title"),
        *(
            "access_decision.roles",
            "interest.nature",
            "mentor_profile.about",
            "casefile.contact",
            "casefile.asked",
        ),
    }
)
"""Typed values, as `table.name`, that people wrote themselves, or see on their own pages anyway."""


TRACES = frozenset(
    {"notice", "hold", "person_export", "suspicion", "letter", "redaction", "case_file", "erasure"}
)
"""What lines of the trail are about that somebody else's work on a case leaves: they tell that there is one."""

SILENT = frozenset({AuditEntry.__tablename__, PersonExport.__tablename__})


def look(db: DbSession, person_id: UUID) -> Look:
    """What takes the rest out of each store."""
    mine = {str(case_id) for case_id in db.scalars(own_cases.ids(person_id))}
    others = {
        str(case_id) for case_id in db.scalars(select(Case.id).where(Case.subject_id == person_id))
    } - mine

    def take_out(store: Store) -> tuple[Store, int]:
        rows = [row for row in store.rows if _may_see(person_id, store.name, row, mine, others)]
        shown = replace(store, rows=rows)
        left, count = without(shown, lambda name, row: not _theirs(person_id, store.name, name, row.values))
        # Traces of work at the desk are no passages to be sent on later.
        hidden = 0 if store.name in SILENT else len(store.rows) - len(rows)
        return left, count + hidden

    return take_out


def _may_see(person_id: UUID, table: str, row: Row, mine: set[str], others: set[str]) -> bool:
    """Whether a row is no part, and no trace, of a case that is not their own request."""
    values = row.values
    if table == Case.__tablename__:
        return values.get("id") in mine
    if table == AuditEntry.__tablename__:
        kind, _, about = str(values.get("object")).partition(":")
        by_themselves = values.get("actor") == f"person:{person_id}"
        of_theirs = by_themselves or values.get("holder") in mine
        known = about in mine if kind == "case" else kind not in TRACES or of_theirs
        return known and values.get("holder") not in others
    if table == PersonExport.__tablename__ and values.get("by") != f"person:{person_id}":
        return values.get("case_id") in mine
    case_id = values.get("case_id")
    return case_id in mine or (case_id is None and table != LegalHold.__tablename__)


def _theirs(person_id: UUID, table: str, name: str, values: Mapping[str, Value]) -> bool:
    """Whether a typed value is of THEIRS, of a note that is shared, or of a row that they or the software wrote."""
    if table == Case.__tablename__ and values.get("channel") != Channel.PORTAL:
        return False
    if f"{table}.{name}" in THEIRS or (table == "session_note" and values.get("kind") == NoteKind.SHARED):
        return True
    writer = values.get("by", values.get("author_id"))
    mine = {str(person_id), f"person:{person_id}"}
    return isinstance(writer, str) and (writer in mine or writer.startswith("system:"))
