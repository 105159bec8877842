"""Arranges answers for exports, and reads exports back as a spreadsheet would."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from openpyxl import load_workbook
from sqlalchemy.orm import Session as DbSession

from privacy.records import new_id
from privacy.references import new_reference
from privacy.work import unit_of_work
from surveys import versions
from surveys.export_files import Format, documents, write_xlsx
from surveys.exports import Beside, Head, Selection, Source
from surveys.models import Mode, Respondent, Response, ResponseState, Wave
from surveys.questionnaires import Page, Questionnaire, Section
from surveys.questions import Question, Value
from tests.conftest import SetClock

Rows = list[dict[str, Any]]


def tool(*questions: Question, code: str = "tool", waves: tuple[str, ...] = ()) -> Questionnaire:
    """A questionnaire with a page for each question."""
    pages = tuple(Page(code=f"page_{one.code}", title="A page", questions=(one,)) for one in questions)
    section = Section(code="only", title="Only", pages=pages)
    return Questionnaire(code=code, title="A tool", sections=(section,), waves=waves)


class Desk:
    """Publishes, takes responses in, and exports."""

    def __init__(self, db: DbSession, clock: SetClock) -> None:
        self.db = db
        self.clock = clock

    def publish(self, *questions: Question, code: str = "tool") -> None:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            waves = (code,) if code in list(Wave) and code != Wave.TOOL else ()
            versions.publish(work, tool(*questions, code=code, waves=waves))

    def send(
        self,
        answers: Mapping[str, Value | None],
        *,
        role: str = "lead_member",
        state: ResponseState = ResponseState.SUBMITTED,
        respondent_id: UUID | None = None,
        code: str = "tool",
        wave: Wave = Wave.TOOL,
        occasion: str = "",
        answered_on: date | None = None,
    ) -> Response:
        """A response as it would stand in the database, by somebody new or by this respondent."""
        version = versions.current(self.db, code=code)
        with unit_of_work(self.db, self.clock, "system:test") as work:
            if respondent_id is None:
                respondent_id = new_id()
                work.db.add(Respondent(id=respondent_id, audience=role))
                work.db.flush()
            response = Response(
                id=new_id(),
                ref=new_reference(),
                respondent_id=respondent_id,
                version_id=version.id,
                wave=wave,
                occasion=occasion or f"{code}-1",
                state=state,
                mode=Mode.SELF,
                revision=1,
                started_at=work.now - timedelta(hours=1),
                saved_at=work.now,
                submitted_at=None if state is ResponseState.DRAFT else work.now,
                answered_on=answered_on,
            )
            response.answers = dict(answers)
            work.db.add(response)
        return response

    def source(self, *codes: str, beside: Beside | None = None, **selection: Any) -> Source:
        def around(heads: Sequence[Head]) -> dict[UUID, Beside]:
            return {head.id: beside or Beside() for head in heads}

        chosen = Selection(codes=codes or ("tool",), **selection)
        return Source(self.db, chosen, now=self.clock(), around=around)

    def files(self, *codes: str, format: Format = Format.CSV, **selection: Any) -> dict[str, str]:
        """The text files of an export by the end of their names."""
        written = documents(self.source(*codes, **selection), format)
        return {end: "".join(texts) for end, texts in written}

    def rows(self, *codes: str, **selection: Any) -> Rows:
        """The answers of a CSV export, as text."""
        return read_csv(self.files(*codes, **selection)[".csv"])

    def book(self, folder: Path, *codes: str, **selection: Any) -> dict[str, list[list[Any]]]:
        """The sheets of an XLSX export, each a list of rows of typed values."""
        path = folder / "export.xlsx"
        write_xlsx(self.source(*codes, **selection), path, scratch=folder)
        return read_xlsx(path)


def read_csv(text: str) -> Rows:
    """The rows of a CSV file that begins with its signature."""
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def read_xlsx(path: Path | io.BytesIO) -> dict[str, list[list[Any]]]:
    """Each sheet's rows; a formula would come as one, so that a test can tell."""
    book = load_workbook(path, data_only=False)
    sheets = {}
    for sheet in book.worksheets:
        kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
        assert kinds <= {"n", "s", "d", "inlineStr"}, f"{sheet.title} holds {kinds}"
        sheets[sheet.title] = [[_plain(cell.value) for cell in row] for row in sheet.iter_rows()]
    book.close()
    return sheets


def _plain(value: Any) -> Any:
    """What a spreadsheet shows: letters that XML can't hold stand there as _xHHHH_."""
    if isinstance(value, datetime):
        return value.date()
    if not isinstance(value, str):
        return value
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), value)


def by_heading(sheet: list[list[Any]]) -> Rows:
    """A sheet's rows by the headings of its first."""
    head, *rows = sheet
    return [dict(zip(head, row, strict=True)) for row in rows]
