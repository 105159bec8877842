"""What the locks name."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def requirements(lock: str) -> list[Requirement]:
    """The lines of a lock, each with its pin, and with a marker where not every Python or machine needs it."""
    lines = re.findall(r"^[a-z0-9][^\\\n]*", (ROOT / lock).read_text(), re.MULTILINE)
    return [Requirement(line) for line in lines]
