"""Our own macros give the markup of GOV.UK Frontend: its maintainers' templates, ported to Jinja, are the oracle.

Theirs cost up to twenty times as much for a page of questions, so they draw nothing but here.
"""

from functools import cache
from typing import Any

import pytest
from jinja2 import (
    ChainableUndefined,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
)
from lxml import html

from tests.shape.test_templates import TEMPLATES

LABEL, HINT, ERROR = "How <confident> do you feel?", "Today & tomorrow", "Choose how confident you feel"
OPTIONS = [
    {"value": "fairly", "text": "Fairly <so>"},
    {"value": "very", "text": "Very"},
    {"value": "no", "text": "No"},
]
SAID = {"hint": HINT, "error": ERROR}
THEIRS = {"hint": {"text": HINT}, "errorMessage": {"text": ERROR}}
LEGEND = {"legend": {"text": LABEL, "classes": "govuk-fieldset__legend--m"}}
Case = tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]

CASES: dict[str, Case] = {
    "radios": (
        "radios", ("q", LABEL, OPTIONS), {"value": "very"},
        "radios", {"name": "q", "idPrefix": "q", "value": "very", "fieldset": LEGEND, "items": OPTIONS},
    ),
    "radios at fault": (
        "radios", ("q", LABEL, OPTIONS), SAID,
        "radios", {"name": "q", "idPrefix": "q", "fieldset": LEGEND, "items": OPTIONS, **THEIRS},
    ),
    "small radios in a line": (
        "radios", ("q", LABEL, OPTIONS), {"small": True, "inline": True},
        "radios",
        {
            "name": "q", "idPrefix": "q", "fieldset": LEGEND, "items": OPTIONS,
            "classes": "govuk-radios--small govuk-radios--inline",
        },
    ),
    "radios with a divider": (
        "radios", ("q", LABEL, [*OPTIONS[:2], {"divider": "or"}, OPTIONS[2]]), {},
        "radios",
        {"name": "q", "idPrefix": "q", "fieldset": LEGEND, "items": [*OPTIONS[:2], {"divider": "or"}, OPTIONS[2]]},
    ),
    "checkboxes": (
        "checkboxes", ("q", LABEL, OPTIONS), {"values": ["very", "no"], **SAID},
        "checkboxes",
        {"name": "q", "idPrefix": "q", "values": ["very", "no"], "fieldset": LEGEND, "items": OPTIONS, **THEIRS},
    ),
    "one line": (
        "text_input", ("q", LABEL), {"value": 'a "name"', "width": 10, **SAID},
        "input",
        {
            "name": "q", "id": "q", "value": 'a "name"', "classes": "govuk-input--width-10",
            "label": {"text": LABEL}, **THEIRS,
        },
    ),
    "many lines": (
        "textarea", ("q", LABEL), {"value": "One\n<two>", **SAID},
        "textarea", {"name": "q", "id": "q", "value": "One\n<two>", "label": {"text": LABEL}, **THEIRS},
    ),
    "many lines, counted": (
        "textarea", ("q", LABEL), {"value": "One", "maxlength": 2000},
        "character-count",
        {"name": "q", "id": "q", "value": "One", "maxlength": 2000, "threshold": 75, "label": {"text": LABEL}},
    ),
    "a list": (
        "select", ("q", LABEL, OPTIONS), {"value": "very", **SAID},
        "select", {"name": "q", "id": "q", "value": "very", "label": {"text": LABEL}, "items": OPTIONS, **THEIRS},
    ),
    "a button": (
        "button", ("Save and continue",), {},
        "button", {"text": "Save and continue", "type": "submit", "preventDoubleClick": True},
    ),
    "what is wrong": (
        "error_summary", ([("q", ERROR)],), {},
        "error-summary", {"titleText": "There is a problem", "errorList": [{"text": ERROR, "href": "#q"}]},
    ),
}  # fmt: skip


@cache
def templates() -> Environment:
    oracle = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    loader = ChoiceLoader([FileSystemLoader(TEMPLATES), oracle])
    return Environment(loader=loader, autoescape=True, undefined=ChainableUndefined)


def told(markup: object) -> Any:
    """Elements, attributes and words, whatever white space lies between them."""

    def walk(element: Any) -> Any:
        attributes = sorted((name, " ".join(value.split())) for name, value in element.attrib.items())
        words = [" ".join((text or "").split()) for text in (element.text, element.tail)]
        if element.tag == "textarea":
            # A line end after the tag is no part of the text.
            words[0] = (element.text or "").removeprefix("\n")
        return element.tag, attributes, words, [walk(child) for child in element]

    return walk(html.fragment_fromstring(str(markup).strip()))


@pytest.mark.parametrize("name", CASES)
def test_a_macro_gives_the_markup_of_gov_uk_frontend(name: str) -> None:
    macro, given, named, component, theirs = CASES[name]
    ours = getattr(templates().get_template("_macros/forms.html").module, macro)(*given, **named)
    called = "govuk" + component.title().replace("-", "")
    oracle = templates().get_template(f"govuk_frontend_jinja/components/{component}/macro.html").module
    assert told(ours) == told(getattr(oracle, called)(theirs))
