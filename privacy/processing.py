"""The record of processing in the processor's form (UK GDPR Article 30(2)), and what is told from it.

Generated from the tables' declarations and the register of stores: what is declared is what is recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from privacy import holdings
from privacy.holdings import ColumnEntry, Store

TRANSFERS = (
    "None by the software: it sends mail through the mail server that the operator names, "
    "and nothing else leaves it."
)
MEASURES = (
    "What people say and who they are is sealed (AES-256-GCM) under a key of their own; values cannot be moved.",
    "Keys lie apart from the data and from its backups; a copy of the database alone holds no name and no word.",
    "Sign-in by mail, completed in the browser that asked; nothing stored opens an account.",
    "Who may do what is decided in one place; answers are read by the programme team alone, and each reading is noted.",
    "A chained audit trail of references shows what was done and by whom.",
    "Backups are sealed to a certificate, verified, and restored as a drill; a restore erases again who was erased.",
    "Declared keeping times run by themselves; erasure destroys keys and leaves a ledger.",
    "Restriction is enforced in code: mail, lists, figures and exports leave a restricted person out.",
)
WHY = "Why it is held"
HOW_LONG = "How long it is kept"
RIGHTS = (
    "To see what is held, and have it put right.",
    "To have its use restricted, or to object to it.",
    "To have it erased, where the law does not ask for it to be kept.",
    "To complain to the Information Commissioner.",
)


@dataclass(frozen=True)
class Parties:
    """Who processes for whom, with the contacts that the record has to name."""

    processor: str
    processor_contact: str
    processor_dpo: str
    controller: str
    controller_contact: str
    controller_dpo: str
    contract: str


@dataclass(frozen=True)
class Activity:
    """One category of processing: a purpose, the data it takes, whose, and how long it is kept. Data are in words."""

    purpose: str
    table: str
    about: str
    data: Sequence[str]
    special: Sequence[str]
    sealed: int
    keep: str


def activities() -> list[Activity]:
    """What is processed, table by table, for tables that lead to people or name them."""
    found = []
    for table, entries in groupby(holdings.columns(), key=lambda entry: entry.table):
        columns = list(entries)
        if any(entry.kind != "not personal" for entry in columns):
            found.append(_activity(table, columns))
    return found


def _activity(table: str, columns: Sequence[ColumnEntry]) -> Activity:
    declared = holdings.purpose_of(table)
    personal = [entry for entry in columns if entry.kind in ("personal", "special")]
    return Activity(
        purpose=declared,
        table=table,
        about="a person" if columns[0].subject else "nobody; it names people by reference",
        data=[entry.holds for entry in personal],
        special=[entry.holds for entry in personal if entry.kind == "special"],
        sealed=sum(entry.sealed for entry in columns),
        keep=columns[0].keep,
    )


def record(parties: Parties, outside: Sequence[Store] = ()) -> dict[str, object]:
    """The record of Article 30(2): processor, controller, officers, categories, transfers, measures."""
    return {
        "article": "30(2)",
        "contract": parties.contract,
        "processor": {"name": parties.processor, "contact": parties.processor_contact},
        "processor_data_protection_officer": parties.processor_dpo,
        "controller": {"name": parties.controller, "contact": parties.controller_contact},
        "controller_data_protection_officer": parties.controller_dpo,
        "categories_of_processing": [asdict(activity) for activity in activities()],
        "transfers": TRANSFERS,
        "measures": list(MEASURES),
        "stores": [asdict(store) for store in (*holdings.STORES, *outside)],
    }


def assessment(parties: Parties, outside: Sequence[Store] = ()) -> dict[str, object]:
    """The description and the measures for the Controller's impact assessment (Article 35(7)(a) and (d))."""
    found = activities()
    return {
        "description": {
            "what": f"Support for leaders under {parties.contract}, processed for the {parties.controller}.",
            "purposes": list(dict.fromkeys(activity.purpose for activity in found)),
            "categories_of_data": sorted({name for activity in found for name in activity.data}),
            "special_categories": sorted({name for activity in found for name in activity.special}),
            "keeping": sorted({activity.keep for activity in found}),
            "stores": [store.name for store in (*holdings.STORES, *outside)],
            "transfers": TRANSFERS,
        },
        "measures": list(MEASURES),
    }


def told(parties: Parties) -> Mapping[str, Sequence[str]]:
    """What a person is told beside their data (Article 15(1) and (2)), as headings with lines."""
    found = activities()
    return {
        WHY: list(dict.fromkeys(activity.purpose for activity in found)),
        "Who receives it": [
            f"{parties.controller}, which decides why and how it is used ({parties.controller_contact})",
            f"{parties.processor}, which runs the programme ({parties.processor_contact})",
        ],
        HOW_LONG: sorted({activity.keep for activity in found}),
        "Where it comes from": ["You, your council, the programme team and your mentors."],
        "Decisions by machine": ["None."],
        "Transfers": [TRANSFERS],
        "Your rights": [
            *RIGHTS,
            f"Write to the data protection officer: {parties.processor_dpo}, or {parties.controller_dpo}",
        ],
    }
