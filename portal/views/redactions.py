"""Taking other people's data out of what is handed over: one page for who does it and for who approves it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import redaction as case_redaction
from portal.cases import redaction_places
from portal.cases.letter_words import GROUNDS
from portal.cases.redaction import NotReleased, SamePerson, StillThere
from portal.forms.base import Form
from portal.forms.case_work import AddMarkForm, ChooseFilesForm, MarksFields, SendBackForm, marks_form
from portal.forms.programme import ConfirmForm
from portal.views.context import programme, session, the_actor, work
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_case
from portal.views.numbers import page_asked
from privacy.cases import acts
from privacy.cases.documents import ZIP
from privacy.cases.redactions import Ground, Redaction, RedactionMark, Round
from privacy.cases.rules import CaseRefused, NotPossible
from privacy.cases.tables import Case

bp = Blueprint("redactions", __name__, url_prefix="/desk/cases/<uuid:case_id>/redaction")
MARKS_PER_PAGE = 50
QUICKER = (NotPossible, SamePerson, StillThere)


@bp.get("")
@guarded(load_case, policies.may_see_case)
def show(case: Case) -> ResponseReturnValue:
    return _page(case)


@bp.post("/begin")
@guarded(load_case, policies.may_see_case)
def begin(case: Case) -> ResponseReturnValue:
    form, case_id = ChooseFilesForm(), case.id
    form.offer(case_redaction.choices(session(), acts.read(session(), case_id)))
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_redaction.begin(unit, programme(), case_id=case_id, file_ids=form.chosen)
        except CaseRefused as problem:
            return _refused(case_id, form, problem, choose=form)
        return _done(case_id, "These names and addresses were found. Look each of them through.")
    return _page(case, choose=form, status=422)


@bp.post("/marks")
@guarded(load_case, policies.may_see_case)
def settle(case: Case) -> ResponseReturnValue:
    """What becomes of the marks on one page of the list."""
    case_id = case.id
    redaction = case_redaction.current(session(), case_id)
    form = marks_form(_shown(redaction))
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_redaction.settle(unit, case_id=case_id, settled=form.settled)
        except CaseRefused as problem:
            return _refused(case_id, form, problem, marked=form)
        return _done(case_id, "Saved.", page=page_asked())
    return _page(case, marked=form, status=422)


@bp.post("/add")
@guarded(load_case, policies.may_see_case)
def add(case: Case) -> ResponseReturnValue:
    form, case_id = AddMarkForm(), case.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_redaction.add(
                    unit,
                    case_id=case_id,
                    text=form.text.data or "",
                    ground=Ground(form.ground.data),
                    reason=form.reason.data or "",
                    inside=form.inside.data or None,
                )
        except CaseRefused as problem:
            return _refused(case_id, form, problem, adding=form)
        return _done(case_id, "It is in the list.")
    return _page(case, adding=form, status=422)


@bp.post("/make")
@guarded(load_case, policies.may_see_case)
def make(case: Case) -> ResponseReturnValue:
    return _step(case, case_redaction.make, "The copies are made. Somebody else has to approve them.")


@bp.post("/approve")
@guarded(load_case, policies.may_see_case)
def approve(case: Case) -> ResponseReturnValue:
    return _step(case, case_redaction.approve, "The copies are approved.")


@bp.post("/back")
@guarded(load_case, policies.may_see_case)
def send_back(case: Case) -> ResponseReturnValue:
    form, case_id = SendBackForm(), case.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_redaction.send_back(unit, case_id=case_id, reason=form.reason.data or "")
        except CaseRefused as problem:
            return _refused(case_id, form, problem, back=form)
        return _done(case_id, "They are sent back. The list is open again.")
    return _page(case, back=form, status=422)


@bp.post("/again")
@guarded(load_case, policies.may_see_case)
def again(case: Case) -> ResponseReturnValue:
    return _step(
        case,
        case_redaction.again,
        "The list is open again. No copy is handed over until new ones are approved.",
    )


@bp.route("/drop", methods=["GET", "POST"])
@guarded(load_case, policies.may_see_case)
def drop(case: Case) -> ResponseReturnValue:
    """Asks first: every decision in the list is gone then."""
    if request.method == "GET":
        return render_template(
            "cases/ask.html",
            heading="Choose other files",
            follows=[
                "The list of what is taken out is deleted, with every decision in it. Nobody can bring it back.",
                "The files themselves stay with the case.",
            ],
            action=url_for("redactions.drop", case_id=case.id),
            button="Delete the list",
            back=(url_for("redactions.show", case_id=case.id), f"Copies of case {case.ref}"),
            keep="Keep the list",
        )
    return _step(case, case_redaction.drop, "The list is given up. Choose files again.")


@bp.post("/copies/<uuid:file_id>")
@guarded(load_case, policies.may_see_case)
def release(case: Case, file_id: UUID) -> ResponseReturnValue:
    """An approved copy as a download, scanned once more and noted."""
    form, case_id = ConfirmForm(), case.id
    try:
        with work() as unit:
            copy = case_redaction.release(unit, case_id=case_id, file_id=file_id)
            name, content, kind = copy.name or "copy", copy.content or b"", copy.media_type
    except NotReleased:
        abort(404)
    except StillThere as problem:
        return _refused(case_id, form, problem, confirm=form)
    # A file to keep: a browser shows none of it in place.
    answer = Response(content, mimetype=kind if kind == ZIP else "application/octet-stream")
    attach(answer, name)
    return answer


def _page(
    case: Case,
    *,
    choose: ChooseFilesForm | None = None,
    marked: MarksFields | None = None,
    adding: AddMarkForm | None = None,
    back: SendBackForm | None = None,
    confirm: ConfirmForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    redaction = case_redaction.current(session(), case.id)
    choices = case_redaction.choices(session(), acts.read(session(), case.id))
    marks = _shown(redaction)
    files = choose or ChooseFilesForm(
        data={"files": [str(one.file.id) for one in choices[:1] if one.package]}
    )
    files.offer(choices)
    failed: Form | None = next(
        (one for one in (choose, marked, adding, back, confirm) if one is not None), None
    )
    return render_template(
        "case_work/redaction.html",
        case=case,
        redaction=redaction,
        failed=failed,
        choices=choices,
        choose=files,
        marked=marked or marks_form(marks),
        adding=adding or AddMarkForm(formdata=None),
        back=back or SendBackForm(formdata=None),
        found=redaction_places.find(session(), redaction, marks) if redaction is not None else {},
        marks=marks,
        page=page_asked(),
        pages=_pages(redaction),
        grounds=GROUNDS,
        own=redaction is not None and redaction.made_by == the_actor().ref,
    ), status


def _shown(redaction: Redaction | None) -> list[RedactionMark]:
    """The marks on this page of the list: all that there are, or what was taken out once copies are made."""
    if redaction is None:
        return []
    first = (min(page_asked(), _pages(redaction)) - 1) * MARKS_PER_PAGE
    return _listed(redaction)[first : first + MARKS_PER_PAGE]


def _listed(redaction: Redaction) -> list[RedactionMark]:
    return [mark for mark in redaction.marks if mark.taken_out or redaction.state is Round.OPEN]


def _pages(redaction: Redaction | None) -> int:
    return max(1, -(-len(_listed(redaction)) // MARKS_PER_PAGE)) if redaction is not None else 1


def _refused(case_id: UUID, form: Form, problem: CaseRefused, **shown: Any) -> ResponseReturnValue:
    form.refuse(form.named(problem.field), problem)
    case = load_case(case_id)
    if case is None:
        abort(404)
    return _page(case, **shown, status=409 if isinstance(problem, QUICKER) else 422)


def _step(case: Case, act: Callable[..., object], said: str) -> ResponseReturnValue:
    """One step of a redaction that needs no more than a button."""
    form, case_id = ConfirmForm(), case.id
    try:
        with work() as unit:
            act(unit, case_id=case_id)
    except CaseRefused as problem:
        return _refused(case_id, form, problem, confirm=form)
    return _done(case_id, said)


def _done(case_id: UUID, said: str, *, page: int = 1) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("redactions.show", case_id=case_id, page=page if page > 1 else None), 303)
