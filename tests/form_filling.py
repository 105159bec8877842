"""Fills a form of a page as its fields ask for: what was chosen, else the first choice, and a canary in every text."""

import re
from typing import Any
from urllib.parse import urlsplit

from tests.canaries import MARK, PHONE, Canaries
from tests.pages_client import Page

TYPED = {"text", "email", "tel", "search", "url"}
# Text fields that take no words, or what is in clear by its declaration: a reference, a role, a questionnaire's
# own words.
SHAPED = re.compile(
    r".*-(day|month|year)|(free-|from_|to_)?at(_\d)?|planned_days|minutes|capacity|minimum|code|letter|copy_of|confirm"
    r"|packages|totp|recovery|key|(left_)?(likelihood|severity)|question-.*|who|witness|evidence"
)


class NotFilled(AssertionError):
    """A form has a text field that nobody fills with a canary: say here how."""


def form_of(page: Page, path: str, *, having: str | None = None) -> Any:
    """The form of a page that posts to a path, and has a field of that name."""
    for form in page.all("form", method="post"):
        names = {field.get("name") for tag in ("input", "textarea", "select") for field in form.iter(tag)}
        if urlsplit(form.get("action")).path == path and (having is None or having in names):
            return form
    raise LookupError(f"{page.heading!r} has no form for {path} with {having}:\n{page.words()[:1500]}")


def filled(form: Any, canaries: Canaries, *, label: str, typed: dict[str, Any]) -> dict[str, Any]:
    """What the form posts once filled in; `typed` says what else than a canary or the first choice."""
    data: dict[str, Any] = {}
    radios: dict[str, list[Any]] = {}
    for field in form.iter("input"):
        kind, name = field.get("type", "text"), field.get("name")
        if kind == "radio":
            radios.setdefault(name, []).append(field)
        elif kind == "hidden" or (kind == "checkbox" and field.get("checked") is not None):
            data[name] = field.get("value", "")
        elif kind in TYPED:
            data[name] = typed.get(name, _words(kind, canaries, f"{label}: {name}"))
            _must_be_canary(name, data[name])
    for name, choices in radios.items():
        data[name] = next((one for one in choices if one.get("checked") is not None), choices[0]).get("value")
    for area in form.iter("textarea"):
        data[area.get("name")] = _words("text", canaries, f"{label}: {area.get('name')}")
    for select in form.iter("select"):
        data[select.get("name")] = _chosen(select)
    return {**data, **typed}


def _words(kind: str, canaries: Canaries, label: str) -> str:
    if kind == "email":
        return canaries.address(label)
    return canaries.phone(label) if kind == "tel" else canaries.word(label)


def _must_be_canary(name: str, value: str) -> None:
    if not (SHAPED.fullmatch(name) or MARK in value.lower() or value.startswith(PHONE)):
        raise NotFilled(f"{name} is filled with {value!r}")


def _chosen(select: Any) -> str:
    options = list(select.iter("option"))
    chosen = [option for option in options if option.get("selected") is not None]
    chosen = chosen or [option for option in options if option.get("value")] or options
    return str(chosen[0].get("value", ""))
