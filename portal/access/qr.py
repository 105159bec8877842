"""A text as a square of squares for a phone's camera. Pure."""

from dataclasses import dataclass

import segno


@dataclass(frozen=True)
class Squares:
    """The dark squares as the path of an SVG, one unit wide each; `side` is how many make a row."""

    side: int
    path: str


def squares(text: str) -> Squares:
    rows = segno.make(text, error="m", micro=False).matrix
    dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, cell in enumerate(row) if cell]
    return Squares(len(rows), "".join(dark))
