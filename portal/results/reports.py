"""Reports to the Department: monthly, quarterly and annual, made from a release and from nothing else.

The same release gives the same report, to the byte (sch 4 Reporting, sch 5; contract reference cl 6.2, Crown
copyright cl 8.6). Writers are in `report_page`, `report_word` and `report_tables`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.filters import day
from portal.models import ProgrammeNoteKind
from portal.programme import ContractYear, Period, Programme
from portal.results import programme_notes, report_answers, report_sections, report_themes
from portal.results.periods import Kind, ReportPeriod, report_period
from portal.results.programme_notes import Kept
from portal.results.releases import Content, Release
from portal.results.report_page import page
from portal.results.report_parts import SHORTHAND, Report, Section
from portal.results.report_tables import tidy_csv, workbook
from privacy.clock import london_date
from privacy.later import Later

if TYPE_CHECKING:
    from portal.results import report_word
else:
    report_word = Later("portal.results.report_word")


class Format(StrEnum):
    """The files of a report."""

    WORD = "docx"
    PAGE = "html"
    SHEETS = "xlsx"
    TIDY = "csv"


def word(report: Report) -> bytes:
    """As a file in which the team writes; what makes it is loaded when the first is made."""
    written: bytes = report_word.word(report)
    return written


WRITERS: Mapping[Format, Callable[[Report], bytes]] = {
    Format.WORD: word,
    Format.PAGE: page,
    Format.SHEETS: workbook,
    Format.TIDY: tidy_csv,
}
MIME = {
    Format.WORD: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Format.PAGE: "text/html",
    Format.SHEETS: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.TIDY: "text/csv",
}
SPANS = {Kind.MONTHLY: "Month", Kind.QUARTERLY: "Calendar quarter", Kind.ANNUAL: "Contract year"}
ASKS = {
    Kind.MONTHLY: "Write here what matters most this month, in three or four sentences.",
    Kind.QUARTERLY: "Write here how the programme has moved on this quarter against its KPIs and service levels.",
    Kind.ANNUAL: "Write here what the year has shown: what worked, for whom, and what did not.",
}
NEXT = {
    Kind.MONTHLY: "Write here what is planned for next month.",
    Kind.QUARTERLY: "Write here what is planned for the next quarter.",
    Kind.ANNUAL: "Write here what changes in the next contract year because of this review.",
}


def files(release: Release, programme: Programme) -> Iterator[tuple[str, bytes]]:
    """Every file of a report with its name, one after the other."""
    report = content(release, programme)
    for format in Format:
        yield file_name(report, format), WRITERS[format](report)


def file_name(report: Report, format: Format) -> str:
    """`quarterly-2023-Q1.docx`."""
    return f"{report.name}.{format}"


def content(release: Release, programme: Programme) -> Report:
    """The report of a release, before it is written."""
    period = period_of(release)
    released_on = london_date(release.made_at)
    return Report(
        name=f"{release.kind}-{release.period}",
        title=f"{programme.service_name}: {period.title[:1].lower()}{period.title[1:]}",
        service=programme.service_name,
        on=released_on,
        made_at=release.made_at,
        digest=release.digest,
        contract=f"Contract {release.reference}",
        copyright=f"© Crown Copyright {released_on.year}",
        facts=[
            ("Contract", f"{release.reference}, {programme.title}"),
            ("For", programme.department),
            ("Period", f"{day(period.days.starts_on)} to {day(period.days.ends_on)}"),
            ("Figures as of", day(release.as_of)),
            ("Released on", day(released_on)),
            ("Copyright", f"© Crown Copyright {released_on.year}"),
        ],
        tidy_facts={
            "contract": release.reference,
            "time_period": release.period,
            "time_identifier": SPANS[release.kind],
            "first_day": period.days.starts_on,
            "last_day": period.days.ends_on,
            "as_of": release.as_of,
            "geographic_level": "National",
            "country_name": "England",
            "copyright": f"© Crown Copyright {released_on.year}",
        },
        sections=_sections(release, period, programme),
        notes=_notes(release),
    )


def period_of(content: Content) -> ReportPeriod:
    """The days of a release, by the contract years as they stood when it was made."""
    years = [ContractYear(year.year, Period(year.starts_on, year.ends_on)) for year in content.levels]
    return report_period(content.kind, content.period, years=years)


def _sections(release: Release, period: ReportPeriod, programme: Programme) -> list[Section]:
    risks = programme_notes.read(release.texts, ProgrammeNoteKind.RISK)
    lessons = programme_notes.read(release.texts, ProgrammeNoteKind.LESSON)
    return [
        Section(code="summary", title="Summary", ask=ASKS[release.kind]),
        report_sections.kpis(release),
        report_sections.service_levels(release),
        report_sections.regions(release),
        report_answers.answers(release),
        report_themes.themes(release, programme.roles),
        Section(
            code="risks",
            title="Risks",
            written=[_told(one) for one in risks] or ["No risk is noted."],
            ask="Write here what is done about each risk.",
        ),
        _lessons(lessons, period),
        Section(code="next", title="What comes next", ask=NEXT[release.kind]),
    ]


def _lessons(lessons: Sequence[Kept], period: ReportPeriod) -> Section:
    """What was learned in the period, and what earlier reports carry over."""
    new = [_told(one) for one in lessons if one.noted_on >= period.days.starts_on]
    carried = [_told(one) for one in lessons if one.noted_on < period.days.starts_on]
    return Section(
        code="lessons",
        title="Lessons",
        written=[
            *(["New:", *new] if new else ["No new lesson is noted."]),
            *(["Carried over:", *carried] if carried else []),
        ],
        ask="Write here how the lessons change what is done.",
    )


def _told(note: Kept) -> str:
    told = f"{day(note.noted_on)}: {note.text}"
    return told if note.closed_on is None else f"{told}\nClosed on {day(note.closed_on)}: {note.outcome}"


def _notes(release: Release) -> list[str]:
    rules = release.rules
    marks = ", ".join(f"{mark} {meaning}" for mark, meaning in SHORTHAND)
    told = [
        f"In tables {marks}.",
        f"No number of people from 1 to {rules['smallest_cell'] - 1} is shown in answers, and none can be worked out.",
        f"Shares need at least {rules['smallest_base']} people.",
        "The likely range is Wilson's 95% interval.",
    ]
    if release.instruction:
        told.append(
            f"The Department has instructed in letter {release.instruction} that the numbers of the KPIs be shown "
            "whatever their size."
        )
    if release.kind is Kind.ANNUAL:
        told.append("This review is for the Department. It is passed on only with the Department's approval.")
    return [*told, f"Content hash of the release (SHA-256): {release.digest}"]
