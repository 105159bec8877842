"""Fixtures of the tests named after the rows of the security table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.models import Person, Role
from tests.conftest import Stack
from tests.factories import Factory
from tests.outbox import Outbox
from tests.security.coming_in import Browser


@pytest.fixture
def outbox(stack: Stack, tmp_path: Path) -> Outbox:
    return Outbox(stack, tmp_path)


@pytest.fixture
def browse(stack: Stack, outbox: Outbox) -> Callable[[], Browser]:
    """Makes browsers: each call one of its own."""
    return lambda: Browser(stack, outbox)


@pytest.fixture
def chief(make: Factory) -> Person:
    """A chief executive, whose mailbox is reckoned to be read by others."""
    return make.person(
        "Chris Chief", email="chief@council.example", role=Role.CHIEF_EXECUTIVE, council=make.council()
    )


@pytest.fixture
def team(make: Factory) -> Person:
    return make.person("Tess Team", email="tess@programme.example", role=Role.TEAM)
