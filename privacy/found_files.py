"""What lies in clear beside backups and escrows, for whoever finds them in years: what it is, who opens it, and how.

It names nothing but the contract, and those whose certificates open it, as they call themselves in them.
"""

from collections.abc import Sequence
from datetime import datetime

from privacy.certificates import Certificate, as_openssl_shows
from privacy.clock import day_words, london, time_words

NAME = "READ-ME.txt"
_BACKUPS = """\
Backups of the portal of contract {contract}

data/         the database, a folder for each backup
keys/         the key store, a folder for each backup: it opens nothing without the keys of the portal
tombstones/   who has been erased, as numbers: a restore erases them again

A folder is called by a number, which rises, and the moment in UTC at which it was made. What is in it is sealed.
manifest.json beside it says what it holds.

WHO CAN OPEN IT

Whoever has the private key of a certificate that it was sealed to. Of the newest backup they are:

{readers}

The manifest of each backup names its own, by the same fingerprints without colons, under "readers".

WHAT ELSE IT TAKES

The keys of the portal: its key folder, or what an escrow opens to. They are not here, and must not be. Without them
nobody can read a name or a word in a backup. Nor are the settings and the programme file here.

HOW TO RESTORE IT

With the software of the portal, on a machine where it is installed and has no data yet, with the keys in its key
folder, in the folder of the software:

    .venv/bin/flask backup verify FOLDER --key PRIVATE-KEY.pem
    .venv/bin/flask backup restore FOLDER --key PRIVATE-KEY.pem

FOLDER is the one in which this file lies. Do not load a backup in another way: only a restore erases again whoever
was erased after it was made. The README of the software has more, under "Backups".
"""
_ESCROW = """\
Escrow of the keys of the portal of contract {contract}

{name}
made on {made}

It holds every key of the portal: {keys}.

Whoever has them and the database, or a backup of it, can read everything. If they are lost everywhere else, nothing
can be read without this file. Keep it in another place than the database, its backups and the key folder.

WHO CAN OPEN IT

Each of these alone, with the private key of their certificate:

{readers}

HOW TO PUT THE KEYS BACK

With the software of the portal, in its folder:

    .venv/bin/flask keys restore --escrow FILE --key PRIVATE-KEY.pem \\
      --certificate CERTIFICATE.pem --out FOLDER

FOLDER is then a key folder, for PORTAL_KEYS. Without the software, with OpenSSL 3.0 or newer:

    openssl cms -decrypt -inform DER -in FILE -inkey PRIVATE-KEY.pem

This prints a line for each key, in the form that PORTAL_KEYS_FD takes. The README of the software has more, under
"Keys".

IS IT THE FILE THAT WAS WRITTEN?

sha256sum FILE prints
{digest}
"""


def beside_backups(*, contract: str, to: Sequence[Certificate]) -> str:
    return _BACKUPS.format(contract=contract, readers=_readers(to))


def beside_escrow(
    *, contract: str, name: str, keys: Sequence[str], to: Sequence[Certificate], digest: str, now: datetime
) -> str:
    """`keys` are ids, `digest` the SHA-256 of the file."""
    return _ESCROW.format(
        contract=contract,
        name=name,
        made=f"{day_words(london(now))}, {time_words(now)} London time",
        keys=", ".join(keys),
        readers=_readers(to),
        digest=digest,
    )


def _readers(to: Sequence[Certificate]) -> str:
    """Each with its fingerprint, in lines short enough to be printed."""
    lines = []
    for one in to:
        shown = as_openssl_shows(one.fingerprint)
        half = len("AA:") * 16
        lines += [f"    {one.name}", f"      {shown[:half]}", f"      {shown[half:]}"]
    return "\n".join(lines)
