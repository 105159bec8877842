"""Stores outside the software that hold personal data: a shared mailbox, calendar replies, a mentor's notebook.

The team keeps the register; a later entry for the same store replaces the earlier one. They are in the data map,
and each has to be dealt with by hand when somebody is exported or erased (cl 17.4, Article 30(2)).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from privacy.clock import london_date
from privacy.holdings import Store
from privacy.registers import Register, RegisterEntry, enter
from privacy.work import Work

NAME_AT_MOST = 30


def describe(work: Work, store: Store) -> RegisterEntry:
    """Enter a store, or what is new about it."""
    return enter(
        work,
        register=Register.STORE,
        letter=store.name[:NAME_AT_MOST],
        from_on=london_date(work.now),
        body=json.dumps(asdict(store), ensure_ascii=False),
    )


def stores(db: DbSession) -> Sequence[Store]:
    """Every store as it was described last, by name."""
    entries = db.scalars(
        select(RegisterEntry)
        .where(RegisterEntry.register == Register.STORE)
        .order_by(RegisterEntry.entered_at, RegisterEntry.id)
    )
    found = {entry.letter: Store(**json.loads(entry.body)) for entry in entries if entry.body is not None}
    return [found[name] for name in sorted(found)]
