"""Themes: how far the sorting is, the codebook, one text after another, and what may be quoted."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.answers import theming
from portal.answers.theming import Item, Whose
from portal.forms.themes import SortForm, ThemeForm, beginning
from portal.views.context import programme, session, the_actor, work
from portal.views.guards import guarded
from portal.views.readings import note_reading
from surveys import themes
from surveys.readings import Reading
from surveys.themes import Book, ChangedMeanwhile, NoSuchText, Theme, ThemesRefused

bp = Blueprint("themes", __name__, url_prefix="/team/themes")


def load_whose(response_id: UUID, question: str) -> Whose | None:
    """Whose text it is, unopened: a reading is noted before it is read."""
    return theming.whose(session(), response_id=response_id, question=question)


def load_theme(theme_code: str) -> Theme | None:
    return themes.book(session()).theme(theme_code)


def _may_read(item: Item) -> bool:
    return policies.may_judge(the_actor(), item)


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    found = theming.standing(session())
    return render_template(
        "themes/index.html", found=found, next=theming.next_unread(found, may_read=_may_read)
    )


@bp.get("/quotes")
@guarded(None, policies.may_run_programme)
def quotes() -> ResponseReturnValue:
    """Texts that may be quoted stand here without whose they are."""
    return render_template(
        "themes/quotes.html", quotes=theming.quotes(session(), programme()), book=themes.book(session())
    )


@bp.route("/codebook/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new() -> ResponseReturnValue:
    book = themes.book(session())
    form = ThemeForm(seen=book.number)
    if form.validate_on_submit() and (done := _put(form, themes.new_code(), "The theme is in the codebook.")):
        return done
    return _theme_page(form, None, book)


@bp.route("/codebook/<theme_code>", methods=["GET", "POST"])
@guarded(load_theme, policies.may_see_team_page)
def change(theme: Theme) -> ResponseReturnValue:
    book = themes.book(session())
    form = ThemeForm(obj=theme, seen=book.number)
    if form.validate_on_submit() and (done := _put(form, theme.code, "The theme is changed.")):
        return done
    return _theme_page(form, theme, book)


@bp.post("/codebook/<theme_code>/remove")
@guarded(load_theme, policies.may_see_team_page)
def remove(theme: Theme) -> ResponseReturnValue:
    form = ThemeForm()
    try:
        with work() as unit:
            themes.take_out(unit, theme.code, seen=form.seen.data)
    except ThemesRefused as problem:
        book = themes.book(session())
        shown = ThemeForm(obj=theme, formdata=None, seen=book.number)
        shown.refuse(None, problem)
        return _theme_page(shown, book.theme(theme.code), book)
    flash(f"{theme.label} is out of the codebook. Answers that were sorted by it keep it.", "success")
    return redirect(url_for("themes.index"), 303)


@bp.route("/<uuid:response_id>/<question>", methods=["GET", "POST"])
@guarded(load_whose, policies.may_judge, asks_why=policies.opens_for_others)
def show(whose: Whose) -> ResponseReturnValue:
    response_id, question = whose.response_id, whose.question
    note_reading(Reading(response_id=response_id, respondent_id=whose.respondent_id, purpose=theming.PURPOSE))
    item = _opened(response_id, question)
    form = SortForm(data=beginning(item.written.given, themes.stamp(item.written)))
    if not form.validate_on_submit():
        return _text_page(form, item, 422 if form.errors else 200)
    try:
        with work() as unit:
            theming.sort(
                unit,
                programme(),
                response_id=response_id,
                question=question,
                codes=form.codes.data or [],
                quote=form.quote.data,
                seen=form.seen.data or "",
            )
    except ThemesRefused as problem:
        form.refuse(form.named(problem.field), problem)
        again = _opened(response_id, question)
        form.seen.data = themes.stamp(again.written)
        return _text_page(form, again, 409 if isinstance(problem, ChangedMeanwhile) else 422)
    return _on()


def _opened(response_id: UUID, question: str) -> Item:
    try:
        return theming.item(session(), response_id=response_id, question=question)
    except NoSuchText:
        abort(404)


def _on() -> Response:
    """To the text that waits longest, or to the list where none does."""
    following = theming.next_unread(theming.standing(session()), may_read=_may_read)
    if following is None:
        flash("Saved. Every answer that you can read is sorted.", "success")
        return redirect(url_for("themes.index"), 303)
    flash("Saved. This is the next answer.", "success")
    written = following.written
    return redirect(url_for("themes.show", response_id=written.response_id, question=written.question), 303)


def _text_page(form: SortForm, item: Item, status: int) -> ResponseReturnValue:
    book = themes.book(session())
    form.offer(book, item.written.given, themes.labels(session()))
    return render_template("themes/show.html", form=form, item=item, book=book), status


def _put(form: ThemeForm, code: str, said: str) -> Response | None:
    theme = Theme(
        code=code,
        label=form.label.data or "",
        definition=form.definition.data or "",
        include=form.include.data or "",
        exclude=form.exclude.data or "",
        example=form.example.data or "",
    )
    try:
        with work() as unit:
            themes.put(unit, theme, seen=form.seen.data)
    except ThemesRefused as problem:
        form.refuse(form.named(problem.field), problem)
        form.seen.data = themes.book(session()).number
        return None
    flash(said, "success")
    return redirect(url_for("themes.index"), 303)


def _theme_page(form: ThemeForm, theme: Theme | None, book: Book) -> ResponseReturnValue:
    page = render_template("themes/theme.html", form=form, theme=theme, book=book)
    return page, 422 if form.errors else 200
