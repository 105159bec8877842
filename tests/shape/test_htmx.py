"""htmx where it helps and nowhere else: pieces of pages, never whole ones, and with answers that people see."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = {
    path.relative_to(ROOT / "templates").as_posix(): path.read_text()
    for path in (ROOT / "templates").rglob("*.html")
}
SENDS = re.compile(r'hx-(get|post|put|patch|delete)="|\bhx=\{')
IMPORTS = re.compile(r'{% (?:include|import|extends) "([^"]+)"')


def test_no_page_is_loaded_by_htmx() -> None:
    assert [name for name, text in TEMPLATES.items() if "hx-boost" in text] == []


def test_refusals_are_shown_in_place_and_failures_are_not() -> None:
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", TEMPLATES["_head.html"])
    assert found
    shown = {one["code"]: one["swap"] for one in json.loads(found[1])["responseHandling"]}
    assert (shown["409"], shown["422"], shown["[45].."]) == (True, True, False)


def test_what_sends_stands_on_a_page_that_lets_it() -> None:
    """Everywhere else htmx is off, and a form that counts on it would do nothing at all."""
    for name, text in TEMPLATES.items():
        if name.startswith("_macros/") or not SENDS.search(text):
            continue
        pages = pages_with(name)
        assert pages, f"{name} is on no page"
        off = [page for page in pages if "{% block htmx %}{% endblock %}" not in TEMPLATES[page]]
        if "in_place" not in text:
            assert off == [], f"{name} sends from {off}, where htmx is off"
        else:
            assert off != pages, f"{name} sends nowhere"


def pages_with(name: str) -> list[str]:
    """The pages that a template is, or is part of."""
    if '{% extends "base.html" %}' in TEMPLATES[name]:
        return [name]
    return [
        page
        for other, text in TEMPLATES.items()
        if name in IMPORTS.findall(text)
        for page in pages_with(other)
    ]
