"""The way in: `flask` finds `app` here, the server calls `application`."""

import gc
import os
import sys
from pathlib import Path

# What is made while starting stays: looking through it for garbage costs a sixth of the start.
gc.disable()

from portal import logs  # noqa: E402
from portal.app import create_app, open_app, show_closed  # noqa: E402
from portal.instance import InstanceClosed  # noqa: E402
from portal.settings import Settings, SettingsFaults  # noqa: E402

try:
    app = create_app(Settings.from_environ(os.environ, root=Path(__file__).resolve().parent))
except SettingsFaults as faults:
    sys.exit("\n".join(f"setting: {fault}" for fault in faults.faults))

gc.freeze()
gc.enable()


def application():  # type: ignore[no-untyped-def]  # what the server gets is a WSGI callable
    """The app with its instance open, for the server; of a closed one, what shows the closing page."""
    logs.configure()
    if "instance" in app.extensions:
        # A copy of the process that serves: it was opened there.
        return app
    try:
        open_app(app)
    except InstanceClosed:
        show_closed(app)
    return app
