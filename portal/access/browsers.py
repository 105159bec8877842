"""What a browser is called in the list of somebody's own devices, from a small vocabulary."""

# Order matters: Edge also says Chrome, and everything says Safari.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_MACHINES = (
    ("iPad", "iPad"),
    ("iPhone", "iPhone"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
)


def browser_words(user_agent: str) -> str:
    """Such as `Safari on iPad`. Nothing of what the browser sent is kept, so it cannot be used to trace anybody."""
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), "A browser")
    machine = next((f" on {name}" for mark, name in _MACHINES if mark in user_agent), "")
    return program + machine
