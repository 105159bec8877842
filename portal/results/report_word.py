"""A report as a Word file: figures and charts are in it, and places in which the team writes what they mean.

The same report gives the same bytes: its dates are the release's, and the archive's entries carry none. Charts are
drawings that stay sharp, each with a picture for programs that cannot draw, and their finding as text alternative.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import typst
from docx import Document
from docx.document import Document as Paper
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph

from portal.results.drawing import FILE_WIDTH, Picture
from portal.results.report_parts import Grid, Report, Section
from privacy.clock import as_utc

BRAND, QUIET = RGBColor(0x12, 0x49, 0x4F), RGBColor(0x48, 0x49, 0x49)
FONT, NOTE = "Arial", "Note"
WIDTH = Cm(16)
_DRAWN = (
    b"#set page(width: auto, height: auto, margin: 0pt, fill: white)\n"
    b'#image(bytes(sys.inputs.svg), format: "svg", width: %dpt)' % FILE_WIDTH
)
_SVG = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
_SVG_EXTENSION = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"
_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that people may have typed and that no XML can hold."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that an archive can name; it stands for none."""


def png(picture: Picture) -> bytes:
    """A picture as PNG, twice as fine as a screen; in typst's own fonts, so that it is the same on every machine."""
    made = typst.compile(
        _DRAWN, format="png", ppi=144, sys_inputs={"svg": picture.as_file()}, ignore_system_fonts=True
    )
    assert isinstance(made, bytes)
    return made


def word(report: Report) -> bytes:
    """The Word file of a report (docx)."""
    paper = Document()
    _set_up(paper, report)
    _head(paper, report)
    for section in report.sections:
        _section(paper, section)
    paper.add_heading("Notes", 1)
    for note in report.notes:
        paper.add_paragraph(note, style="List Bullet")
    out = BytesIO()
    paper.save(out)
    return _without_times(out.getvalue())


def _set_up(paper: Paper, report: Report) -> None:
    about = paper.core_properties
    about.title, about.author, about.last_modified_by = report.title, report.service, report.service
    about.subject, about.language, about.comments = report.contract, "en-GB", report.copyright
    about.created = about.modified = as_utc(report.made_at).replace(tzinfo=None)
    about.revision = 1
    page = paper.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.5)
    for name, size in (("Normal", 11), ("Title", 24), ("Heading 1", 16), ("Heading 2", 13)):
        style = paper.styles[name]
        style.font.name, style.font.size = FONT, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        if name != "Normal":
            style.font.color.rgb = BRAND
            style.paragraph_format.keep_with_next = True
    for language in paper.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")
    _note_style(paper)
    page.header.paragraphs[0].text = f"{report.contract}\t{report.title}"
    foot = page.footer.paragraphs[0]
    foot.add_run(f"{report.copyright}\tPage ")
    for edge in (page.header.paragraphs[0], foot):
        edge.style = paper.styles[NOTE]
        edge.paragraph_format.tab_stops.add_tab_stop(WIDTH, WD_TAB_ALIGNMENT.RIGHT)
    _field(foot, "PAGE")
    foot.add_run(" of ")
    _field(foot, "NUMPAGES")


