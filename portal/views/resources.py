"""Resources: the team keeps links and files and attaches them; people open them. Who opened what is not noted."""

from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.forms.base import Form
from portal.forms.programme import ConfirmForm
from portal.forms.resources import AttachForm, ChangeFileForm, ChangeLinkForm, LinkForm, NewFileForm
from portal.mailing.invitations import heading_of
from portal.models import PARTICIPANT, Package, Resource, ResourceKind, Role, Session, SessionKind
from portal.packages import lists as package_lists
from portal.resources import shelf as resources
from portal.resources import shelves
from portal.resources.file_kinds import BYTES_AT_MOST, KINDS, FileRefused
from portal.resources.shelf import WORDS, ResourceRefused, file_name
from portal.resources.shelves import Shown
from portal.views import searches_kept
from portal.views.context import current_actor, programme, work
from portal.views.context import session as db
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_package, load_resource, load_session

bp = Blueprint("resources", __name__)
Word = TypeVar("Word", bound=StrEnum)

LARGE = frozenset({"resources.new_file", "resources.edit"})
ROOM_FOR_FIELDS = 64 * 1024


def allow_large_files() -> None:
    """Let the forms that take a file have one of 10 MB; every other body stays small."""
    if request.endpoint in LARGE and current_actor() is not None:
        request.max_content_length = BYTES_AT_MOST + ROOM_FOR_FIELDS


