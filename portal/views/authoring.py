"""Questionnaires for the team: what is published, tried out, corrected, compared, and taken from a file."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from portal import policies
from portal.answers import authoring
from portal.answers.authoring import BYTES_AT_MOST, FILES_AT_MOST, VersionPage
from portal.answers.preview import NotYet, Walk
from portal.forms.authoring import PublishForm, UploadForm, WordingForm
from portal.models import Role
from portal.views.context import programme, session, the_actor, work
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.numbers import number_asked
from portal.views.question_fields import anchors, fields, posted
from surveys import corrections, versions
from surveys.corrections import ChangedMeanwhile, NothingCorrected, NotInForce
from surveys.documents import Unsound
from surveys.phrases import roles
from surveys.questionnaires import ROLES, written
from surveys.questions import Cleaned, Posted, fill
from surveys.routing import Stop
from surveys.wordings import Key

bp = Blueprint("authoring", __name__, url_prefix="/team/questionnaires")


def load_version(version_id: UUID) -> VersionPage | None:
    return authoring.version_page(session(), version_id=version_id)


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    return render_template("authoring/index.html", versions=versions.listed(session()), roles=roles)


@bp.get("/<uuid:version_id>")
@guarded(load_version, policies.may_see_team_page)
def show(version: VersionPage) -> ResponseReturnValue:
    questionnaire = version.published.questionnaire
    return render_template(
        "authoring/show.html",
        version=version,
        pages=authoring.outline(questionnaire),
        asked=[role for role in ROLES if questionnaire.asks(role)],
        audience=roles(questionnaire.audience),
        may_export=policies.may_export(the_actor(), version.published),
        what=lambda key: Key(key).what,
    )


@bp.get("/<uuid:version_id>/file")
@guarded(load_version, policies.may_see_team_page)
def file(version: VersionPage) -> ResponseReturnValue:
    """The questionnaire as a file, in its newest words, to change and send back."""
    published = version.published
    answer = Response(written(published.questionnaire), mimetype="application/yaml")
    attach(answer, f"{published.code}-{published.number}.yaml")
    return answer


@bp.get("/<uuid:version_id>/compare")
@guarded(load_version, policies.may_see_team_page)
def compare(version: VersionPage) -> ResponseReturnValue:
    """Against another version of the same questionnaire, named by its number; at first the one before it."""
    number = number_asked("with")
    found = authoring.comparison(session(), version, number=number)
    if found is None and version.others:
        abort(404)
    return render_template("authoring/compare.html", version=version, found=found)


@bp.route("/<uuid:version_id>/wording", methods=["GET", "POST"])
@guarded(load_version, policies.may_see_team_page)
def wording(version: VersionPage) -> ResponseReturnValue:
    """Correct the words of one part; `part` names it, such as question/legal_duties."""
    part = request.args.get("part", "title")
    words = authoring.words_of(version.published.questionnaire, part)
    if not words or not version.summary.current:
        abort(404)
    form = WordingForm(seen=len(version.published.corrections))
    if not form.validate_on_submit():
        return _wording(version, part, form), 422 if form.errors else 200
    typed = {one.key: _typed(one.name) for one in words}
    try:
        with work() as unit:
            corrections.correct(
                unit,
                version_id=version.summary.id,
                words=typed,
                reason=form.reason.data,
                seen=form.seen.data,
            )
    except Unsound as unsound:
        return _wording(version, part, form, errors=authoring.beside(unsound.faults, words)), 422
    except NothingCorrected:
        return _wording(version, part, form, errors=[(None, "The words are as they were")]), 422
    except (ChangedMeanwhile, NotInForce):
        message = "Somebody else changed this questionnaire just now. Read it again, then correct it"
        return _wording(version, part, form, errors=[(None, message)]), 409
    flash("The words are corrected.", "success")
    return redirect(url_for("authoring.show", version_id=version.summary.id), 303)


@bp.get("/<uuid:version_id>/preview")
@guarded(load_version, policies.may_see_team_page)
def preview(version: VersionPage) -> ResponseReturnValue:
    """Try it out as somebody in a role; nothing of it is kept."""
    walk = Walk(version.published, _role(version, request.args.get("role", "")))
    return _preview(version, walk, walk.path.pages[0]) if walk.path.pages else _end(version, walk)


@bp.post("/<uuid:version_id>/preview")
@guarded(load_version, policies.may_see_team_page)
def preview_page(version: VersionPage) -> ResponseReturnValue:
    """The page after the one that was sent. Its answers come and go with the form, signed, and are kept nowhere."""
    role, code = _role(version, request.form.get("_role", "")), request.form.get("_page", "")
    walk, typed = Walk(version.published, role, _handed(version)), posted(request.form)
    if not walk.path.pages:
        return _end(version, walk)
    if "_back" in request.form:
        return _preview(version, walk, walk.before(code))
    try:
        walk = walk.answer(code, typed)
    except NotYet as problem:
        return _preview(
            version, walk, walk.path.pages[walk.number(code)], typed=typed, errors=problem.errors
        ), 422
    following = walk.after(code)
    return _preview(version, walk, following) if following else _end(version, walk)


@bp.route("/upload", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def upload() -> ResponseReturnValue:
    """Take changed files, and show what they would change; nothing is published yet."""
    form = UploadForm()
    if not form.validate_on_submit():
        return render_template("authoring/upload.html", form=form), 422 if form.errors else 200
    files = _files(form)
    if form.errors:
        return render_template("authoring/upload.html", form=form), 422
    return _proposal(authoring.propose(session(), files))


@bp.post("/publish")
@guarded(None, policies.may_run_programme)
def publish() -> ResponseReturnValue:
    """Publish what was shown. It is checked again, since it comes back from the browser."""
    bodies = request.form.getlist("body")[:FILES_AT_MOST]
    try:
        with work() as unit:
            made = authoring.publish(unit, bodies, request.form.getlist("seen"))
    except (Unsound, ChangedMeanwhile):
        files = [(f"file-{number}.json", body) for number, body in enumerate(bodies, start=1)]
        return _proposal(authoring.propose(session(), files), meanwhile=True)
    for code, number, new in made:
        flash(f"{code} {number} is published." if new else f"{code} {number} is in force already.", "success")
    return redirect(url_for("authoring.index"), 303)


def _typed(name: str) -> str:
    """A text of the wording form, as it is kept: no space around it, line ends as one character."""
    return request.form.get(name, "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _wording(
    version: VersionPage, part: str, form: WordingForm, *, errors: list[tuple[str | None, str]] | None = None
) -> str:
    words = authoring.words_of(version.published.questionnaire, part)
    beside = [(form[name].id, message[0]) for name, message in form.errors.items() if name in form]
    return render_template(
        "authoring/wording.html",
        version=version,
        part=part,
        form=form,
        words=words,
        typed={one.name: _typed(one.name) if request.method == "POST" else one.text for one in words},
        errors=(errors or []) + beside,
        faults={name: message for name, message in errors or [] if name},
        shared=corrections.shared_with(session(), version_id=version.summary.id, part=part),
    )


def _files(form: UploadForm) -> list[tuple[str, str]]:
    """The files that were sent, as texts; what can't be one is told on the form."""
    sent = [one for one in form.files.data or [] if one and one.filename]
    if not sent:
        form.refuse(form.files, "Choose a file")
    if len(sent) > FILES_AT_MOST:
        form.refuse(form.files, f"Choose {FILES_AT_MOST} files at most")
    files = []
    for one in sent[:FILES_AT_MOST]:
        data = one.stream.read(BYTES_AT_MOST + 1)
        try:
            files.append((one.filename, data.decode("utf-8-sig")))
        except UnicodeDecodeError:
            form.refuse(form.files, f"{one.filename} is not UTF-8 text")
        if len(data) > BYTES_AT_MOST:
            form.refuse(form.files, f"{one.filename} is bigger than {BYTES_AT_MOST // 1000} kB")
    return files