def _note_style(paper: Paper) -> None:
    style: Any = paper.styles.add_style(NOTE, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = paper.styles["Normal"]
    style.font.size, style.font.color.rgb = Pt(9), QUIET
    style.paragraph_format.space_before = Pt(3)


def _field(paragraph: Paragraph, code: str) -> None:
    for kind, text in (("begin", ""), ("", code), ("separate", ""), (None, "1"), ("end", "")):
        run = paragraph.add_run(text if kind is None else "")
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            _xml(run).append(mark)
        elif kind == "":
            told = OxmlElement("w:instrText")
            told.set(qn("xml:space"), "preserve")
            told.text = text
            _xml(run).append(told)


def _head(paper: Paper, report: Report) -> None:
    paper.add_paragraph(report.title, style="Title")
    table = _table(paper, [5, 11], rows=0)
    for name, words in report.facts:
        cells = _added(table).cells
        cells[0].text, cells[1].text = name, words
        cells[0].paragraphs[0].runs[0].bold = True
    _describe(table, "About this report")


def _section(paper: Paper, section: Section) -> None:
    paper.add_heading(section.title, 1)
    for text in section.words:
        paper.add_paragraph(text)
    for text in section.written:
        paper.add_paragraph(_NO_XML.sub("", text))
    if section.ask:
        _place(paper, section.ask)
    for grid in section.read:
        _grid(paper, grid)
    if section.quotes:
        paper.add_heading("In their own words", 2)
        paper.add_paragraph("The authors of these words let them be quoted without their names.")
    for quote in section.quotes:
        said = paper.add_paragraph(_NO_XML.sub("", f"“{quote.text}”"), style="Quote")
        said.paragraph_format.keep_with_next = True
        paper.add_paragraph(quote.by, style=NOTE)


def _place(paper: Paper, ask: str) -> None:
    """A place to write in: what to write stands there until somebody does."""
    place: Any = parse_xml(
        f"<w:sdt {nsdecls('w')}><w:sdtPr><w:alias/><w:showingPlcHdr/></w:sdtPr>"
        '<w:sdtContent><w:p><w:r><w:rPr><w:color w:val="595959"/></w:rPr><w:t/></w:r></w:p></w:sdtContent></w:sdt>'
    )
    place.find(f".//{qn('w:alias')}").set(qn("w:val"), ask[:60])
    place.find(f".//{qn('w:t')}").text = ask
    end = paper.add_paragraph()
    _xml(end).addprevious(place)


def _grid(paper: Paper, grid: Grid) -> None:
    paper.add_heading(grid.picture.finding if grid.picture else grid.caption, 2)
    for text in grid.before:
        paper.add_paragraph(text).paragraph_format.keep_with_next = True
    if grid.picture:
        _draw(paper, grid.picture)
    others = len(grid.shown_head) - 1
    table = _table(paper, [16 - others * 2.6, *([2.6] * others)] if others > 1 else [10, 6], rows=1)
    _fill(table, grid)
    _describe(table, grid.caption)
    for text in grid.notes:
        paper.add_paragraph(text, style=NOTE)
    paper.add_paragraph()


def _table(paper: Paper, widths: Sequence[float], *, rows: int) -> Table:
    """A table with lines between its rows only; widths in centimetres."""
    table: Table = paper.add_table(rows=rows, cols=len(widths))
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    lines = "".join(
        f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="B1B4B6"/>'
        for edge in ("top", "bottom", "insideH")
    )
    _xml(table).tblPr.append(parse_xml(f"<w:tblBorders {nsdecls('w')}>{lines}</w:tblBorders>"))
    return table


def _fill(table: Table, grid: Grid) -> None:
    """The head, said again on each page, and the rows; all but the last keep to the one below."""
    head = table.rows[0]
    _xml(head).get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    _row(head, grid.shown_head, grid.numeric, bold=True)
    for shown in grid.shown[:-1]:
        _row(_added(table), shown, grid.numeric)
    _row(_added(table), grid.shown[-1], grid.numeric, last=True)


def _row(
    row: Any, texts: Sequence[str], numeric: Sequence[int], *, bold: bool = False, last: bool = False
) -> None:
    _xml(row).get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    for column, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
        cell.width = row.table.columns[column].width
        paragraph = cell.paragraphs[0]
        paragraph.add_run(text).bold = bold
        paragraph.paragraph_format.space_after = Pt(2)
        paragraph.paragraph_format.keep_with_next = not last
        if column in numeric:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _describe(table: Table, text: str) -> None:
    """What a screen reader says of a table."""
    caption = OxmlElement("w:tblCaption")
    caption.set(qn("w:val"), text)
    _xml(table).tblPr.append(caption)


def _draw(paper: Paper, picture: Picture) -> None:
    paragraph = paper.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    paragraph.add_run().add_picture(BytesIO(png(picture)), width=WIDTH)
    inline = _xml(paragraph).find(f".//{qn('wp:inline')}")
    inline.docPr.set("descr", picture.words)
    inline.docPr.set("title", picture.finding)
    package = paper.part.package
    assert package is not None
    number = inline.docPr.get("id")
    part = Part(
        PackURI(f"/word/media/chart{number}.svg"), "image/svg+xml", picture.as_file().encode(), package
    )
    blip = inline.find(f".//{qn('a:blip')}")
    blip.append(
        parse_xml(
            f'<a:extLst {nsdecls("a", "r")}><a:ext uri="{_SVG_EXTENSION}"><asvg:svgBlip xmlns:asvg="{_SVG}" '
            f'r:embed="{paper.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)}"/></a:ext></a:extLst>'
        )
    )


def _added(table: Table) -> Any:
    return table.add_row()  # type: ignore[no-untyped-call]  # the library's own gap


def _xml(part: Any) -> Any:
    """The XML behind a part of the paper, for what the library has no words for."""
    return part._element  # noqa: SLF001 - it has no other door


def _without_times(data: bytes) -> bytes:
    """The archive anew, in the same order, its entries without the moment at which it was made."""
    out = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = ZipInfo(name, _EARLIEST)
            entry.compress_type = ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return out.getvalue()
