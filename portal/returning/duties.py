"""What goes on while everything is frozen: the return itself, signing in, and what the law does not stop.

Requests about data and incidents are still taken in, passed on and answered (cl 13, 17.5); the trail, keys and
backups are kept. Everything else that would write is refused, on the next request and in the worker.
"""

from portal.cases import notices, suspicions
from portal.registers import audit_heads

AREAS = frozenset(
    {
        "access_review",
        "account",
        "case_files",
        "cases",
        "desk_tools",
        "duty",
        "home",
        "incidents",
        "instructions",
        "letters",
        "matches",
        "notices",
        "parking",
        "public_requests",
        "redactions",
        "registers",
        "return_stores",
        "returns",
        "searches",
        "self_service",
        "sub_processors",
        "suspicions",
        "your_data",
    }
)
"""The areas of the site that may write."""

REFUSED = frozenset({"your_data.details"})
"""Pages of these areas that change what goes back."""

SHOWN = frozenset({"account", "home", "parking", "public_requests", "your_data"})
"""The areas that those see whom the programme supports or who support others; elsewhere a plain page says why not."""

MAILS = frozenset(
    {"sign_in", "case_letter", "access_lapsing", "access_review", notices.TEMPLATE, notices.STUCK}
    | {suspicions.TEMPLATE, audit_heads.TEMPLATE}
)
"""The mails that still go."""


def may_write(endpoint: str | None) -> bool:
    """Whether what is sent to an endpoint may write while everything is frozen."""
    return (endpoint or "").partition(".")[0] in AREAS and endpoint not in REFUSED


def is_shown(endpoint: str | None) -> bool:
    """Whether people who are no staff see a page as ever while everything is frozen."""
    return (endpoint or "").partition(".")[0] in SHOWN and endpoint not in REFUSED | {"home.start"}
