"""The way in: `flask` finds `app` here, the server calls `application`."""

import os
import sys
from pathlib import Path

from portal.app import create_app, open_app
from portal.settings import Settings, SettingsFaults

try:
    app = create_app(Settings.from_environ(os.environ, root=Path(__file__).resolve().parent))
except SettingsFaults as faults:
    sys.exit("\n".join(f"setting: {fault}" for fault in faults.faults))


def application():  # type: ignore[no-untyped-def]  # what the server gets is a WSGI callable
    """The app with its instance open, for the server."""
    open_app(app)
    return app
