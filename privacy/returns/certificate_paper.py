"""The certificate of destruction as a paper: the same as its JSON form, for people."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from privacy.certificates import as_openssl_shows
from privacy.clock import day_words, london, london_date, time_words
from privacy.papers import Block, Paper, bullets, facts, heading, paragraph, table
from privacy.returns.stores import Method

METHODS: Mapping[Method, str] = {
    Method.DELETE: "deleted",
    Method.OVERWRITE: "written over, then deleted",
    Method.CRYPTO_ERASE: "its keys destroyed",
    Method.EXPIRY: "expires by itself",
    Method.NONE: "nothing of it was there",
    Method.THEIRS: "copies that people have of their own data stay theirs",
}
REHEARSAL = "REHEARSAL"
LEFT = (
    "Some rows are left that are under no legal hold. They have no name and no word in them. They are the audit trail, "
    "the records of this return, and what rows under a hold refer to."
)
VERIFY = (
    "openssl cms -verify -binary -inform DER -in {name}.p7s -content {name} -certfile signed-by.crt -nointern "
    "-noverify -out /dev/null"
)
GROUP = 8


def paper(found: Mapping[str, Any]) -> Paper:
    """The same for people."""
    issued = datetime.fromisoformat(found["issued_at"])
    ordinal = {1: "First certificate", 2: "Second certificate: the last backup has gone"}[found["number"]]
    return Paper(
        title=found["title"],
        sender=found["processor"],
        on=london_date(issued),
        to=[found["controller"]],
        references=[
            ("Contract", found["contract"]),
            ("Return", found["reference"]),
            ("Certificate", ordinal),
        ],
        mark=REHEARSAL if found["rehearsal"] else "",
        blocks=[
            *_opening(found),
            *_stores(found),
            *_numbers(found),
            *_left(found),
            *_closing(found),
            *_signed(found),
        ],
    )


def _opening(found: Mapping[str, Any]) -> list[Block]:
    return [
        paragraph(
            f"The personal data described here was destroyed on the written direction of the {found['controller']}. "
            "This certificate names nobody: people stand in it by their role or reference."
        ),
        heading("What it rests on"),
        facts(
            [
                ("What was destroyed", found["scope"]),
                ("Direction", f"{found['direction']}, {_day(found['directed_on'])}"),
                ("Authority to delete", found["authority"]),
                ("Who answered for it", ", ".join(found["answered_by"])),
                ("Digest of the package", _grouped(found["package"])),
                ("Digest of the receipt", _grouped(found["receipt"])),
                ("Done by", found["by"]),
                ("Seen by", found["witness"]),
            ]
        ),
    ]


def _grouped(digest: str | None) -> str:
    """A digest in groups, so that it fits into a line and can be read out."""
    if digest is None:
        return "Nothing was handed over"
    return " ".join(digest[start : start + GROUP] for start in range(0, len(digest), GROUP))


def _stores(found: Mapping[str, Any]) -> list[Block]:
    rows = [
        [
            f"{one['store']}: {one['holds']}",
            METHODS[Method(one["method"])]
            + (f" on {_day(one['expires_on'])}" if one.get("expires_on") else ""),
            _moment(one["at"]),
            " / ".join(filter(None, (one["by"], one["witness"], one.get("evidence")))) or "-",
        ]
        for one in found["stores"]
    ]
    return [
        heading("Every store"),
        table(["Store", "Method", "When", "By whom, seen by, proof"], rows, caption="Stores and methods"),
    ]


def _numbers(found: Mapping[str, Any]) -> list[Block]:
    rows = [[one["table"], str(one["before"]), str(one["after"])] for one in found["counts"]]
    rows.append(["data keys", str(found["data_keys"]["before"]), str(found["data_keys"]["after"])])
    keys = [[one["key"], one["fingerprint"], _moment(one["at"])] for one in found["keys_destroyed"]]
    blocks = [
        heading("Counts"),
        table(["Table", "Rows before", "Rows after"], rows, caption="Rows before and after"),
    ]
    if "files" in found["kept"]:
        blocks.append(paragraph(LEFT))
    if keys:
        blocks += [
            heading("Keys destroyed"),
            table(["Key", "Fingerprint", "When"], keys, caption="Keys by fingerprint"),
            paragraph(found["keys_kept"]),
        ]
    return blocks


def _left(found: Mapping[str, Any]) -> list[Block]:
    waits = [
        f"{one['what']}: until {_day(one['until'])}"
        if one["until"]
        else f"{one['what']}: when it can be reached"
        for one in found["outstanding"]
    ]
    rows = [
        [one["what"], str(one["rows"]), one["ground"], _day(one["review_on"])] for one in found["exceptions"]
    ]
    blocks = [heading("What is outstanding"), bullets(waits) if waits else paragraph("Nothing.")]
    if waits:
        blocks.append(paragraph("A second certificate follows when the last of it has gone."))
    blocks.append(heading("What stays under a legal hold"))
    if rows:
        head = ["What", "Rows", "Legal reason", "Looked at again on"]
        blocks.append(table(head, rows, caption="Exceptions"))
    else:
        blocks.append(paragraph("Nothing."))
    return blocks


def _closing(found: Mapping[str, Any]) -> list[Block]:
    kept, looked = found["kept"], found["verification"]
    files = [[name, what] for name, what in sorted(kept.get("files", {}).items())]
    blocks = [heading("What is kept without personal data")]
    if files:
        blocks.append(table(["File", "What it is"], files, caption="Files that are kept"))
    blocks.append(paragraph(kept["why"]))
    blocks.append(
        paragraph(
            f"The audit trail has {found['trail']['lines']} lines; the digest of the last is "
            f"{found['trail']['digest']}."
        )
    )
    blocks += [heading("How it was verified"), bullets(_verified(looked))]
    return blocks


def _signed(found: Mapping[str, Any]) -> list[Block]:
    """How whoever was handed the paper sees that it is ours: the signature lies beside it, not in it."""
    name = f"certificate-{found['number']}.pdf"
    return [
        heading("How it is signed"),
        paragraph(
            f"The signature of this paper is the file {name}.p7s, made with the key of the certificate signed-by.crt. "
            f"Its fingerprint is {as_openssl_shows(found['signer'])}"
            + (", the same as of the certificate that signed the package." if found["package"] else ".")
        ),
        paragraph("With OpenSSL 3.0 or newer, in the folder of these files, two commands check both:"),
        bullets(["openssl x509 -in signed-by.crt -noout -sha256 -fingerprint", VERIFY.format(name=name)]),
    ]


def _verified(looked: Mapping[str, Any]) -> list[str]:
    server = "" if looked.get("server") else " The files of the database server are on another machine."
    planted = f" and {looked['planted']} words planted for it" if looked["planted"] else ""
    return [
        f"Every row of {looked['tables']} tables was counted: none is left but what is listed above.",
        (
            f"{looked['files']} files, {looked['size']} bytes, were looked through for {looked['marks']} pieces "
            f"of what had been there{planted}. None was found.{server}"
        ),
        f"{looked['samples']} sealed values were kept back, and tried. None opens any more.",
        (
            f"{looked['texts']} texts that are kept were compared with every e-mail address, phone number and "
            "full name that had been held. None is in them. What they were compared with was destroyed afterwards."
        ),
    ]


def _moment(text: str | None) -> str:
    if not text:
        return "-"
    if len(text) == len("2024-03-31"):
        return _day(text)
    at = datetime.fromisoformat(text)
    return f"{day_words(london(at))}, {time_words(at)}"


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return day_words(day)
