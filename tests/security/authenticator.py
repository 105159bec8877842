"""A passkey's device inside Chromium, by the browser's own protocol: the whole of WebAuthn runs, without a finger."""

from playwright.sync_api import BrowserContext, Page

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Authenticator:
    """What a tablet with face or fingerprint is to a page."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self._cdp = context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        self._id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})["authenticatorId"]

    def count(self) -> int:
        """How many passkeys it holds."""
        return len(self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})["credentials"])

    def touch(self, *, at_once: bool) -> None:
        """Whether somebody touches it as soon as a page asks; a page then need not wait for a press."""
        self._cdp.send(
            "WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._id, "enabled": at_once}
        )

    def know(self, *, verified: bool) -> None:
        """Whether face, finger or PIN are right from now on."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": verified})
