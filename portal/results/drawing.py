"""Pictures as data, and as SVG: what is drawn, in words and in a table, never apart from each other.

Across, places are shares of the width (0 to 1), so that on a page words keep their size however narrow the screen
is; down, they are pixels. A file has a fixed width instead. Colours stand in attributes and not in a stylesheet: a
page's policy allows those, and a file has no other. Nothing rests on colour alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup, escape

INK, QUIET, TRACK = "#0b0c0c", "#484949", "#e3e9e9"
BLUE, TEAL, ACCENT, PAPER = "#12436d", "#28a197", "#801650", "#ffffff"
FONT = "Helvetica Neue, Helvetica, Arial, sans-serif"
LINE = 20
"""From one line of words to the next, in pixels."""
CHARACTERS = 34
"""What a line of words may hold, so that it fits on a screen of 320 pixels."""
FILE_WIDTH = 640
"""The width of a picture in a file, in pixels."""

Cell = str | int
"""A cell of a picture's table, or a value that is drawn; text where a value is not shown."""


@dataclass(frozen=True)
class Bar:
    """A filled bar from one share of the width to another."""

    left: float
    right: float
    top: int
    height: int
    fill: str = BLUE
    name: str = "bar"


@dataclass(frozen=True)
class Line:
    """A straight line; `dashes` as SVG writes them."""

    left: float
    right: float
    top: int
    bottom: int
    stroke: str = INK
    width: int = 3
    dashes: str = ""
    name: str = "line"


@dataclass(frozen=True)
class Dot:
    """A dot; a hollow one has a rim only."""

    across: float
    down: int
    radius: int = 8
    hollow: bool = False
    stroke: str = BLUE


@dataclass(frozen=True)
class Words:
    """A line of words whose base stands at `down`; `shift` moves it across by pixels."""

    across: float
    down: int
    text: str
    anchor: str = "start"
    shift: int = 0
    bold: bool = False
    fill: str = INK


Mark = Bar | Line | Dot | Words


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture with its two equals: the finding with a description in words, and the table of what is drawn."""

    finding: str
    description: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    height: int
    marks: Sequence[Mark]
    note: str = ""

    @property
    def numeric(self) -> list[int]:
        """The columns of the table, from 0, that hold figures."""
        return [
            column
            for column in range(1, len(self.head))
            if any(isinstance(row[column], int) or str(row[column]).endswith("%") for row in self.rows)
        ]

    @property
    def words(self) -> str:
        """The text alternative: the finding, then what the picture shows."""
        return f"{self.finding}. {self.description}"

    def on_page(self, id: str) -> Markup:
        """The picture for a page, named by its finding; `id` is the page's own for it."""
        start = Markup(
            '<svg class="lp-picture" role="img" aria-labelledby="{0}-t {0}-d" focusable="false" width="100%" '
            'height="{1}"><title id="{0}-t">{2}</title><desc id="{0}-d">{3}</desc>'
        ).format(id, self.height, self.finding, self.description)
        return start + _drawn(self.marks, width=None) + Markup("</svg>")

    def as_file(self, width: int = FILE_WIDTH) -> str:
        """The picture as a file of its own: SVG of a fixed width in pixels."""
        return str(
            Markup(
                '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
                "<title>{2}</title><desc>{3}</desc>"
            ).format(width, self.height, self.finding, self.description)
            + _drawn(self.marks, width=width)
            + Markup("</svg>\n")
        )


def lines(text: str) -> list[str]:
    """Words as lines that fit on a small screen."""
    return wrap(text, CHARACTERS) or [""]


def written(text: str, top: int, *, bold: bool = False) -> tuple[list[Mark], int]:
    """Words in as many lines as they need, from a top on, and the top of what comes next."""
    told: list[Mark] = [
        Words(0, top + 15 + number * LINE, line, bold=bold) for number, line in enumerate(lines(text))
    ]
    return told, top + len(told) * LINE


def _drawn(marks: Iterable[Mark], *, width: int | None) -> Markup:
    return Markup("").join(_mark(mark, width) for mark in marks)


def _mark(mark: Mark, width: int | None) -> Markup:
    match mark:
        case Bar():
            return Markup(
                '<rect class="lp-picture__{}" x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
            ).format(
                mark.name,
                _place(mark.left, width),
                mark.top,
                _place(mark.right - mark.left, width),
                mark.height,
                mark.fill,
            )
        case Line():
            dashes = Markup(' stroke-dasharray="{}"').format(mark.dashes) if mark.dashes else ""
            return Markup(
                '<line class="lp-picture__{}" x1="{}" x2="{}" y1="{}" y2="{}" stroke="{}" stroke-width="{}"{}/>'
            ).format(
                mark.name,
                _place(mark.left, width),
                _place(mark.right, width),
                mark.top,
                mark.bottom,
                mark.stroke,
                mark.width,
                dashes,
            )
        case Dot():
            return Markup(
                '<circle class="lp-picture__{}" cx="{}" cy="{}" r="{}" fill="{}" stroke="{}" stroke-width="3"/>'
            ).format(
                "ring" if mark.hollow else "dot",
                _place(mark.across, width),
                mark.down,
                mark.radius,
                PAPER if mark.hollow else mark.stroke,
                mark.stroke,
            )
    return _words(mark, width)


def _words(mark: Words, width: int | None) -> Markup:
    shift = Markup(' dx="{}"').format(mark.shift) if mark.shift else ""
    weight = Markup(' font-weight="bold"') if mark.bold else ""
    return Markup(
        '<text x="{}" y="{}"{} text-anchor="{}" font-family="{}" font-size="16"{} fill="{}">{}</text>'
    ).format(
        _place(mark.across, width), mark.down, shift, mark.anchor, FONT, weight, mark.fill, escape(mark.text)
    )


def _place(share: float, width: int | None) -> str:
    return f"{share * 100:.2f}%" if width is None else f"{share * width:.1f}"
