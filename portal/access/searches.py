"""What somebody looked for in a list: kept for a day, sealed, under a reference that only they can use.

So no name stands in an address, where logs, histories and the screen of somebody who passes by would show it.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import KeptSearch
from privacy.records import new_id
from privacy.work import Work

AT_MOST = 30
"""How many of one person's searches are kept; the oldest goes first."""
WORDS_AT_MOST = 100


def keep(work: Work, *, person_id: UUID, place: str, words: str) -> UUID:
    """Keep the words, and say under which reference. The same words in the same list are kept once."""
    words = words[:WORDS_AT_MOST]
    rows = work.db.scalars(
        select(KeptSearch)
        .where(KeptSearch.person_id == person_id)
        .order_by(KeptSearch.searched_at.desc(), KeptSearch.id)
    ).all()
    same = next((row for row in rows if row.place == place and row.words == words), None)
    if same is not None:
        same.searched_at = work.now
        return same.id
    for row in rows[AT_MOST - 1 :]:
        work.db.delete(row)
    kept = KeptSearch(id=new_id(), person_id=person_id, place=place, searched_at=work.now)
    kept.words = words
    work.db.add(kept)
    return kept.id


def words(db: DbSession, search_id: UUID, *, person_id: UUID, place: str) -> str:
    """The words; empty if they are nobody's, somebody else's, another list's, or gone."""
    kept = db.scalars(
        select(KeptSearch).where(
            KeptSearch.id == search_id, KeptSearch.person_id == person_id, KeptSearch.place == place
        )
    ).one_or_none()
    return (kept.words or "") if kept is not None else ""
