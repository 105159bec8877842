"""What the demo's people say: made up, plain, and such as leaders do say. `{month}` is a month before they answer."""

from typing import NamedTuple

from portal.models import CORPORATE, Role


class Story(NamedTuple):
    """An example of impact, as the post questionnaire asks for it."""

    changed: str
    better_for: tuple[str, ...]
    when: str
    evidence: tuple[str, ...]
    part: str


POLITICAL_STORIES = (
    Story(
        "I used to get a data pack of 60 pages the night before. Now I get two pages a week ahead, with the "
        "five measures that worry us most and what is being done about each. Meetings are about children now, "
        "not about the pack.",
        ("leaders", "own_work", "families"),
        "Since {month}",
        ("decision", "staff"),
        "I asked the director to try it for three months. My mentor showed me what other councils use and sat "
        "with me while I drafted the first list of measures.",
    ),
    Story(
        "Children in care had no way to reach councillors. Four of them now come to the Corporate Parenting "
        "Board, set half of its agenda, and hear back within a month what was done.",
        ("care", "leaders"),
        "{month}, at the second meeting they came to",
        ("children", "decision"),
        "I met the young people first and asked what would make it worth coming. My mentor had done this "
        "before and warned me not to promise what we could not do.",
    ),
    Story(
        "We stopped blaming the budget for late education, health and care plans and looked at the waits "
        "week by week. Plans finished in time went from a third to more than half.",
        ("send",),
        "Between spring and {month}",
        ("data",),
        "I asked the same three questions at every meeting until there was an answer. The support taught me "
        "which three to ask.",
    ),
    Story(
        "The Leader, the chief executive, the director and I now meet every month with no papers, only about "
        "children's services. Two hard decisions on staffing were taken there that had waited for a year.",
        ("staff", "families"),
        "Since {month}",
        ("decision", "staff"),
        "I proposed the meeting after a session about how the four of us work together, and I keep it going.",
    ),
    Story(
        "Scrutiny recommendations used to vanish. We now keep a public list of every one, who has it and when "
        "it is due. Nine of the last eleven were done in time.",
        ("all_children", "leaders"),
        "{month}",
        ("decision", "data"),
        "I wrote the first list myself. My mentor read our old minutes with me and showed how little we had "
        "followed up.",
    ),
    Story(
        "I visit a front-line team each month and write down what they tell me. Out of that came a change to "
        "the rota of the duty team, and fewer families now wait over a weekend for a first visit.",
        ("families", "staff"),
        "Since {month}",
        ("seen", "staff", "data"),
        "Before the support I thought visits were a courtesy. We prepared each one together and talked about "
        "it afterwards.",
    ),
    Story(
        "Care leavers in our area can now get a council tax discount until they are 25, and a named person "
        "in housing. Both had been talked about for years.",
        ("care",),
        "From {month}",
        ("decision", "children"),
        "I brought it to Cabinet with the figures and with two young people. The coaching helped me to win "
        "over colleagues who feared the cost.",
    ),
    Story(
        "When inspectors came back they wrote that members now know the service well and ask good questions. "
        "A year earlier the letter had said the opposite.",
        ("all_children", "leaders"),
        "The visit in {month}",
        ("inspection",),
        "We practised with real case audits until I could say what a good assessment looks like.",
    ),
)

CORPORATE_STORIES = (
    Story(
        "I see the director every week with one page: caseloads, vacancies, drift, complaints. When caseloads "
        "rose in two teams we moved money within a fortnight instead of at the year's end.",
        ("staff", "families"),
        "Since {month}",
        ("data", "decision"),
        "I set up the weekly page after the second session. My mentor asked me each time what I had done "
        "about it.",
    ),
    Story(
        "Hiring a social worker took us 94 days from advert to start. It takes 41 now, and we have nine fewer "
        "agency staff.",
        ("staff", "families"),
        "By {month}",
        ("data",),
        "I took the process apart with our own teams. The support put me in touch with a council that had "
        "done it.",
    ),
    Story(
        "Every directorate now has one thing it does for children in care: apprenticeships in highways, free "
        "leisure passes, a named person in housing. Eleven young people have started work with us.",
        ("care",),
        "Since {month}",
        ("data", "children"),
        "I asked each director for one promise with a date. We had rehearsed that meeting in a session.",
    ),
    Story(
        "Finance and children's services argued over every placement. Now one panel looks at need first and "
        "cost second, and the forecast has held for four months.",
        ("care", "leaders"),
        "From {month}",
        ("data", "staff"),
        "I chair the panel. A visit to another council showed me how to run it so that practice leads.",
    ),
    Story(
        "Our improvement board used to be a long reading of reports. It is half as long, has families in the "
        "room, and ends with three decisions. The last monitoring visit called it sharper.",
        ("leaders", "families"),
        "{month}",
        ("inspection", "decision"),
        "I changed the agenda and the chairing. My mentor watched one meeting and was frank about it.",
    ),
    Story(
        "Staff told us that they did not believe senior leaders knew their work. After I spent a day with each "
        "team, the share who say leaders understand it went from 28 to 57 in a hundred.",
        ("staff",),
        "In the survey of {month}",
        ("staff", "seen"),
        "The days with teams were my mentor's idea. I kept to them when the diary said no.",
    ),
)

