"""The letters of a case: written from templates, looked at, sent or recorded; and the templates themselves."""

from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import letter_templates
from portal.cases import letters as case_letters
from portal.cases.letter_templates import BLANKS
from portal.cases.letters import KINDS, WAYS, To, Written
from portal.forms.base import Form
from portal.forms.case_work import CarriedForm, LetterForm, TemplateForm, letter_data
from portal.forms.programme import ConfirmForm, day
from portal.views.context import clock_now, programme, session, work
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_case, load_letter
from portal.views.refusals import say_sent_before, status_of
from privacy.cases import acts, letters
from privacy.cases.letters import CaseLetter, LetterKind, LetterState
from privacy.cases.rules import CaseClosed, CaseRefused, Incomplete, NotPossible
from privacy.cases.tables import Case, Way
from privacy.clock import start_of_day
from privacy.sent_before import SentBefore

bp = Blueprint("letters", __name__, url_prefix="/desk")
QUICKER = (NotPossible, CaseClosed)


@bp.get("/cases/<uuid:case_id>/letters")
@guarded(load_case, policies.may_see_case)
def index(case: Case) -> ResponseReturnValue:
    return render_template(
        "case_work/letters.html",
        case=case,
        letters=letters.of_case(session(), case.id),
        offers=case_letters.offers(acts.read(session(), case.id)),
        kinds=KINDS,
        ways=WAYS,
    )


@bp.route("/cases/<uuid:case_id>/letters/new/<kind>", methods=["GET", "POST"])
@guarded(load_case, policies.may_see_case)
def new(case: Case, kind: str) -> ResponseReturnValue:
    chosen, case_id = _kind(kind), case.id
    try:
        begun = case_letters.prefilled(session(), programme(), case_id=case_id, kind=chosen, now=clock_now())
    except CaseRefused as problem:
        return render_template(
            "case_work/no_letter.html", case=case, kind=KINDS[chosen], why=str(problem)
        ), 409
    form = LetterForm(data=letter_data(begun))
    form.begin_with(chosen)
    if form.validate_on_submit():
        try:
            with work() as unit:
                letter_id = case_letters.draft(
                    unit,
                    case_id=case_id,
                    kind=chosen,
                    written=form.written,
                    letter_id=form.letter_id.id_to_make,
                ).id
        except SentBefore as problem:
            say_sent_before(form, problem)
        except CaseRefused as problem:
            _refuse(form, problem)
        else:
            flash("The letter is a draft. Look at it before it goes.", "success")
            return redirect(url_for("letters.show", case_id=case_id, letter_id=letter_id), 303)
    page = render_template(
        "case_work/write_letter.html",
        form=form,
        case=case,
        heading=KINDS[chosen],
        action=url_for("letters.new", case_id=case_id, kind=chosen.value),
    )
    return page, status_of(form)


@bp.get("/cases/<uuid:case_id>/letters/<uuid:letter_id>")
@guarded(load_letter, policies.may_see_letter)
def show(letter: CaseLetter) -> ResponseReturnValue:
    return _page(letter)


@bp.route("/cases/<uuid:case_id>/letters/<uuid:letter_id>/edit", methods=["GET", "POST"])
@guarded(load_letter, policies.may_see_letter)
def edit(letter: CaseLetter) -> ResponseReturnValue:
    case, letter_id, kind = letter.case, letter.id, letter.kind
    case_id = case.id
    form = LetterForm(data=letter_data(_written(letter)))
    form.begin_with(kind)
    if form.validate_on_submit():
        try:
            with work() as unit:
                case_letters.change(unit, letter_id=letter_id, written=form.written)
        except CaseRefused as problem:
            _refuse(form, problem)
        else:
            flash("The letter is changed.", "success")
            return redirect(url_for("letters.show", case_id=case_id, letter_id=letter_id), 303)
    page = render_template(
        "case_work/write_letter.html",
        form=form,
        case=case,
        heading=f"Change letter {letter.number}",
        action=url_for("letters.edit", case_id=case_id, letter_id=letter_id),
    )
    return page, 422 if form.errors else 200


@bp.get("/cases/<uuid:case_id>/letters/<uuid:letter_id>/pdf")
@guarded(load_letter, policies.may_see_letter)
def pdf(letter: CaseLetter) -> ResponseReturnValue:
    """The letter as it is printed, to be posted."""
    content = case_letters.pdf(letter, programme(), now=clock_now())
    answer = Response(content, mimetype="application/pdf")
    attach(answer, case_letters.file_name(letter))
    return answer


@bp.post("/cases/<uuid:case_id>/letters/<uuid:letter_id>/send")
@guarded(load_letter, policies.may_see_letter)
def send(letter: CaseLetter) -> ResponseReturnValue:
    form, letter_id, case_id = ConfirmForm(), letter.id, letter.case_id
    try:
        with work() as unit:
            case_letters.send(unit, programme(), letter_id=letter_id)
    except CaseRefused as problem:
        form.refuse(None, problem)
        return _again(case_id, letter_id, form, problem)
    flash("The letter is on its way. The case shows when it went.", "success")
    return redirect(url_for("letters.show", case_id=case_id, letter_id=letter_id), 303)


