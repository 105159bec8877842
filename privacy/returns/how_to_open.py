"""The page that lies beside the volumes: how to open a package with programs that are everywhere. It names nobody."""

from collections.abc import Sequence

from privacy.certificates import as_openssl_shows

NAME = "HOW-TO-OPEN.txt"
_TEXT = """\
{mark}How to open this package

It holds the data of contract {contract}. It is sealed: only the private key of a certificate that it was sealed to
opens it. You need OpenSSL 3.0 or newer. Write the path of your private key where YOUR-KEY.pem stands, and run these
four commands in this folder. On Windows, Git Bash is a place where they work: it brings OpenSSL, sha256sum and unzip.

1. Is every file as it was written?

    sha256sum -c SHA256SUMS

2. Was the package made by the contractor? Compare the fingerprint that this shows with the one that you were told by
   another way than this package. It must be
   {shown}

    openssl x509 -in signer.pem -noout -sha256 -fingerprint && \\
    openssl cms -verify -binary -inform DER -in package.json.p7s -content package.json \\
      -certfile signer.pem -nointern -noverify -out /dev/null

3. Open the sealed volumes. To open one takes about three times its size in memory.

    for volume in *.zip.cms; do
      openssl cms -decrypt -inform DER -in "$volume" -inkey YOUR-KEY.pem -out "../${{volume%.cms}}" \\
        || rm -f "../${{volume%.cms}}"
    done

4. Unpack them, all into the same folder.

    for volume in ../*vol-*.zip; do unzip -q "$volume" -d ../opened && rm "$volume"; done

Then open ../opened/bag/data/readable/index.html in a browser. What is opened is in clear: keep it where nobody else
reads it. The volumes are: {volumes}

One command does all of this, and checks what is inside: every row counted, every reference, nobody who was erased. It
needs Python 3.9 or newer, and leaves nothing open if anything is wrong. The folder after --out must not be there yet.

    python3 verify_return.py . --fingerprint {fingerprint} --key YOUR-KEY.pem --out ../opened

To confirm that you have received it, sign the digest of package.json with the key of your certificate, and send
receipt.p7s back. Write both files elsewhere: this folder must stay as it is.

    sha256sum package.json > ../receipt.txt
    openssl cms -sign -binary -in ../receipt.txt -signer YOUR-CERTIFICATE.pem \\
      -inkey YOUR-KEY.pem -outform DER -out ../receipt.p7s
"""


def text(*, contract: str, fingerprint: str, volumes: Sequence[str], rehearsal: bool) -> str:
    return _TEXT.format(
        mark="REHEARSAL: made-up data, made to try this out.\n\n" if rehearsal else "",
        contract=contract,
        fingerprint=fingerprint,
        shown=as_openssl_shows(fingerprint),
        volumes=", ".join(volumes),
    )
