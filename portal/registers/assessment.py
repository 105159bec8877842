"""The impact assessment pack: description, necessity, risks, measures with evidence, as one document (cl 17.3).

The description is generated from the tables' declarations; necessity and risks are kept by the data protection officer;
the evidence is the product's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal.cases import held_words
from portal.desk import person_reading
from portal.instance import Instance
from portal.programme import Programme
from portal.registers import instructions
from portal.registers.evidence import Evidence, evidence
from portal.registers.instructions import BASES, CONDITIONS, InForce
from privacy import outside, processing, remarks, risks, subprocessors
from privacy.clock import london_date
from privacy.papers import Block, Paper, bullets, facts, heading, paragraph, table
from privacy.remarks import Part
from privacy.risks import Kept as Risk
from privacy.subprocessors import Kept as SubProcessor

TITLE = "Data protection impact assessment pack"
PARTS = {
    Part.PURPOSE: "What the processing is for, and what it brings",
    Part.NECESSITY: "Why it is necessary",
    Part.PROPORTION: "Why no less would do",
    Part.CONSULTED: "Who was asked",
}
NOT_WRITTEN = "Not written yet."


@dataclass(frozen=True)
class Pack:
    """Everything in the pack, on a day. `kinds` are the kinds of personal data, in words, group by group."""

    on: date
    description: Mapping[str, Any]
    kinds: Sequence[tuple[str, str]]
    schedule: InForce
    said: Mapping[Part, str]
    risks: Sequence[Risk]
    measures: Sequence[str]
    evidence: Sequence[Evidence]
    sub_processors: Sequence[SubProcessor]


def pack(instance: Instance, db: DbSession, *, now: datetime) -> Pack:
    """The pack as it stands; reads only."""
    today = london_date(now)
    found: dict[str, Any] = processing.assessment(
        person_reading.parties(instance.programme), outside.stores(db)
    )
    written = remarks.remarks(db)
    return Pack(
        on=today,
        description=found["description"],
        kinds=kinds(),
        schedule=instructions.in_force(db, on=today),
        said={part: written[part].body or "" for part in Part if part in written},
        risks=[one for one in risks.risks(db) if not one.what.closed],
        measures=found["measures"],
        evidence=evidence(instance, db, now=now),
        sub_processors=[one for one in subprocessors.sub_processors(db) if not one.what.ended(on=today)],
    )


def kinds() -> list[tuple[str, str]]:
    """What is held of people, by the names that the desk gives it: groups with what is in them."""
    grouped: dict[str, list[str]] = {group: [] for group in held_words.GROUPS}
    for activity in processing.activities():
        if activity.data:
            group, words = held_words.called(activity.table)
            grouped[group].append(words)
    return [(group, "; ".join(sorted(found))) for group, found in grouped.items() if found]


def paper(found: Pack, programme: Programme) -> Paper:
    """The pack as one paper."""
    return Paper(
        title=TITLE,
        sender=programme.service_name,
        on=found.on,
        to=(programme.department,),
        references=[("Contract", programme.reference)],
        blocks=[*_description(found), *_necessity(found), *_risks(found), *_measures(found)],
    )


def _description(found: Pack) -> list[Block]:
    described = found.description
    listed = [
        (one.words, f"{one.entry.letter}; {BASES[one.grounds.basis]}; {CONDITIONS[one.grounds.condition]}")
        for one in found.schedule.listed
        if one.entry is not None and one.grounds is not None
    ]
    return [
        heading("1. Systematic description"),
        paragraph(str(described["what"])),
        facts([(instructions.ROWS[name], text) for name, text in found.schedule.rows.items()])
        if found.schedule.rows
        else paragraph("Schedule 3a is not entered yet."),
        paragraph("What each kind of data is held for:"),
        bullets([str(one) for one in described["purposes"]]),
        paragraph("Kinds of data:"),
        facts(found.kinds),
        paragraph(f"Special categories: {'; '.join(described['special_categories'])}."),
        facts(listed) if listed else paragraph("No instruction lists a special category, so none is held."),
        paragraph(f"Kept: {'; '.join(described['keeping'])}."),
        paragraph(f"Where it lies: {'; '.join(described['stores'])}."),
        paragraph(f"Transfers: {described['transfers']}"),
        table(
            ["Sub-processor", "Does", "Where", "State"],
            [
                [
                    one.what.name,
                    one.what.does,
                    one.what.location,
                    "may be used" if one.what.in_force(on=found.on) else "not to be used",
                ]
                for one in found.sub_processors
            ],
            caption="Sub-processors",
        )
        if found.sub_processors
        else paragraph("There is no sub-processor."),
    ]


def _necessity(found: Pack) -> list[Block]:
    blocks = [heading("2. Necessity and proportionality")]
    for part, words in PARTS.items():
        blocks += [paragraph(f"{words}:"), paragraph(found.said.get(part) or NOT_WRITTEN)]
    return blocks


def _risks(found: Pack) -> list[Block]:
    rows = [
        [
            one.code,
            one.what.title,
            one.what.harm,
            f"{one.what.score} ({risks.word(one.what.score)})",
            one.what.measures,
            f"{one.what.left} ({risks.word(one.what.left)})",
            one.what.owner,
        ]
        for one in found.risks
    ]
    head = ["Code", "Risk", "Harm to people", "Score", "Measures", "Left", "Owner"]
    kept = (
        table(head, rows, caption="Risks, likelihood times severity")
        if rows
        else paragraph("No risk is entered yet.")
    )
    return [heading("3. Risks to rights and freedoms"), kept]


def _measures(found: Pack) -> list[Block]:
    rows = [[one.measure, one.shown_by, "yes" if one.good else "look at it"] for one in found.evidence]
    return [
        heading("4. Measures"),
        bullets(list(found.measures)),
        table(
            ["Measure", "What shows it", "As it should be"], rows, caption="Evidence the product has itself"
        ),
    ]
