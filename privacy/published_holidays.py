"""Public holidays as a package publishes them, of one part of the United Kingdom.

The package's own list of countries imports every country of the world, a tenth of a second and eight megabytes in each
process that asks for a day. So that list stands here unread, as a folder, and the one country is taken from it.
"""

import sys
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import MappingProxyType
from typing import Any

_COUNTRIES = "holidays.countries"


@lru_cache(maxsize=128)
def holiday_names(part: str, year: int) -> Mapping[date, str]:
    """The holidays of a year by name, in order, substitute days included; `part` is ENG, WLS, SCT or NIR."""
    return MappingProxyType(dict(sorted(_country()(subdiv=part, years=year).items())))


@cache
def _country() -> Any:
    if _COUNTRIES not in sys.modules:
        spec = find_spec(_COUNTRIES)
        if spec is None:
            raise ModuleNotFoundError(_COUNTRIES)
        sys.modules[_COUNTRIES] = module_from_spec(spec)
    return import_module(f"{_COUNTRIES}.united_kingdom").UnitedKingdom
