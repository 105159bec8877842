"""Passkeys (WebAuthn): what a browser is asked to sign, and whether it did.

User verification (face, fingerprint or PIN) is required, so a passkey proves possession and person at once. The name
and address of the portal stand in what is signed: a passkey does not work on a copy of the page elsewhere.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from privacy.later import Later

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import exceptions, structs
else:
    webauthn, helpers = Later("webauthn"), Later("webauthn.helpers")
    exceptions, structs = Later("webauthn.helpers.exceptions"), Later("webauthn.helpers.structs")

ANSWER_AT_MOST = 20_000
"""Characters of what a browser answers; real ones have about 2,000."""
TIMEOUT = 5 * 60 * 1000
"""Milliseconds that a browser waits for its person."""


class PasskeyRefused(Exception):
    """What the browser answered does not prove what it should."""


@dataclass(frozen=True)
class Site:
    """Where the portal is, as browsers know it."""

    name: str
    origin: str

    @property
    def rp_id(self) -> str:
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True)
class Made:
    """A new passkey: its id, its public key, and how often it says it was used."""

    credential: bytes
    public_key: bytes
    count: int

    def to_secret(self) -> dict[str, str]:
        return {
            "id": helpers.bytes_to_base64url(self.credential),
            "key": helpers.bytes_to_base64url(self.public_key),
        }


def creation_options(
    site: Site, *, person_id: UUID, address: str, name: str, challenge: bytes, known: Sequence[bytes]
) -> str:
    """What a browser needs to make a passkey, as JSON. `known` are those that the person has already."""
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=site.rp_id,
            rp_name=site.name,
            user_id=person_id.bytes,
            user_name=address,
            user_display_name=name,
            challenge=challenge,
            timeout=TIMEOUT,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
        )
    )


def request_options(site: Site, *, challenge: bytes, known: Sequence[bytes] = ()) -> str:
    """What a browser needs to sign with a passkey, as JSON. Without `known` it offers those it has for the portal."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=site.rp_id,
            challenge=challenge,
            timeout=TIMEOUT,
            allow_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
    )


def made(site: Site, answer: str, *, challenge: bytes) -> Made:
    """The passkey that a browser made. Raises PasskeyRefused."""
    try:
        found = webauthn.verify_registration_response(
            credential=_read(answer),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise PasskeyRefused(str(error)) from error
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def credential_in(answer: str) -> bytes:
    """Which passkey a browser says that it signed with. Raises PasskeyRefused."""
    try:
        return helpers.base64url_to_bytes(_read(answer)["rawId"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise PasskeyRefused(str(error)) from error


def signed(site: Site, answer: str, *, challenge: bytes, secret: dict[str, str], count: int) -> int:
    """The passkey's new count. Raises PasskeyRefused where the signature is not that of the key behind `secret`."""
    try:
        found = webauthn.verify_authentication_response(
            credential=_read(answer),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=helpers.base64url_to_bytes(secret["key"]),
            credential_current_sign_count=count,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise PasskeyRefused(str(error)) from error
    return found.new_sign_count


def credential_of(secret: dict[str, str]) -> bytes:
    return helpers.base64url_to_bytes(secret["id"])


def _read(answer: str) -> dict[str, str]:
    if len(answer) > ANSWER_AT_MOST:
        raise ValueError("too long")
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found