COMMITTEE_STORIES = (
    Story(
        "We look at one subject in depth instead of eight in passing. After our day on children who go missing "
        "the police and the council agreed one form and one meeting a day.",
        ("families", "care"),
        "{month}",
        ("decision", "staff"),
        "I suggested the subject and read the case audits. The workshop on good questions shaped the day.",
    ),
    Story(
        "Parents of children with SEND spoke first at our last two meetings. The letters that families get "
        "have been rewritten because of what they said.",
        ("send",),
        "Since {month}",
        ("children", "decision"),
        "I asked the parent carer forum and made sure that they heard back.",
    ),
    Story(
        "I can read the data now. I saw that our average hid two areas with long waits, asked why, and one of "
        "them has had an extra worker since.",
        ("families", "own_work"),
        "{month}",
        ("data",),
        "The workshop used our own figures, so I knew what to look for.",
    ),
    Story(
        "We check what happened to our recommendations before we make new ones. Six old ones have been done "
        "since we began.",
        ("all_children", "leaders"),
        "Since {month}",
        ("decision",),
        "Three of us keep the list between meetings. The idea came from the second workshop.",
    ),
    Story(
        "The board meets in a youth centre, after school. Twice as many young people come, and bus passes for "
        "care leavers were agreed there and then.",
        ("care",),
        "From {month}",
        ("children", "seen"),
        "I offered to host it. The workshop gave us the courage to try.",
    ),
)

WEAK_STORY = Story(
    "We have agreed a new plan for early help, and it should make a difference next year.",
    ("families",),
    "{month}",
    ("decision",),
    "I backed the plan at Cabinet.",
)

NO_EXAMPLE = (
    "It is too early to say. We lost two senior managers in the middle of it, and much of our time went into that.",
    "The sessions were good, but the election took up the months in which I would have used them.",
)

WANTED = (
    "Somebody to think aloud with who has done this job and is not from here.",
    "To be able to tell whether the data I am shown is good news or not.",
    "Honest feedback on how I chair, and on what I miss.",
    "How other councils got from inadequate to good, and what their leaders did themselves.",
    "Confidence to challenge senior officers without making an enemy of them.",
    "A better grasp of SEND. I know social care far better.",
)

HARDEST = (
    "Time. The papers are long and the meetings are short.",
    "Staff turnover. We have had three heads of service in two years.",
    "Knowing what is really going on between inspections.",
    "Keeping children on the agenda when the budget takes up all the air.",
    "Waiting times for plans, and looking parents in the eye.",
    "I came in after the election and am still learning the words.",
)

USEFUL = (
    "Working on my own papers and meetings. Next time I would start the group workshop earlier.",
    "My mentor had sat in my chair. A session in the evening now and then would have helped.",
    "The visit to another council. Less reading beforehand would be welcome.",
    "Being asked hard questions in private before I was asked them in public.",
)

NEXT = (
    "Ask for the figures by area, not only the average",
    "Meet the duty team before the next Cabinet",
    "Send the committee's three questions to the director a week ahead",
    "Start each meeting with what a child or parent has told us",
)

BETTER = (
    "A bit more time for questions.",
    "Use an example from a council of our size.",
    "Nothing. It was what I needed.",
)

VERDICT_NOTES = {
    "accepted": (
        "Says what changed, for whom, and what shows it. The leader's own part is clear.",
        "A real change with evidence from outside the leader's own view.",
        "Small but real, and it has lasted.",
    ),
    "partly": ("The change is real. What shows it rests on one meeting: ask again in three months.",),
    "not_yet": ("A plan rather than a change. Nothing shows an effect so far.",),
}


def stories_for(role: Role) -> tuple[Story, ...]:
    """The examples that somebody in this role could give."""
    if role is Role.COMMITTEE_MEMBER:
        return COMMITTEE_STORIES
    return CORPORATE_STORIES if role in CORPORATE else POLITICAL_STORIES


STRONGER = "We ask to see the same five measures each quarter, and two services have changed how they report."
