"""Whatever is posted to a form, what people read is in our words: never a message of a library or of Python."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import flask_wtf
import pytest
import wtforms
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms.fields.choices import SelectChoice

import portal.forms
from portal.app import create_app
from portal.forms.base import PARTS, DatePartsField, Form
from portal.settings import Settings

GARBAGE = ("", "garbage", "-1", "99999999999999999999", "0001-01-01T00:00:00+14:00 x", "\0", "9" * 5000, "²")
PYTHON = r"invalid literal|badly formed|not a valid|could not|argument|object|None\b"


def forms() -> list[type[Form]]:
    """Every class of form that a page can show."""
    found = {}
    for module in pkgutil.iter_modules(portal.forms.__path__, "portal.forms."):
        for _, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(value, Form) and value.__module__ == module.name and not _is_part(value):
                found[value.__name__] = value
    return list(found.values())


def _is_part(kind: type[Form]) -> bool:
    """Fields that other forms take over; they are tried there."""
    return kind is Form or kind.__name__.endswith("Fields")


def messages_of(package: Path) -> Iterator[str]:
    """What a library would say to people."""
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("gettext", "ngettext"):
                for said in node.args:
                    if isinstance(said, ast.Constant) and isinstance(said.value, str):
                        yield re.sub(r"%\\\(\w+\\\)[sd]|\\{\w+\\}", ".*", re.escape(said.value))


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings.from_environ({}, root=Path("/nowhere")))


@pytest.mark.parametrize("kind", forms(), ids=lambda kind: kind.__name__)
def test_garbage_is_answered_in_our_words(app: Flask, kind: type[Form]) -> None:
    packages = (Path(str(one.__file__)).parent for one in (wtforms, flask_wtf))
    library = re.compile("|".join(said for package in packages for said in messages_of(package)))
    with app.test_request_context("/", method="POST"):
        for value in GARBAGE:
            form = filled(kind, value)
            form.validate()
            said = [message for messages in form.errors.values() for message in messages]
            assert [one for one in said if not isinstance(one, str) or not one[:1].isupper()] == []
            assert [one for one in said if library.fullmatch(one) or re.search(PYTHON, one)] == []


def filled(kind: type[Form], value: str) -> Form:
    data: MultiDict[str, str] = MultiDict()
    for field in kind(meta={"csrf": False}):
        names = (
            [f"{field.name}-{part}" for part in PARTS] if isinstance(field, DatePartsField) else [field.name]
        )
        for name in names:
            data.add(name, value)
    form = kind(formdata=data, meta={"csrf": False})
    for field in form:
        if hasattr(field, "choices") and field.choices is None:
            field.choices = [SelectChoice("one", "One")]
    return form


def test_the_library_says_something_that_could_be_met() -> None:
    said = set(messages_of(Path(str(wtforms.__file__)).parent))
    assert re.escape("Not a valid integer value.") in said
    assert re.escape("Not a valid choice.") in said
