"""Who and what the demo's programme is made of. Everything is made up: no real council, no real person."""

from typing import NamedTuple

from portal.models import Ground, Role


class Area(NamedTuple):
    """A made-up council: how it is called, the register's code of its kind, and its region."""

    name: str
    short_name: str
    kind: str
    region: str


REGIONS = (
    "North East",
    "North West",
    "Yorkshire and The Humber",
    "East Midlands",
    "West Midlands",
    "East of England",
    "London",
    "South East",
    "South West",
)

AREAS = (
    Area("Brackenshire County Council", "Brackenshire", "CTY", "West Midlands"),
    Area("Ashmere Metropolitan Borough Council", "Ashmere", "MD", "North West"),
    Area("Calderhythe Council", "Calderhythe", "UA", "Yorkshire and The Humber"),
    Area("Dunmarsh City Council", "Dunmarsh", "UA", "South East"),
    Area("London Borough of Inglemarsh", "Inglemarsh", "LBO", "London"),
    Area("Hallowshire County Council", "Hallowshire", "CTY", "South West"),
    Area("Greyholme Council", "Greyholme", "UA", "North East"),
    Area("Fenwater Council", "Fenwater", "UA", "East of England"),
    Area("Marlshire County Council", "Marlshire", "CTY", "East Midlands"),
    Area("Eddlesworth Metropolitan Borough Council", "Eddlesworth", "MD", "Yorkshire and The Humber"),
    Area("London Borough of Kingsmarrow", "Kingsmarrow", "LBO", "London"),
    Area("Pellow Bay Council", "Pellow Bay", "UA", "South West"),
    Area("Quernford Metropolitan Borough Council", "Quernford", "MD", "West Midlands"),
    Area("Ravenshire County Council", "Ravenshire", "CTY", "East of England"),
    Area("Saltwick Council", "Saltwick", "UA", "North East"),
    Area("Umberfell Metropolitan Borough Council", "Umberfell", "MD", "North West"),
    Area("Vennshire County Council", "Vennshire", "CTY", "South East"),
    Area("Jessop Vale Council", "Jessop Vale", "UA", "East Midlands"),
    Area("Netherwold Council", "Netherwold", "UA", "Yorkshire and The Humber"),
    Area("Oxmere City Council", "Oxmere", "UA", "South East"),
    Area("London Borough of Tarrowgate", "Tarrowgate", "LBO", "London"),
    Area("Wychmere Council", "Wychmere", "UA", "West Midlands"),
    Area("Yarrowmoor Metropolitan Borough Council", "Yarrowmoor", "MD", "North East"),
    Area("Larkwater Council", "Larkwater", "UA", "North West"),
)

# A bigger demo needs more councils than have a name above: these are put together.
FIRST_PARTS = (
    "Aldern", "Brindle", "Cobble", "Dapple", "Elder", "Finch", "Gosling", "Heron", "Ivel", "Juniper",
    "Kestrel", "Linnet", "Mallow", "Nettle", "Osier", "Plover", "Quillan", "Rowan", "Sorrel", "Teasel",
)  # fmt: skip
LAST_PARTS = (
    "hythe",
    "combe",
    "thorpe",
    "wick",
    "stead",
    "garth",
    "fold",
    "hurst",
    "mere",
    "beck",
    "holt",
    "croft",
)

# Names that have broken software before come first, so that every demo has them.
TRICKY_NAMES = (
    ("Siân Llŷr-Prŷs", "sian.llyr-prys"),
    ("Niamh O’Dowda", "niamh.odowda"),
    ("ليلى الحداد", "layla.alhaddad"),
    ("Ŵyn D'Arcy-Tŷ Gwyn", "wyn.darcy"),
    (
        "Anne-Marie Featherstonehaugh-Okonkwo-Bartholomew de Quincey-Vandersteen",
        "annemarie.featherstonehaugh",
    ),
    ("Łukasz Śliwiński", "lukasz.sliwinski"),
    ("Ng", "ng"),
)

GIVEN_NAMES = (
    "Amara", "Bronwen", "Callum", "Deepa", "Elias", "Farida", "Gareth", "Hannah", "Imran", "Joyce",
    "Kofi", "Leona", "Marcus", "Nadia", "Owen", "Priya", "Rhiannon", "Samuel", "Tamsin", "Usha",
    "Victor", "Wendy", "Yusuf", "Zofia", "Adaeze", "Bethan", "Colin", "Dorothy", "Esther", "Fergus",
    "Grace", "Harjit", "Isla", "Jerome", "Kathleen", "Lorna", "Mei", "Neville", "Oluwaseun", "Patrick",
    "Ruth", "Stella", "Tobias", "Verity", "Winston", "Xanthe", "Aled", "Beatriz", "Clive", "Delroy",
)  # fmt: skip

