"""A second stack beside the one of a test, with other settings; afterwards the first goes on as before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import Stack, make_stack


@contextmanager
def second_stack(first: Stack, folder: Path, environ: dict[str, str]) -> Iterator[Stack]:
    """The keys of a process are those of the app that was opened last: they are given back at the end."""
    made = make_stack(folder, environ)
    try:
        yield made
    finally:
        made.close()
