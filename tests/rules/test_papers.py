"""Papers are PDF/UA that can be read aloud, whatever people typed."""

from datetime import date
from io import BytesIO

import pytest
from pypdf import PdfReader

from privacy import papers
from privacy.papers import Paper, bullets, facts, heading, paragraph, table


def paper(*texts: str, mark: str = "") -> Paper:
    return Paper(
        title="Notice of a request",
        sender="Leadership support",
        on=date(2027, 2, 1),
        references=[("Contract", "con_9887"), ("Case", "C-7KX4M2")],
        to=["Department for Education"],
        mark=mark,
        blocks=[
            heading("What was asked"),
            *(paragraph(text) for text in texts),
            facts([("Received", "1 February 2027")]),
            bullets(["One", "Two"]),
            table(["Day", "What"], [["1 February 2027", "It came"]], caption="What happened"),
        ],
    )


def read(data: bytes) -> tuple[PdfReader, str]:
    reader = PdfReader(BytesIO(data))
    return reader, " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_it_is_tagged_and_names_its_title_and_language() -> None:
    reader, text = read(papers.render(paper("Send me all that you hold")))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value  # type: ignore[index]
    assert root["/Lang"] == "en-GB"  # type: ignore[index]
    assert "/StructTreeRoot" in root  # type: ignore[operator]
    assert reader.metadata is not None
    assert reader.metadata.title == "Notice of a request"
    assert b"pdfuaid:part" in reader.xmp_metadata.stream.get_data()
    for words in ("con_9887", "C-7KX4M2", "Send me all", "Received", "It came", "What happened", "Two"):
        assert words in text


@pytest.mark.parametrize(
    "typed",
    [
        "Cllr Niamh O’Shea-D'Arcy & Team",
        "Siân Ŵyn-Žák",
        '#eval("1") $x$ *bold* _it_ <tag> @ref \\u{41} // not a comment /* nor this */',
        "= no heading\n- no list\n+ nor this\n/ term: none",
        "`code` ``` block",
    ],
)
def test_what_was_typed_is_text_and_nothing_else(typed: str) -> None:
    _, text = read(papers.render(paper(typed)))
    assert " ".join(typed.split()) in text
    assert papers.REPLACEMENT not in text


@pytest.mark.parametrize("odd", ["\x00", "\x07", "\ue000", "\u0378", "\ud800"])
def test_what_cannot_be_printed_is_replaced_and_said(odd: str) -> None:
    _, text = read(papers.render(paper(f"Before{odd}after")))
    assert f"Before{papers.REPLACEMENT}after" in text
    assert papers.NOTE in text


MANY = "".join(chr(0x4E00 + number) for number in range(400))


@pytest.mark.parametrize("odd", [MANY, "Well 😀 done", "مريم العلي", "\u200b\u200e", "漢字かな", "𓀀"])
def test_no_letter_of_the_world_stops_a_paper(odd: str) -> None:
    _, text = read(papers.render(paper(f"Before {odd} after")))
    assert "Before" in text
    assert "after" in text


def test_long_papers_have_pages_and_a_mark_stands_out() -> None:
    reader, text = read(papers.render(paper(*["A sentence of some length. " * 40] * 20, mark="EXERCISE")))
    assert len(reader.pages) > 2
    assert text.startswith("EXERCISE")


def test_a_row_stays_with_its_name_and_what_is_too_long_for_a_page_goes_on() -> None:
    rows = [
        (f"Fact {number}", f"begun{number} " + "some words " * 60 + f"done{number}") for number in range(9)
    ]
    rows.append(("Long", "begun9 " + "some words " * 900 + "done9"))
    long = Paper(
        title="Facts",
        sender="Leadership support",
        on=date(2027, 2, 1),
        references=[("Contract", "con_9887")],
        blocks=[facts(rows)],
    )
    pages = [page.extract_text() for page in PdfReader(BytesIO(papers.render(long))).pages]
    places = [[number for number, text in enumerate(pages) if f"begun{row} " in text] for row in range(10)]
    ends = [[number for number, text in enumerate(pages) if f"done{row}" in text] for row in range(10)]
    assert places[:9] == ends[:9]
    assert ends[9] == [len(pages) - 1]
    assert ends[9] > places[9]


def test_each_page_says_what_it_is_of() -> None:
    reader, _ = read(papers.render(paper(*["A sentence of some length. " * 40] * 20, mark="EXERCISE")))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    for number, text in enumerate(pages, 1):
        assert f"Notice of a request Page {number} of {len(pages)}" in text
        assert text.count("EXERCISE") == 1
    assert "Leadership support, Contract: con_9887, Case: C-7KX4M2" not in pages[0], "its head says so"
    assert all("Leadership support, Contract: con_9887, Case: C-7KX4M2" in text for text in pages[1:])