FAMILY_NAMES = (
    "Abernethy", "Bhatt", "Castellan", "Dunmore", "Eze", "Fairweather", "Gillow", "Hartshorn", "Iqbal",
    "Jellicoe", "Kaminska", "Lovelock", "Mbeki-Stone", "Nightingale", "Osei", "Penhaligon", "Quarshie",
    "Rainsford", "Sandhu", "Thackeray", "Underhill", "Vasquez", "Whitlock", "Yeboah", "Zielinski",
    "Applegarth", "Birtwhistle", "Chowdhury", "Delacroix", "Entwistle", "Fotheringay", "Goldsworthy",
    "Hollis", "Ibrahim", "Jephcott", "Kirkbride", "Lancing", "Merriweather", "Nwosu", "Ollerenshaw",
    "Pargeter", "Quillfeather", "Rasmussen", "Silverthorne", "Tremayne", "Ubani", "Venning", "Wolstenholme",
    "Yarwood", "Zaman", "Ashdown-Pike", "Bellweather", "Cotterill", "Dhillon", "Ekwueme", "Flintoff-Ray",
)  # fmt: skip

STAFF = (
    ("Margaret Ellison-Drake", "margaret.ellison@programme.example", Role.TEAM),
    ("Tunde Akinsola", "tunde.akinsola@programme.example", Role.TEAM),
    ("Carys Bevan-Hughes", "carys.bevan@programme.example", Role.TEAM),
    ("Ingrid Falkenberg", "data-protection.officer@programme.example", Role.DPO),
    ("Joel Achterberg", "deputy.officer@programme.example", Role.DPO),
    ("Rosalind Thwaite", "rosalind.thwaite@department.example", Role.OBSERVER),
    ("Desmond Carrick", "desmond.carrick@auditors.example", Role.AUDITOR),
    ("Parminder Gill-Osborne", "administrator@programme.example", Role.ADMINISTRATOR),
)

AGREED_WITH = "Rosalind Thwaite, contract manager at the Department"

EVIDENCE = {
    Ground.INADEQUATE: "Inspection report: judged inadequate overall",
    Ground.REQUIRES_IMPROVEMENT: "Inspection report: requires improvement to be good",
    Ground.SEND_STATEMENT: "Written statement of action after the local area SEND inspection",
    Ground.DECLINE: "Three monitoring visits found that caseloads and drift were getting worse",
}

GOALS = {
    Role.LEAD_MEMBER: (
        "Read the monthly data and ask about what it leaves out",
        "Meet children in care and care leavers every month, and report back what changed",
        "Build an honest working relationship with the director of children's services",
        "Understand what the law expects of a Lead Member",
    ),
    Role.COUNCIL_LEADER: (
        "Make children's services a regular item for the whole Cabinet",
        "Agree with the chief executive and the Lead Member who leads on what",
        "Know what inspectors would say about leadership if they came tomorrow",
    ),
    Role.SCRUTINY_CHAIR: (
        "Plan the year's scrutiny around what matters most to children",
        "Follow up what the committee asked for, and say so in public",
        "Bring the voices of families into committee meetings",
    ),
    Role.COMMITTEE_MEMBER: (
        "Ask fewer and sharper questions",
        "Know what good looks like in social care and SEND",
        "Follow each recommendation until it is done or dropped for a reason",
    ),
    Role.CHIEF_EXECUTIVE: (
        "Hold the director to account with challenge that helps",
        "Lead the whole council as a corporate parent",
        "Set up an improvement board that sees trouble early",
        "Keep experienced social workers",
    ),
    Role.CORPORATE_LEADER: (
        "Understand what drives the cost of placements, and what good spending looks like",
        "Make recruitment of social workers quicker",
        "See what my part of the council can do for care leavers",
    ),
}

GROUPS = (
    "Children and Young People Scrutiny Committee",
    "Corporate Parenting Board",
    "Cabinet",
    "Children's Services Scrutiny Panel",
    "Corporate Parenting Panel",
    "Education and Skills Scrutiny Committee",
    "Full council",
)

WORKSHOPS = (
    "What good looks like in children's social care",
    "Asking the questions that matter",
    "SEND: from meeting the law to excellent",
    "Being a corporate parent, together",
)

ROOMS = (
    "Town Hall, committee room 2",
    "County Hall, the Members' Library",
    "Civic Centre, meeting room 4",
    "The Guildhall, first floor",
)

# Weekly hours of mentors: weekday (0 is Monday) to spans in minutes of the day.
WEEKS: tuple[dict[int, tuple[tuple[int, int], ...]], ...] = (
    {0: ((540, 720), (780, 960)), 2: ((540, 720),), 3: ((780, 1020),), 4: ((540, 720),)},
    {1: ((570, 750), (810, 1020)), 3: ((570, 750),), 4: ((600, 720),)},
    {0: ((600, 780),), 1: ((600, 780),), 2: ((840, 1020),), 4: ((600, 780),)},
    {2: ((540, 720), (780, 1020)), 4: ((540, 720), (780, 1020))},
    {0: ((780, 1020),), 1: ((540, 720),), 3: ((540, 720), (780, 960))},
)

WITHDRAWN_REASON = (
    "The leader asked to wait until after the local elections, and the council did not come back."
)
SHORT_REASON = (
    "They left for a post in another council after three days of support. Their successor starts in spring "
    "and will be offered support of their own."
)
