"""What a return is called, step by step, where people read it; evidence in words is in portal/returning/page.py."""

from collections.abc import Mapping
from dataclasses import dataclass

from privacy.returns.course import LABELS, ReturnKind, Step, Wanted

KINDS: Mapping[ReturnKind, str] = {
    ReturnKind.FULL: "The contract ends on its last day",
    ReturnKind.EARLY: "The contract is ended early",
    ReturnKind.PARTIAL: "Part of the data: one council or one person",
}
WANTED: Mapping[Wanted, str] = {
    Wanted.BOTH: "Return the data, then delete every copy here",
    Wanted.RETURN: "Return the data; the copies here are deleted when the Department writes again",
    Wanted.DELETE: "Delete the data; nothing is handed over",
}
HOW: Mapping[str, str] = {
    "download": "Downloaded here, and sent by a way that the Department named",
    "media": "On a disk or stick, by hand",
    "transfer": "Through a transfer service of the Department",
}
ENDED: Mapping[str, str] = {
    "notice": "With at least 3 months' notice",
    "at_once": "With immediate effect",
}


@dataclass(frozen=True)
class Words:
    """A step to people: what it is called, the button that does it, and what to know before."""

    label: str
    button: str = ""
    before: str = ""


STEPS: Mapping[Step, Words] = {
    Step.DIRECTION: Words(LABELS[Step.DIRECTION]),
    Step.FINGERPRINT: Words(
        LABELS[Step.FINGERPRINT],
        "Confirm the fingerprint",
        "Ring the Department, on a number that did not come with the certificate. Have its fingerprint read out, "
        "and type what you hear. Two people do this, each with a call of their own.",
    ),
    Step.TEST_VOLUME: Words(
        LABELS[Step.TEST_VOLUME],
        "Make the test volume",
        "A small file with a code in it, sealed like the package will be. Send it to the Department. "
        "It opens it and tells you the code.",
    ),
    Step.TEST_READ_BACK: Words(
        LABELS[Step.TEST_READ_BACK],
        "Check the code",
        "Type the code that the Department found in the test volume. It shows that it can open the package.",
    ),
    Step.FREEZE: Words(
        LABELS[Step.FREEZE],
        "Freeze",
        "From then on nothing can be changed here. People see a plain page that says so. Requests about data and "
        "incidents are still taken in. Only withdrawing this return ends the freeze.",
    ),
    Step.BUILD: Words(LABELS[Step.BUILD], "", "Whoever runs the machine gives this command:"),
    Step.VERIFY: Words(LABELS[Step.VERIFY], "", "Whoever runs the machine gives this command:"),
    Step.HAND_OVER: Words(
        LABELS[Step.HAND_OVER],
        "Note that it was handed over",
        "Download it here, once, or take the folder from the machine on a disk. Then note how it went to the "
        "Department, and who took it.",
    ),
    Step.RECEIPT: Words(
        LABELS[Step.RECEIPT],
        "Check the receipt",
        "The Department signs one line, with the digest of the package, with the key of its certificate. The "
        "signature is checked before anything else can happen.",
    ),
    Step.AUTHORITY: Words(
        LABELS[Step.AUTHORITY],
        "Answer for it",
        "The Department's letter says that the data here may be deleted. Two people read it: one enters it, "
        "another one confirms it.",
    ),
    Step.DESTROY: Words(
        LABELS[Step.DESTROY],
        "Answer for destroying the data",
        "Two people answer for it. Then whoever runs the machine gives the command below. What it destroys cannot "
        "be brought back.",
    ),
    Step.VERIFIED: Words(
        LABELS[Step.VERIFIED], "", "The command that destroys also verifies. If it stopped:"
    ),
    Step.CERTIFICATE: Words(
        LABELS[Step.CERTIFICATE], "", "The command that destroys also writes the certificate. If it stopped:"
    ),
    Step.LAST_BACKUP: Words(
        LABELS[Step.LAST_BACKUP],
        "",
        "The portal writes the second certificate itself, once the last backup has expired.",
    ),
}

COMMANDS: Mapping[Step, str] = {
    Step.BUILD: "flask return build --certificate CERTIFICATE.pem --out FOLDER",
    Step.VERIFY: "flask return verify FOLDER",
    Step.DESTROY: "flask return destroy --receipt RECEIPT.p7s",
    Step.VERIFIED: "flask return destroy --receipt RECEIPT.p7s",
    Step.CERTIFICATE: "flask return destroy --receipt RECEIPT.p7s",
}
"""Steps that take the machine: the command for each."""

SIGNING = (
    "openssl cms -sign -binary -in receipt.txt -signer CERTIFICATE.pem -inkey KEY.pem -outform DER "
    "-out receipt.p7s"
)
"""What the Department runs to sign the receipt."""
