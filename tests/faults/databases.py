"""On which database a module of faults runs: both in `make proof`, else the one that is named."""

import pytest

from tests.counts import FULL

BOTH = ["sqlite", "postgresql"]


def on(*sampled: str) -> pytest.MarkDecorator:
    """The mark of a module (pytestmark) whose tests take an `instance`."""
    return pytest.mark.parametrize("kind", BOTH if FULL else list(sampled), indirect=True, scope="module")
