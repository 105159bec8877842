"""What every template must do: escape, send forms with a token, load nothing from elsewhere."""

import re
from pathlib import Path

from flask import Flask
from jinja2 import Environment, FileSystemLoader

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# Mails and the desk's letters are plain text.
TEXTS = {"mail", "letters"}
PAGES = sorted(path for path in TEMPLATES.rglob("*") if path.is_file() and not TEXTS & set(path.parts))


def test_pages_are_escaped() -> None:
    choose = Flask(__name__).select_jinja_autoescape
    assert PAGES
    for path in PAGES:
        assert path.suffix == ".html", f"{path}: only .html is escaped by itself"
        assert choose(path.name)


def test_no_template_opens_a_hole() -> None:
    for path in PAGES:
        text = path.read_text()
        for pattern in (
            r"\|\s*safe\b",
            r"<script(?![^>]*\bsrc=)",
            r"\sstyle=",
            r"\son[a-z]+=",
            r"javascript:",
        ):
            assert not re.search(pattern, text), f"{path.name} has {pattern}"


def test_nothing_comes_from_another_host() -> None:
    for path in PAGES:
        for address in re.findall(r"""(?:src|href|action)=["'](https?:)?//""", path.read_text()):
            raise AssertionError(f"{path.name} names another host: {address}")


def test_post_forms_are_made_by_the_macro_that_adds_the_token() -> None:
    """The macros and the sign-out form of the shell carry the token; nobody else writes a form by hand."""
    for path in PAGES:
        if path.name in {"forms.html", "base.html"}:
            continue
        assert not re.search(r"""<form[^>]*method=["']post""", path.read_text(), re.IGNORECASE), path.name


def test_every_template_parses_and_is_used() -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    code = "\n".join(path.read_text() for path in (TEMPLATES.parent / "portal").rglob("*.py"))
    named = "\n".join(path.read_text() for path in PAGES)
    for path in PAGES:
        name = path.relative_to(TEMPLATES).as_posix()
        environment.parse(path.read_text())
        assert name in code or name in named, f"{name} is rendered nowhere"


def test_fragments_import_what_they_use() -> None:
    """A fragment is rendered alone too: a macro imported by its page would be missing then."""
    for path in PAGES:
        if path.name.startswith("_") and path.parent.name != "_macros":
            text = path.read_text()
            for prefix in ("f", "p"):
                if re.search(rf"[{{%( ]{prefix}\.[a-z_]+\(", text):
                    assert re.search(rf'import "_macros/\w+\.html" as {prefix}\b', text), path.name
