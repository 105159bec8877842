"""Lines to other machines: verified, and TLS 1.2 or newer.

How old is said here. A Python may leave it to the settings of the machine, as Debian 12's own does.
"""

import ssl

OLDEST = ssl.TLSVersion.TLSv1_2


def verified() -> ssl.SSLContext:
    """The context of a client: the server's certificate must be good for its name."""
    context = ssl.create_default_context()
    context.minimum_version = OLDEST
    return context
