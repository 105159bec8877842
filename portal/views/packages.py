"""Packages of support: the list, making one in two steps, one package, and what is done with it."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import filters, policies
from portal.councils import facts as council_facts
from portal.councils import partners, refusals
from portal.councils import register as councils
from portal.councils.qualifying import GROUNDS
from portal.forms.base import DatePartsField
from portal.forms.councils import AgreementForm
from portal.forms.packages import (
    EndForm,
    GoalForm,
    LeaveForm,
    MemberForm,
    MoveEndForm,
    PackageForm,
    StartForm,
    WaiveForm,
    WithdrawForm,
    member_of,
)
from portal.forms.programme import ConfirmForm, day
from portal.mailing import invitations
from portal.mailing import queue as mail
from portal.models import CouncilRefusal, Goal, GoalState, Package, PackageState, Participation, Strand
from portal.packages import acts as packages
from portal.packages import goals, pipeline
from portal.packages import lists as package_lists
from portal.packages import members as matching
from portal.packages import rows as package_rows
from portal.packages.states import PackageRefused
from portal.packages.strands import KINDS
from portal.people import directory
from portal.resources import shelves
from portal.results import package_timeline
from portal.views import files, searches_kept
from portal.views.context import clock_now, programme, session, the_actor, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_council, load_goal, load_member, load_package
from portal.views.numbers import page_asked
from portal.views.refusals import carry_out, status_of
from privacy.records import new_id

bp = Blueprint("packages", __name__, url_prefix="/team/packages")
Word = TypeVar("Word", bound=StrEnum)


@bp.route("", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    if request.method == "POST":
        return searches_kept.to_results()
    return render_template(
        "packages/index.html",
        found=_listing(page=page_asked()),
        text=searches_kept.words(),
        state=_word(PackageState, "state"),
        strand=_word(Strand, "strand"),
        kinds=KINDS,
        called=package_lists.called,
    )


@bp.get("/list.csv")
@guarded(None, policies.may_run_programme)
def download() -> ResponseReturnValue:
    """The list as it is narrowed, as a file."""
    found = _listing(page=None)
    data = pipeline.as_csv(found.packages, found.ledgers, programme())
    return files.csv_file(data, f"packages-{today().isoformat()}")


def _listing(*, page: int | None) -> package_lists.Listing:
    return package_lists.listing(
        session(),
        programme(),
        text=searches_kept.words("packages.index"),
        state=_word(PackageState, "state"),
        strand=_word(Strand, "strand"),
        page=page,
    )


@bp.route("/new", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def new() -> ResponseReturnValue:
    """The first step chooses strand and council, by GET; the second, with both in the address, makes it."""
    chosen = "council" in request.args
    start = StartForm(request.args if chosen else None, strand=request.args.get("strand"))
    start.offer(councils.live_or_coming(session(), on=today()))
    if not chosen:
        return render_template("packages/start.html", form=start)
    if not start.validate():
        return render_template("packages/start.html", form=start), 422
    return _second_step(Strand(start.strand.data), start.council_id)


@bp.route("/import", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def import_file() -> ResponseReturnValue:
    return files.file_page("packages/import.html", kind="packages", columns=package_rows.COLUMNS)


@bp.get("/import/first-line.csv")
@guarded(None, policies.may_run_programme)
def first_line() -> ResponseReturnValue:
    """A file of packages to fill in."""
    return files.to_fill_in("packages", package_rows.COLUMNS)


@bp.get("/<uuid:package_id>")
@guarded(load_package, policies.may_see_team_page)
def show(package: Package) -> ResponseReturnValue:
    shown = package_lists.package_page(session(), programme(), package, now=clock_now())
    return render_template(
        "packages/show.html",
        shown=shown,
        refused=_refused(package),
        timeline=package_timeline.picture(shown, programme(), today=today()),
        may_interview=lambda member: policies.may_interview(the_actor(), member),
        called=package_lists.called(package),
        partners=partners.of_package(session(), package),
        now=clock_now(),
        heading_of=lambda held: invitations.heading_of(held, programme()),
        mail_called=mail.called,
        resources=shelves.of_package(session(), package.id),
    )


@bp.route("/<uuid:package_id>/agree", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def agree(package: Package) -> ResponseReturnValue:
    form, package_id = AgreementForm(), package.id
    if form.validate_on_submit() and carry_out(
        form, lambda unit: packages.agree(unit, package_id=package_id, agreed=form.agreement)
    ):
        return _done("The agreement is recorded.", package_id)
    return render_template("packages/agree.html", form=form, package=package), status_of(form)


@bp.route("/<uuid:package_id>/invite", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def invite(package: Package) -> ResponseReturnValue:
    form, package_id = ConfirmForm(), package.id
    if form.validate_on_submit():
        count = carry_out(form, lambda unit: packages.invite(unit, package_id=package_id))
        if count is not None:
            people = "1 person" if count == 1 else f"{count} people"
            said = f"The invitation goes to {people}." if count else "They have the invitation already."
            return _done(said, package_id)
    waiting = package_lists.uninvited(session(), package_id)
    return render_template("packages/invite.html", form=form, package=package, waiting=waiting), status_of(
        form
    )


@bp.route("/<uuid:package_id>/waive", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def waive(package: Package) -> ResponseReturnValue:
    form, package_id = WaiveForm(), package.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: packages.waive_baseline(unit, package_id=package_id, reason=form.reason.data or ""),
    ):
        return _done("A first session can be booked without the questionnaire.", package_id)
    return render_template("packages/waive.html", form=form, package=package), status_of(form)


@bp.route("/<uuid:package_id>/end", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def end(package: Package) -> ResponseReturnValue:
    form, package_id = EndForm(on=today()), package.id
    asked = None
    if form.validate_on_submit():
        asked = carry_out(
            form,
            lambda unit: packages.end(unit, programme(), package_id=package_id, **form.ending),
            outside="on",
        )
    if asked is not None:
        return _done(_ended(asked, form), package_id)
    return render_template(
        "packages/end.html",
        form=form,
        package=package,
        ledger=packages.ledger(session(), programme(), package_id),
        unrecorded=package_lists.unrecorded(session(), package_id, now=clock_now()),
        heading_of=lambda held: invitations.heading_of(held, programme()),
        **_contract_leaves(form.on),
    ), status_of(form)


@bp.route("/<uuid:package_id>/end/move", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def move_end(package: Package) -> ResponseReturnValue:
    form, package_id = MoveEndForm(on=package.ends_on or today()), package.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: packages.move_end(unit, programme(), package_id=package_id, on=day(form.on)),
        outside="on",
    ):
        return _done(f"The end date is changed. The last questionnaire {_post_closes(form)}.", package_id)
    return render_template(
        "packages/move_end.html", form=form, package=package, **_contract_leaves(form.on)
    ), status_of(form)


@bp.route("/<uuid:package_id>/members/<uuid:participation_id>/end", methods=["GET", "POST"])
@guarded(load_member, policies.may_see_team_page)
def leave(part: Participation) -> ResponseReturnValue:
    form, package_id, part_id = LeaveForm(on=part.to_on or today()), part.package_id, part.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: packages.leave(
            unit, programme(), package_id=package_id, participation_id=part_id, on=day(form.on)
        ),
        outside="on",
    ):
        return _done(f"Their last day is saved. The last questionnaire {_post_closes(form)}.", package_id)
    return render_template("packages/leave.html", form=form, part=part), status_of(form)


@bp.route("/<uuid:package_id>/withdraw", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def withdraw(package: Package) -> ResponseReturnValue:
    form, package_id = WithdrawForm(), package.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: packages.withdraw(unit, package_id=package_id, reason=form.reason.data or ""),
    ):
        return _done("The package is withdrawn.", package_id)
    return render_template("packages/withdraw.html", form=form, package=package), status_of(form)


@bp.route("/<uuid:package_id>/goals", methods=["GET", "POST"], endpoint="goals")
@guarded(load_package, policies.may_see_team_page)
def add_goal(package: Package) -> ResponseReturnValue:
    form, package_id = GoalForm(goal_id=new_id()), package.id
    if form.validate_on_submit() and carry_out(
        form,
        lambda unit: goals.add_goal(
            unit, package_id=package_id, text=form.goals.data or "", goal_id=form.goal_id.id_to_make
        ),
    ):
        return _done("The goal is added.", package_id)
    return render_template("packages/goal.html", form=form, package=package), status_of(form)


@bp.post("/<uuid:package_id>/goals/<uuid:goal_id>")
@guarded(load_goal, policies.may_see_team_page)
def goal_state(goal: Goal) -> ResponseReturnValue:
    package_id, goal_id = goal.package_id, goal.id
    state = _word(GoalState, "state")
    try:
        with work() as unit:
            goals.set_goal_state(unit, package_id=package_id, goal_id=goal_id, state=state or GoalState.OPEN)
    except PackageRefused as problem:
        flash(str(problem), "notice")
        return redirect(url_for("packages.show", package_id=package_id), 303)
    return _done("The goal is changed.", package_id)


@bp.route("/<uuid:package_id>/members", methods=["GET", "POST"], endpoint="members")
@guarded(load_package, policies.may_see_team_page)
def add_member(package: Package) -> ResponseReturnValue:
    form, package_id = MemberForm(from_on=max(today(), package.starts_on)), package.id
    form.offer(programme(), directory.office_holders(session(), package.council_id, on=today()))
    if form.validate_on_submit():
        person_id, role = member_of(form.members.data)
        if carry_out(
            form,
            lambda unit: matching.add_member(
                unit, package_id=package_id, person_id=person_id, role=role, from_on=day(form.from_on)
            ),
        ):
            return _done("The member is added. Invite them next.", package_id)
    return render_template("packages/member.html", form=form, package=package), status_of(form)


def _second_step(strand: Strand, council_id: UUID | None) -> ResponseReturnValue:
    council = load_council(council_id) if council_id is not None else None
    agreement = council_facts.agreement(session(), council_id, on=today()) if council_id is not None else None
    form = PackageForm(package_id=new_id(), planned_days=Decimal(programme().minimum_days), starts_on=today())
    form.shape(strand=strand, ask_agreement=council is not None and agreement is None)
    offices = directory.office_holders(session(), council_id, on=today())
    form.offer(programme(), offices)
    if form.validate_on_submit():
        made = carry_out(
            form,
            lambda unit: packages.create(
                unit, programme(), strand=strand, council_id=council_id, **_filled(form)
            ),
        )
        if made is not None:
            flash("The package is made. Choose a mentor next.", "success")
            return redirect(url_for("matches.choose", package_id=made.id), 303)
    return render_template(
        "packages/new.html",
        form=form,
        strand=strand,
        council=council,
        agreement=agreement,
        refused=refusals.standing(session(), council_id) if council_id is not None else None,
        grounds=GROUNDS,
        offices=offices,
    ), status_of(form)


def _refused(package: Package) -> CouncilRefusal | None:
    """The refusal that a proposed package waits behind."""
    if package.state is not PackageState.PROPOSED or package.council_id is None:
        return None
    return refusals.standing(session(), package.council_id)


def _post_closes(form: EndForm | MoveEndForm | LeaveForm) -> str:
    """Until when the post questionnaire is open, and that the contract cuts it short where it does."""
    closes_on, clipped = packages.post_window_on(session(), programme(), day(form.on), today=today())
    return f"closes on {filters.day(closes_on)}" + (", when the contract ends" if clipped else "")


def _contract_leaves(field: DatePartsField) -> dict[str, Any]:
    """What the end of the contract leaves of the time for the post questionnaire, for the day in the form."""
    closes_on, clipped = packages.post_window_on(session(), programme(), field.data or today(), today=today())
    return {"closes_on": closes_on, "clipped": clipped}


def _filled(form: PackageForm) -> dict[str, Any]:
    days = form.planned_days.data or Decimal(0)
    return {
        "package_id": form.package_id.id_to_make,
        "members": form.chosen,
        "mentor_ids": [],
        "goals": form.goals,
        "planned_minutes": round(days * programme().minutes_in_day),
        "starts_on": day(form.starts_on),
        "title": form.title.data if "title" in form else None,
        "agreed": form.agreement_or_none,
    }


def _word(vocabulary: type[Word], name: str) -> Word | None:
    value = request.values.get(name, "")
    return vocabulary(value) if value in set(vocabulary) else None


def _ended(asked: int, form: EndForm) -> str:
    """What ending a package has set off."""
    if not asked:
        return "Support has ended. Nobody is asked the last questionnaire."
    return f"Support has ended. The last questionnaire is on its way, and {_post_closes(form)}."


def _done(said: str, package_id: UUID) -> Response:
    flash(said, "success")
    return redirect(url_for("packages.show", package_id=package_id), 303)
