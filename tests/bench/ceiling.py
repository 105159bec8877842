"""What a page and a save could cost at best here: bare Flask routes behind the same server, without sign-in, form
token, database of people, sealing or trail.

    /page   a page of the same bytes with the same ten questions, drawn by plain macros from plain values
    /save   takes the same form and writes its ten answers by the driver itself: ten upserts, one transaction

`make_app` is what the server's process calls; PORTAL_CEILING names a folder of its own, where the page's size stands.
"""

import os
import threading
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from jinja2 import DictLoader, Environment
from pysqlite3 import dbapi2

from tests.bench.asking import POINTS, STATEMENTS

FOLDER = "PORTAL_CEILING"
SIZE = "page-bytes"
LABELS = (
    "Not confident at all",
    "Slightly confident",
    "Fairly confident",
    "Very confident",
    "Completely confident",
    "Prefer not to say",
)
MACROS = """\
{% macro radio(name, id, value, text, checked) -%}
<div class="govuk-radios__item">
<input class="govuk-radios__input" id="{{ id }}" name="{{ name }}" type="radio" value="{{ value }}"
  {{- " checked" if checked }}>
<label class="govuk-label govuk-radios__label" for="{{ id }}">{{ text }}</label>
</div>
{%- endmacro %}

{% macro radios(name, legend, options, chosen) -%}
<div class="govuk-form-group">
<fieldset class="govuk-fieldset">
<legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{{ legend }}</legend>
<div class="govuk-radios" data-module="govuk-radios">
{% for value, text in options %}
{{ radio(name, name ~ "-" ~ loop.index, value, text, value == chosen) }}
{% endfor %}
</div>
</fieldset>
</div>
{%- endmacro %}
"""
PAGE = """\
{% import "macros.html" as m %}
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ title }}</title></head>
<body>
<main>
<h1>{{ title }}</h1>
<form method="post" action="/save">
{% for name, legend in questions %}
{{ m.radios(name, legend, options, chosen[name]) }}
{% endfor %}
<button type="submit">Save and continue</button>
</form>
</main>
<footer>{{ filling }}</footer>
</body>
</html>
"""
QUESTIONS = [
    (code, f"Knowing what good children's social care looks like, in part {number} of your work")
    for number, code in enumerate(STATEMENTS, 1)
]
OPTIONS = list(zip(POINTS, LABELS, strict=True))
CHOSEN = {code: POINTS[number % 5] for number, code in enumerate(STATEMENTS)}


def plain_templates() -> Environment:
    """The page and its macros, escaped as Flask does."""
    return Environment(autoescape=True, loader=DictLoader({"macros.html": MACROS, "page.html": PAGE}))


def ten_questions(templates: Environment) -> str:
    """The ten questions alone."""
    radios = templates.get_template("macros.html").module.radios  # type: ignore[attr-defined]  # a macro
    return "".join(radios(code, text, OPTIONS, CHOSEN[code]) for code, text in QUESTIONS)


def make_app() -> Flask:
    folder = Path(os.environ[FOLDER])
    app, templates, answers = Flask(__name__), plain_templates(), _Answers(folder / "answers.sqlite")
    page = templates.get_template("page.html")
    values: dict[str, Any] = {
        "title": "What good looks like",
        "questions": QUESTIONS,
        "options": OPTIONS,
        "chosen": CHOSEN,
    }
    missing = int((folder / SIZE).read_text()) - len(page.render(values, filling="").encode())
    filling = "x" * max(0, missing)

    @app.get("/page")
    def show() -> str:
        return page.render(values, filling=filling)

    @app.post("/save")
    def save() -> Response:
        answers.write(request.form["respondent"], [(code, request.form[code]) for code in STATEMENTS])
        return Response(status=303, headers={"Location": "/page"})

    return app


class _Answers:
    """Ten rows of a respondent: one upsert for each answer, by the driver alone; set up as the product sets it up."""

    def __init__(self, path: Path) -> None:
        self._path, self._own, self._turn = path, threading.local(), threading.Lock()
        self._connection().execute(
            "create table if not exists answer (respondent text, question text, value text, "
            "primary key (respondent, question))"
        )

    def _connection(self) -> Any:
        if not hasattr(self._own, "connection"):
            made = dbapi2.connect(str(self._path), isolation_level=None, timeout=5)
            for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "secure_delete=on"):
                made.execute(f"pragma {pragma}").fetchall()
            self._own.connection = made
        return self._own.connection

    def write(self, respondent: str, answers: list[tuple[str, str]]) -> None:
        connection = self._connection()
        with self._turn:
            connection.execute("begin immediate")
            connection.executemany(
                "insert into answer (respondent, question, value) values (?, ?, ?) "
                "on conflict (respondent, question) do update set value = excluded.value",
                [(respondent, code, value) for code, value in answers],
            )
            connection.execute("commit")