@bp.post("/cases/<uuid:case_id>/letters/<uuid:letter_id>/carried")
@guarded(load_letter, policies.may_see_letter)
def carried(letter: CaseLetter) -> ResponseReturnValue:
    """That it was posted or handed over."""
    form, letter_id, case_id = CarriedForm(), letter.id, letter.case_id
    if not form.validate_on_submit():
        return _page(letter, carried=form, failed=form, status=422)
    try:
        with work() as unit:
            case_letters.carried(
                unit,
                programme(),
                letter_id=letter_id,
                way=Way(form.way.data),
                at=start_of_day(day(form.on)),
                evidence=form.evidence.data or "",
            )
    except CaseRefused as problem:
        form.refuse({"at": form.on, "evidence": form.evidence}.get(problem.field), problem)
        return _again(case_id, letter_id, form, problem)
    flash("It is written down that the letter went.", "success")
    return redirect(url_for("letters.show", case_id=case_id, letter_id=letter_id), 303)


@bp.route("/cases/<uuid:case_id>/letters/<uuid:letter_id>/discard", methods=["GET", "POST"])
@guarded(load_letter, policies.may_see_letter)
def discard(letter: CaseLetter) -> ResponseReturnValue:
    """Asks first: what was written is gone then."""
    form, letter_id, case_id = ConfirmForm(), letter.id, letter.case_id
    if request.method == "GET":
        return render_template(
            "cases/ask.html",
            heading="Throw the draft away",
            follows=[
                f"Letter {letter.number} of case {letter.case.ref} is deleted. Nobody can bring it back."
            ],
            action=url_for("letters.discard", case_id=case_id, letter_id=letter_id),
            button="Throw the draft away",
            back=(url_for("letters.show", case_id=case_id, letter_id=letter_id), f"Letter {letter.number}"),
            keep="Keep the draft",
        )
    try:
        with work() as unit:
            case_letters.discard(unit, letter_id=letter_id)
    except CaseRefused as problem:
        form.refuse(None, problem)
        return _again(case_id, letter_id, form, problem)
    flash("The draft is thrown away.", "success")
    return redirect(url_for("letters.index", case_id=case_id), 303)


# ---- templates


@bp.get("/letter-templates")
@guarded(None, policies.may_run_desk)
def templates() -> ResponseReturnValue:
    return render_template(
        "case_work/templates.html", templates=letter_templates.all_current(session()), kinds=KINDS
    )


@bp.route("/letter-templates/<kind>", methods=["GET", "POST"])
@guarded(None, policies.may_run_desk)
def template(kind: str) -> ResponseReturnValue:
    chosen = _kind(kind)
    versions = letter_templates.versions(session(), chosen)
    form = TemplateForm(data={"title": versions[0].title, "text": versions[0].text})
    if form.validate_on_submit():
        try:
            with work() as unit:
                letter_templates.change(
                    unit,
                    kind=chosen,
                    title=form.title.data or "",
                    text=form.text.data or "",
                    entry_id=form.entry_id.id_to_make,
                )
        except Incomplete as problem:
            _refuse(form, problem)
        except SentBefore as problem:
            say_sent_before(form, problem)
        else:
            flash("The new version is kept. Letters from now on begin with it.", "success")
            return redirect(url_for("letters.template", kind=kind), 303)
    page = render_template(
        "case_work/template.html",
        form=form,
        kind=chosen,
        heading=KINDS[chosen],
        versions=versions,
        blanks=BLANKS,
    )
    return page, status_of(form)


def _kind(word: str) -> LetterKind:
    if word not in set(LetterKind):
        abort(404)
    return LetterKind(word)


def _refuse(form: Form, problem: CaseRefused) -> None:
    form.refuse(form.named(problem.field), problem)


def _written(letter: CaseLetter) -> Written:
    to = letter.to or {}
    return Written(
        letter.title or "",
        letter.text or "",
        To(
            str(to.get("name") or ""),
            str(to.get("email") or ""),
            [str(line) for line in to.get("lines") or ()],
        ),
        letter.word or "",
    )


def _again(case_id: UUID, letter_id: UUID, form: Form, problem: CaseRefused) -> ResponseReturnValue:
    letter = load_letter(case_id, letter_id)
    if letter is None:
        abort(404)
    shown = form if isinstance(form, CarriedForm) else None
    return _page(letter, carried=shown, failed=form, status=409 if isinstance(problem, QUICKER) else 422)


def _page(
    letter: CaseLetter, *, carried: CarriedForm | None = None, failed: Form | None = None, status: int = 200
) -> ResponseReturnValue:
    return render_template(
        "case_work/letter.html",
        letter=letter,
        case=letter.case,
        to=_written(letter).to,
        blocks=letter_templates.blocks(letter.text or ""),
        carried=carried or CarriedForm(formdata=None),
        failed=failed,
        can_go=letter.state in case_letters.EDITED,
        is_draft=letter.state is LetterState.DRAFT and letter.file_id is None,
        kinds=KINDS,
        ways=WAYS,
        contract=programme().reference,
        sender=programme().sender,
        now=clock_now(),
    ), status
