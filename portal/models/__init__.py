"""The tables of the roof, by subject. Importing this makes every table of the product known."""

import privacy.audit
import privacy.backup_records
import privacy.registers
import privacy.rights
import privacy.safekeeping  # noqa: F401 - their tables must be known
import surveys.models  # noqa: F401 - its tables must be known
from portal.models.access import BrowserSession, SignIn
from portal.models.answers import ParkedForm, Reopening, Share
from portal.models.exports import Export
from portal.models.mail import InstanceFact, Mail, MailState
from portal.models.packages import (
    CallRequest,
    Goal,
    GoalState,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Strand,
)
from portal.models.people import (
    CORPORATE,
    PARTICIPANT,
    POLITICAL,
    STAFF,
    Council,
    CouncilFact,
    CouncilKind,
    Fact,
    Ground,
    Office,
    Person,
    Role,
)
from portal.models.sessions import (
    Attendance,
    AttendanceState,
    Hours,
    Occupied,
    Offer,
    OfferState,
    Place,
    Session,
    SessionKind,
    SessionState,
)

__all__ = [
    "CORPORATE",
    "PARTICIPANT",
    "POLITICAL",
    "STAFF",
    "Attendance",
    "AttendanceState",
    "BrowserSession",
    "CallRequest",
    "Council",
    "CouncilFact",
    "CouncilKind",
    "Export",
    "Fact",
    "Goal",
    "GoalState",
    "Ground",
    "Hours",
    "InstanceFact",
    "Mail",
    "MailState",
    "Occupied",
    "Offer",
    "OfferState",
    "Office",
    "Package",
    "PackageMentor",
    "PackageState",
    "ParkedForm",
    "Participation",
    "Person",
    "Place",
    "Reopening",
    "Role",
    "Session",
    "SessionKind",
    "SessionState",
    "Share",
    "SignIn",
    "Strand",
]
