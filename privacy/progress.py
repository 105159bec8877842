"""How long work tells how far it is: to a bar on a terminal, a page, or nobody."""

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Is told how much is done, and of how much."""
NamedProgress = Callable[[str, int, int], object]
"""The same with what it is done to, such as a table."""


def untold(done: int, total: int) -> None:
    """For whoever watches nothing."""


def silent(what: str, done: int, total: int) -> None:
    """The same, where what it is done to is named."""
