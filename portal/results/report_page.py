"""A report as an HTML file that stands alone: read in any browser, printed from there."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from portal import filters
from portal.results.report_parts import Report

ROOT = Path(__file__).resolve().parents[2]
STYLE = ROOT / "static" / "report.css"


def page(report: Report) -> bytes:
    """The file, in UTF-8."""
    writing = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    writing.filters["weekday_day"] = filters.weekday_day
    style = Markup(STYLE.read_text(encoding="utf-8"))  # nosec B704 - a file of ours, which nobody types
    return writing.get_template("documents/file.html").render(report=report, style=style).encode()
