"""The pipeline of packages by state, as a page and as a file."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies
from portal.councils import lists as council_lists
from portal.models import PackageState, Strand
from portal.packages import lists as package_lists
from portal.packages import pipeline
from portal.packages.pipeline import Pipeline
from portal.packages.strands import KINDS
from portal.views import files
from portal.views.context import programme, session, today
from portal.views.guards import guarded

bp = Blueprint("pipeline", __name__, url_prefix="/team/pipeline")


@bp.get("")
@guarded(None, policies.may_run_programme)
def index() -> ResponseReturnValue:
    return render_template(
        "pipeline/index.html",
        shown=_narrowed(),
        asked=request.args,
        regions=council_lists.regions(session()),
        states=list(PackageState),
        kinds=KINDS,
        called=package_lists.called,
    )


@bp.get("/list.csv")
@guarded(None, policies.may_run_programme)
def download() -> ResponseReturnValue:
    """The pipeline as it is narrowed, as a file."""
    shown = _narrowed()
    data = pipeline.as_csv(shown.packages, shown.ledgers, programme())
    return files.csv_file(data, f"pipeline-{today().isoformat()}")


def _narrowed() -> Pipeline:
    """What the address asks for; words that are none of the list's are passed over."""
    strand, state = request.args.get("strand", ""), request.args.get("state", "")
    return pipeline.pipeline(
        session(),
        programme(),
        strand=Strand(strand) if strand in set(Strand) else None,
        region=request.args.get("region", ""),
        state=PackageState(state) if state in set(PackageState) else None,
    )
