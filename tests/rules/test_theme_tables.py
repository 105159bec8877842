"""What a block says of what people wrote: people and not mentions, and quotes that give no small number away."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from surveys import theme_tables
from surveys.answer_tables import Sent
from surveys.disclosure import Kind, Protected, Rules, added, protect
from surveys.models import Mode, Wave
from surveys.questionnaires import load_definition
from surveys.results import Read, Row
from surveys.theme_tables import Allowed
from surveys.themes import Book, Theme
from surveys.versions import Published

RULES = Rules()
AT = datetime(2023, 1, 1, tzinfo=UTC)
POST = Published(id=uuid4(), code="post", number=1, questionnaire=load_definition("post"))
BOOK = Book(
    3, [Theme(code=code, label=code.capitalize(), definition=f"About {code}") for code in ("data", "time")]
)
TEXTS = ("impact_changed", "impact_part")


def sent(codes: str | None, *, role: str = "lead_member") -> Sent:
    """Somebody who gave an example: two texts, both sorted by these codes; None: nobody has read them."""
    row = Row(
        uuid4(), uuid4(), "R", uuid4(), role, Wave.POST, "once", uuid4(), Mode.SELF, None, AT, b"", None
    )
    answers = {"impact_have": "yes", **dict.fromkeys(TEXTS, "Data came in time")}
    given = {"codes": (codes or "").split(), "book": 3, "by": "x", "at": AT.isoformat()}
    themes = {} if codes is None else dict.fromkeys(TEXTS, given)
    return Sent(None, Read(row, POST, answers, frozenset(answers), [], themes), None)


def shown(people: Sequence[Sent]) -> Protected:
    table = theme_tables.table(people, BOOK, whom="leaders")
    assert table is not None
    return protect(table, RULES)


def allowed(one: Sent, text: str, *codes: str) -> Allowed:
    return Allowed(text=text, response_id=one.after.row.id, codes=codes)


def test_people_are_counted_and_not_mentions() -> None:
    people = [sent("data")] * 7 + [sent("data time")] * 8 + [sent("")] * 15
    table = theme_tables.table([sent("data") for _ in range(7)] + people[7:], BOOK, whom="leaders")
    assert table is not None
    assert (table.kind, table.base, [cell.code for cell in table.cells]) == (
        Kind.SEVERAL,
        30,
        ["data", "time"],
    )
    # Each of the 7 wrote two texts; the 8 are one person here, who counts once.
    assert [cell.count for cell in table.cells] == [8, 1]


def test_few_people_stand_in_no_theme_and_outside_of_none() -> None:
    people = [sent("data time") for _ in range(4)] + [sent("data") for _ in range(22)] + [sent("")]
    found = shown(people)
    assert not found.rows, "one wrote of something else, four of time"
    people += [sent("") for _ in range(9)]
    assert [(row.codes, row.count) for row in shown(people).rows] == [(("data",), 26), (("time",), None)]


def test_no_book_or_nothing_sorted_gives_no_table() -> None:
    assert theme_tables.table([sent("data")], Book(0, ()), whom="leaders") is None
    assert theme_tables.table([sent(None)], BOOK, whom="leaders") is None
    assert theme_tables.unsorted([sent(None), sent("data")]) == 2


def test_a_quote_stands_under_a_theme_only_where_its_number_is_shown() -> None:
    """Four quotes on a theme whose number is kept back would say that it is no less than four."""
    few = [sent("data time") for _ in range(4)]
    people = [*few, *(sent("data") for _ in range(22)), *(sent("") for _ in range(10))]
    quoted = theme_tables.quotes(
        people,
        [allowed(one, f"Quote {place}", "time", "data") for place, one in enumerate(few)],
        shown(people),
        RULES,
    )
    assert [one.codes for one in quoted] == [("data",)] * 4
    assert [
        one.codes for one in theme_tables.quotes(people, [allowed(few[0], "Q", "time")], None, RULES)
    ] == [()]


def test_a_role_stands_only_where_enough_of_the_block_have_it() -> None:
    chairs = [sent("data", role="scrutiny_chair") for _ in range(9)]
    members = [sent("data") for _ in range(10)]
    quotes = [allowed(members[0], "B"), allowed(chairs[0], "A"), allowed(sent("data"), "Of another block")]
    found = theme_tables.quotes([*chairs, *members], quotes, None, RULES)
    assert [(one.text, one.role) for one in found] == [("A", None), ("B", "lead_member")]
    assert "response_id" not in vars(found[0]), "whose it is stays here"


def test_a_theme_that_is_newer_than_a_block_is_added_up_with_a_note() -> None:
    earlier = shown([sent("data") for _ in range(15)] + [sent("") for _ in range(15)])
    later = Book(4, [*BOOK.themes, Theme(code="staff", label="Staff", definition="")])
    people = [sent("staff") for _ in range(12)] + [sent("") for _ in range(12)]
    table = theme_tables.table(people, later, whom="leaders")
    assert table is not None
    both = added([earlier, protect(table, RULES)])
    assert (both.base, both.count("data"), both.count("staff")) == (54, 15, 12)
    assert any("not asked of, or looked for in, all" in note for note in both.notes)
    assert not any("looked for" in note for note in added([earlier, earlier]).notes)
