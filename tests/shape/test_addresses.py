"""Addresses are indexed in one place: whoever chose a key by themselves would write an index that nobody looks for."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {"privacy/columns.py", "portal/access/addresses.py"}


def test_nobody_chooses_an_index_key_by_themselves() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("portal", "surveys", "privacy")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "address_index"
    ]
    assert set(found) == ALLOWED
