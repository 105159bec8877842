"""What somebody's own copy of their data has in it at once, and what is looked at first (Article 15(4)).

They get what they wrote, and what they see on their own pages. What others wrote of them may name other people, and
a case that is not their own request may be one that they must not hear of yet, such as a disclosure to the police:
the desk looks at that first, and sends it on.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.models import NoteKind
from portal.own_data import cases as own_cases
from privacy.audit import AuditEntry
from privacy.cases.tables import Case
from privacy.person_data import Row, Store, Value
from privacy.person_exports import Look, without
from privacy.rights import LegalHold

THEIRS = frozenset(
    {
        *(f"person.{name}" for name in ("name", "email", "phone", "adjustments", "dietary")),
        *("person.political_group", "person.mentor_wish", "delegation.called"),
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


def look(db: DbSession, person_id: UUID) -> Look:
    """What takes the rest out of each store."""
    mine = {str(case_id) for case_id in db.scalars(own_cases.ids(person_id))}

    def take_out(store: Store) -> tuple[Store, int]:
        rows = [row for row in store.rows if _may_see(store.name, row, mine)]
        shown = replace(store, rows=rows)
        left, count = without(shown, lambda name, row: not _theirs(person_id, store.name, name, row.values))
        return left, count + len(store.rows) - len(rows)

    return take_out


def _may_see(table: str, row: Row, mine: set[str]) -> bool:
    """Whether a row is no part of a case that is not their own request."""
    if table == Case.__tablename__:
        return row.values.get("id") in mine
    if table == AuditEntry.__tablename__:
        kind, _, about = str(row.values.get("object")).partition(":")
        return kind != "case" or about in mine
    case_id = row.values.get("case_id")
    return case_id in mine or (case_id is None and table != LegalHold.__tablename__)


def _theirs(person_id: UUID, table: str, name: str, values: Mapping[str, Value]) -> bool:
    """Whether a typed value is of THEIRS, of a note that is shared, or of a row that they or the software wrote."""
    if f"{table}.{name}" in THEIRS or (table == "session_note" and values.get("kind") == NoteKind.SHARED):
        return True
    writer = values.get("by", values.get("author_id"))
    mine = {str(person_id), f"person:{person_id}"}
    return isinstance(writer, str) and (writer in mine or writer.startswith("system:"))