def _proposal(proposed: list[authoring.Proposed], *, meanwhile: bool = False) -> ResponseReturnValue:
    sound = bool(proposed) and not any(one.faults for one in proposed)
    page = render_template(
        "authoring/proposal.html",
        proposed=proposed,
        sound=sound,
        meanwhile=meanwhile,
        form=PublishForm() if sound else UploadForm(formdata=None),
    )
    return page, 409 if meanwhile else 200 if sound else 422


def _role(version: VersionPage, role: str) -> str:
    """A role that is asked; the first one where another was named."""
    asked = [one for one in ROLES if version.published.questionnaire.asks(one)]
    return role if role in asked else asked[0]


def _signer(version: VersionPage) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=f"preview-{version.summary.id}")


def _handed(version: VersionPage) -> dict[str, Any]:
    """The answers that the form handed on; none where they were tampered with."""
    try:
        return dict(_signer(version).loads(request.form.get("_answers", "")))
    except BadSignature:
        return {}


def _places(walk: Walk) -> dict[str, str]:
    return {"role": programme().roles[Role(walk.role)], "council": "your council", "session": "your session"}


def _preview(
    version: VersionPage,
    walk: Walk,
    stop: Stop,
    *,
    typed: Posted | None = None,
    errors: list[Cleaned] | None = None,
) -> str:
    places = _places(walk)
    return render_template(
        "authoring/preview.html",
        version=version,
        walk=walk,
        stop=stop,
        intro=fill(stop.intro, places),
        number=walk.number(stop.code) + 1,
        handed=_signer(version).dumps(dict(walk.answers)),
        errors=anchors(errors or []),
        fields=fields(
            stop.questions,
            role=walk.role,
            places=places,
            answers=walk.answers,
            typed=typed,
            errors=errors or [],
        ),
    )


def _end(version: VersionPage, walk: Walk) -> str:
    return render_template(
        "authoring/preview_end.html", version=version, walk=walk, told=walk.told(_places(walk))
    )