@bp.route("/team/resources", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    if request.method == "POST":
        return searches_kept.to_results()
    asked: dict[str, Any] = {
        "text": searches_kept.words(),
        "kind": _word(ResourceKind, "kind"),
        "role": _word(Role, "role"),
        "session_kind": _word(SessionKind, "session_kind"),
        "retired": request.args.get("retired") == "yes",
    }
    return render_template(
        "resources/index.html",
        found=resources.listing(db(), **asked),
        asked=asked,
        words=WORDS,
        participant=PARTICIPANT,
    )


@bp.route("/team/resources/new-link", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new_link() -> ResponseReturnValue:
    form = LinkForm(crown=False)
    form.offer(programme())
    if form.validate_on_submit():
        try:
            with work() as unit:
                resources.add_link(unit, described=form.described, link=form.link.data or "")
        except ResourceRefused as problem:
            form.refuse(form.link, problem)
        else:
            return _done("The link is kept.")
    return render_template("resources/new.html", form=form, is_file=False), 422 if form.errors else 200


@bp.route("/team/resources/new-file", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new_file() -> ResponseReturnValue:
    form = NewFileForm(crown=True)
    form.offer(programme())
    if form.validate_on_submit():
        try:
            with work() as unit:
                resources.add_file(unit, described=form.described, content=form.file.data.read())
        except FileRefused as problem:
            form.refuse(form.file, problem)
        else:
            return _done("The file is kept.")
    return render_template("resources/new.html", form=form, is_file=True), 422 if form.errors else 200


@bp.route("/team/resources/<uuid:resource_id>", methods=["GET", "POST"])
@guarded(load_resource, policies.may_see_team_page)
def edit(known: Shown) -> ResponseReturnValue:
    resource_id, is_file = known.resource.id, known.resource.file_kind is not None
    form = ChangeFileForm(**_now(known.resource)) if is_file else ChangeLinkForm(**_now(known.resource))
    form.offer(programme())
    if form.validate_on_submit():
        try:
            with work() as unit:
                resources.change(unit, resource_id=resource_id, described=form.described, **_given(form))
        except (ResourceRefused, FileRefused) as problem:
            form.refuse(form.file if is_file else form.link, problem)
        else:
            return _done("The resource is changed.")
    packages, sessions = shelves.places_of(db(), resource_id)
    return render_template(
        "resources/edit.html",
        form=form,
        resource=known.resource,
        kinds=KINDS,
        packages=packages,
        sessions=sessions,
        called=package_lists.called,
        heading_of=lambda held: heading_of(held, programme()),
    ), 422 if form.errors else 200


@bp.post("/team/resources/<uuid:resource_id>/retire")
@guarded(load_resource, policies.may_see_team_page)
def retire(known: Shown) -> ResponseReturnValue:
    resource_id = known.resource.id
    with work() as unit:
        resources.retire(unit, resource_id=resource_id)
    return _done("It is retired. Where it is attached, it stays.")


@bp.post("/team/resources/<uuid:resource_id>/offer-again")
@guarded(load_resource, policies.may_see_team_page)
def offer_again(known: Shown) -> ResponseReturnValue:
    resource_id = known.resource.id
    with work() as unit:
        resources.offer_again(unit, resource_id=resource_id)
    return _done("It is offered again.")


@bp.route("/team/resources/<uuid:resource_id>/delete", methods=["GET", "POST"])
@guarded(load_resource, policies.may_see_team_page)
def delete(known: Shown) -> ResponseReturnValue:
    form, resource_id = ConfirmForm(), known.resource.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                resources.remove(unit, resource_id=resource_id)
        except ResourceRefused as problem:
            form.refuse(None, problem)
        else:
            return _done("The resource is deleted.")
    return render_template(
        "resources/delete.html", form=form, resource=known.resource
    ), 409 if form.errors else 200


@bp.route("/team/packages/<uuid:package_id>/resources", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def of_package(package: Package) -> ResponseReturnValue:
    attached = {
        one.id
        for one in shelves.of_package(db(), package.id)
        if any(use.package_id == package.id for use in one.uses)
    }
    package_id, called = package.id, package_lists.called(package)
    return _attach(
        attached,
        called=called,
        back=url_for("packages.show", package_id=package_id),
        address=url_for("resources.of_package", package_id=package_id),
        package_id=package_id,
    )


@bp.route("/team/sessions/<uuid:session_id>/resources", methods=["GET", "POST"])
@guarded(load_session, policies.may_see_team_page)
def of_session(held: Session) -> ResponseReturnValue:
    attached = {
        one.id
        for one in shelves.of_session(db(), held, roles=None)
        if any(use.session_id == held.id for use in one.uses)
    }
    session_id, called = held.id, heading_of(held, programme())
    return _attach(
        attached,
        called=called,
        back=url_for("bookings.session", session_id=session_id),
        address=url_for("resources.of_session", session_id=session_id),
        session_id=session_id,
    )


@bp.get("/resources/<uuid:resource_id>/file")
@guarded(load_resource, policies.may_open_resource)
def download(known: Shown) -> ResponseReturnValue:
    """The file as a download under a name of ours; a browser shows none of it in place."""
    content = resources.content_of(db(), known.resource)
    if content is None or known.resource.file_kind is None:
        abort(404)
    answer = Response(content, content_type=KINDS[known.resource.file_kind].media_type)
    attach(answer, file_name(known.resource))
    return answer


def _attach(
    attached: set[UUID],
    *,
    called: str,
    back: str,
    address: str,
    package_id: UUID | None = None,
    session_id: UUID | None = None,
) -> ResponseReturnValue:
    form = AttachForm(data={"resources": [str(one) for one in attached]})
    offered = [
        one
        for retired in (False, True)
        for one in resources.listing(db(), retired=retired)
        if one.id in attached or not retired
    ]
    form.offer(offered)
    if form.validate_on_submit():
        try:
            with work() as unit:
                resources.attach(unit, resource_ids=form.chosen, package_id=package_id, session_id=session_id)
        except ResourceRefused as problem:
            form.refuse(form.resources, problem)
        else:
            flash("The resources are saved.")
            return redirect(back, 303)
    return render_template(
        "resources/attach.html", form=form, called=called, back=back, address=address
    ), 422 if form.errors else 200


def _now(resource: Resource) -> dict[str, Any]:
    return {
        "title": resource.title,
        "about": resource.about,
        "kind": resource.kind,
        "roles": resource.roles,
        "session_kinds": resource.session_kinds,
        "crown": resource.crown,
        **({"link": resource.link} if resource.file_kind is None else {}),
    }


def _given(form: Form) -> dict[str, Any]:
    if "link" in form:
        return {"link": form["link"].data}
    sent = form["file"].data
    return {"content": sent.read() or None} if sent else {}


def _word(vocabulary: type[Word], name: str) -> Word | None:
    value = request.args.get(name, "")
    return vocabulary(value) if value in set(vocabulary) else None


def _done(said: str) -> ResponseReturnValue:
    flash(said)
    return redirect(url_for("resources.index"), 303)
