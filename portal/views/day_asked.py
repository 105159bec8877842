"""The day whose figures a page is asked for, and the form that asks for another."""

from datetime import date

from flask import request

from portal.days import day_in
from portal.forms.base import PARTS
from portal.forms.days import AsOfForm
from portal.views.context import today


def day_asked() -> tuple[date, AsOfForm]:
    """Today where no day, or no real one, was asked for: then the form says what is wrong."""
    asked = request.args.get("as_of", "")
    whole = None
    problem = ""
    if asked and not any(f"as_of-{part}" in request.args for part in PARTS):
        try:
            whole = day_in(asked)
        except ValueError:
            problem = "The day must be a real date, such as 27 3 2023"
    form = AsOfForm(request.args, data={"as_of": whole})
    form.validate()
    if problem:
        form.refuse(form.as_of, problem)
    return form.asked or today(), form
