"""What stands in an export, for whoever reads it without the questionnaire at hand.

The codebook has a line for each column in each version: its code, measure, wording, options, scores, when it was
shown, when it was published and what was corrected since, and the bases of its figures.
"""

from collections.abc import Iterator
from datetime import date

from privacy.clock import day_words, london_date
from surveys import phrases
from surveys.export_columns import Cell, Column, Missing, Part, stands_for
from surveys.exports import Bases, Source, State
from surveys.questions import Question
from surveys.structure import Page
from surveys.versions import Published

HEADINGS = (
    *(
        "column",
        "questionnaire",
        "version",
        "published_on",
        "question",
        "kind",
        "holds",
        "measure",
        "wording",
    ),
    *("options", "scores", "required", "asked_of", "shown_if", "differs", "corrections"),
    *("responses", "asked", "answered"),
)

_LEAD = {
    "respondent": "Who answered, under a pseudonym that is the same in every export of this kind",
    "questionnaire": "The code of the questionnaire",
    "wave": "The wave it was answered in; tool is none of the programme's waves",
    "occasion": (
        "Which one of this wave: the months after the start of support, the number of the session in the order "
        "in which feedback was begun, or how often a tool was used; 1 for what is asked once"
    ),
    "version": "The number of the version that was answered",
    "state": "submitted, withdrawn (without answers, in no figure) or partial (never finished, in no figure)",
    "late": "1 if it came after the window closed, 0 if in time, empty where there is no window",
    "mode": "self, interview (filled in with the team) or paper (typed in by the team)",
    "submitted_on": "The day it was sent, in London",
    "answered_on": "The day a paper form was filled in",
}
_HOLDS = {
    Part.ANSWER: "The answer",
    Part.OPTION: "1 ticked, 0 not ticked",
    Part.DETAIL: "What was written beside the option that asks to say what",
    Part.QUOTE: "1 if the text may be quoted without a name, else 0",
    Part.SCORE: "The score of the chosen option",
}


def lines(source: Source, bases: Bases) -> Iterator[tuple[Cell, ...]]:
    """The lines below HEADINGS. `bases` must have counted every row by then."""
    for heading in source.selection.named:
        yield _line(column=heading, holds="Who answered: this export is named")
    for heading, words in _LEAD.items():
        yield _line(column=heading, holds=words)
    for column in source.columns:
        for version in source.versions:
            placed = version.questionnaire.placed.get(column.question)
            if placed is not None and stands_for(column, placed[1]):
                on = source.published_on[version.id]
                yield _of_version(column, version, *placed, published_on=on, bases=bases)


def _line(**cells: Cell) -> tuple[Cell, ...]:
    return tuple(cells.get(heading) for heading in HEADINGS)


def _of_version(
    column: Column, version: Published, page: Page, question: Question, *, published_on: date, bases: Bases
) -> tuple[Cell, ...]:
    key = (version.id, question.code)
    listed = [one for one in question.listed() if column.option in ("", one.code)]
    scored = column.part in (Part.ANSWER, Part.SCORE)
    return _line(
        column=column.heading,
        questionnaire=version.code,
        version=version.number,
        published_on=published_on,
        question=question.code,
        kind=phrases.KINDS[question.kind],
        holds=_HOLDS[column.part],
        measure=question.measure,
        wording=_wording(question),
        options="\n".join(f"{one.code} = {one.label}" for one in listed) or None,
        scores="\n".join(f"{one.code} = {one.score}" for one in listed if scored and one.score is not None)
        or None,
        required="yes" if question.required else "no",
        asked_of=phrases.roles(question.audience or version.questionnaire.audience),
        shown_if=_shown_if(version, page, question),
        differs=question.differs or None,
        corrections=_corrections(version, question),
        responses=bases.responses[version.id],
        asked=bases.asked[key],
        answered=bases.answered[key],
    )


def _wording(question: Question) -> str:
    told = [question.text]
    told += [f"For a {role.replace('_', ' ')}: {text}" for role, text in sorted(question.text_for.items())]
    return "\n".join(told)


def _shown_if(version: Published, page: Page, question: Question) -> str | None:
    shown = [one for one in (page.show_if, question.show_if) if one is not None]
    words = [phrases.condition(one, version.questionnaire) for one in shown]
    return f"If {' and if '.join(words)}" if words else None


def _corrections(version: Published, question: Question) -> str | None:
    """The words that stood before a correction, each with the last day on which they were shown."""
    told = [
        f"Until {london_date(made.at).isoformat()}: {before}"
        for made in version.corrections
        for key, (before, _) in made.words.items()
        if key.startswith(f"question/{question.code}/")
    ]
    return "\n".join(told) or None


def notes(source: Source, bases: Bases) -> list[str]:
    """How to read the files, a paragraph each; to be asked for when every row was counted."""
    named = bool(source.selection.named)
    counted = ", ".join(f"{bases.states[state]} {state}" for state in State)
    return [
        f"Answers to {', '.join(source.selection.codes)}, exported on {day_words(london_date(source.now))}.",
        f"© Crown copyright {london_date(source.now).year}",
        f"Rows: {counted}.",
        "This file says who answered. It is for the purpose that was given for it, and for nothing else."
        if named
        else "Nobody's name is in this file. What people wrote in their own words may still show who they are.",
        (
            "One row is one response. A response that was withdrawn stands without answers. A partial one was begun "
            "and never finished. Neither belongs in a figure; drafts that can still be finished are not here."
        ),
        "Several choices have one column for each option: 1 is ticked, 0 is not ticked.",
        (
            f"{Missing.NOT_ASKED}: the question was not on this person's path, is for another role, or is not in the "
            f"version that they answered. {Missing.NOT_ANSWERED}: it was shown and left empty. "
            f"{Missing.PREFER_NOT}: they chose not to say. An empty cell: the answer has no score, or the response "
            "was withdrawn."
        ),
        (
            "State the base of each figure: the codebook has, for each question and version, the submitted "
            "responses, those of them who were asked, and those who answered."
        ),
        (
            "In CSV files a text that begins with = + - @ ' or a tab or a line end has an apostrophe put before it, "
            "so that no spreadsheet takes it for a formula. To get the text as it was written, take one apostrophe "
            "off. Numbers and dates are never changed. A spreadsheet takes a text such as 0044 in a CSV file for a "
            "number; in XLSX it stays a text. XLSX and JSON lines hold every text as it was written."
        ),
    ]
