"""Libraries that few processes need, loaded when something of theirs is first used.

A process that answers pages starts sooner and holds less: what makes papers, spreadsheets or copies of PostgreSQL costs
a third of a second and a third of its memory, and most of them never make any.
"""

import importlib
from typing import Any


class Later:
    """Stands for a module until it is asked for something."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)
