"""What the demo's mentors bring, in made-up words."""

ABOUTS = (
    "Led children's services from inadequate to good.\nI ask more than I tell.\nCalls at lunchtime suit me best.",
    "Lead Member for six years, through two inspections.\nI like to start with what keeps you awake.",
    "Twelve years as a chief executive.\nBring me the thing you cannot say in the office.",
    "Chaired scrutiny for a decade and enjoyed it.\nWe will practise questions until they are short.",
    "Former director of children's services.\nPatient with figures, impatient with jargon.",
)

PUBLIC_SECTOR = (
    "Twenty years in children's social care, nine of them as director",
    "Councillor since 2005, Lead Member for six years",
    "Chief executive of two councils",
    "Chair of scrutiny, then Leader of the Council",
)

ONE_TO_ONE = (
    "Has mentored eleven lead members since 2016",
    "Coached directors in three regions",
    "Peer adviser in four councils after their inspections",
)

SKILLS = (
    "Scrutiny, corporate parenting",
    "SEND, budgets, partnerships with health",
    "Improvement boards, recruitment of social workers",
)

COACHING = ("ILM level 7 in executive coaching", "", "EMCC practitioner", "")

INTERESTS = (
    "Chairs a charity that runs a children's home for this council",
    "A sister is head of service there",
)
