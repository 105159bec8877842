"""The tables of the roof, by subject. Importing this makes every table of the product known."""

import privacy.audit
import privacy.backup_records
import privacy.cases.affected
import privacy.cases.letters
import privacy.cases.notices
import privacy.cases.redactions
import privacy.cases.tables
import privacy.chain_checks
import privacy.registers
import privacy.returns.stores
import privacy.returns.tables
import privacy.rights
import privacy.safekeeping  # noqa: F401 - their tables must be known
import surveys.models  # noqa: F401 - its tables must be known
from portal.models.access import BrowserSession, Level, SignIn
from portal.models.answers import ParkedForm, Reopening, Share
from portal.models.approvals import Approval, SecondAct
from portal.models.assistants import Delegation
from portal.models.calendars import Feed
from portal.models.councils import (
    CouncilRefusal,
    Neighbours,
    Partner,
    PartnerContact,
    PartnerKind,
    Review,
    Way,
)
from portal.models.delivery import Clearance, ClearanceKind, Interest, MentorChoice, MentorProfile
from portal.models.duty import Duty
from portal.models.exports import Export
from portal.models.factors import AddressChange, Factor, FactorKind, Guess
from portal.models.files import SentFile, SentFileState
from portal.models.groups import (
    Decision,
    GroupPlan,
    PassedOver,
    SessionPackage,
    Waiting,
    WaitingState,
)
from portal.models.limits import KeptSearch, LimitCount
from portal.models.mail import InstanceFact, Mail, Mailbox, MailState, Refusal
from portal.models.notes import GoalAct, GoalEvent, NoteKind, SessionNote
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
from portal.models.programme_notes import ProgrammeNote, ProgrammeNoteKind
from portal.models.registers import AccessDecision, Suspicion, SuspicionCause
from portal.models.resources import Resource, ResourceFile, ResourceKind, ResourceUse
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
from portal.models.times import Blackout, BookingLimit, HolidayChange, Leave
from portal.models.your_data import NoticeShown, PublicRequest

__all__ = [
    "CORPORATE",
    "PARTICIPANT",
    "POLITICAL",
    "STAFF",
    "AccessDecision",
    "AddressChange",
    "Approval",
    "Attendance",
    "AttendanceState",
    "Blackout",
    "BookingLimit",
    "BrowserSession",
    "CallRequest",
    "Clearance",
    "ClearanceKind",
    "Council",
    "CouncilFact",
    "CouncilKind",
    "CouncilRefusal",
    "Decision",
    "Delegation",
    "Duty",
    "Export",
    "Fact",
    "Factor",
    "FactorKind",
    "Feed",
    "Goal",
    "GoalAct",
    "GoalEvent",
    "GoalState",
    "Ground",
    "GroupPlan",
    "Guess",
    "HolidayChange",
    "Hours",
    "InstanceFact",
    "Interest",
    "KeptSearch",
    "Leave",
    "Level",
    "LimitCount",
    "Mail",
    "MailState",
    "Mailbox",
    "MentorChoice",
    "MentorProfile",
    "Neighbours",
    "NoteKind",
    "NoticeShown",
    "Occupied",
    "Offer",
    "OfferState",
    "Office",
    "Package",
    "PackageMentor",
    "PackageState",
    "ParkedForm",
    "Participation",
    "Partner",
    "PartnerContact",
    "PartnerKind",
    "PassedOver",
    "Person",
    "Place",
    "ProgrammeNote",
    "ProgrammeNoteKind",
    "PublicRequest",
    "Refusal",
    "Reopening",
    "Resource",
    "ResourceFile",
    "ResourceKind",
    "ResourceUse",
    "Review",
    "Role",
    "SecondAct",
    "SentFile",
    "SentFileState",
    "Session",
    "SessionKind",
    "SessionNote",
    "SessionPackage",
    "SessionState",
    "Share",
    "SignIn",
    "Strand",
    "Suspicion",
    "SuspicionCause",
    "Waiting",
    "WaitingState",
    "Way",
]
