"""Static files, served with hashed names and a year's life; WhiteNoise answers before the app."""

import hashlib
from pathlib import Path
from typing import Any

from whitenoise import WhiteNoise

SERVED = {".css", ".js", ".svg"}
A_YEAR = 365 * 24 * 3600


class MissingAsset(LookupError):
    """A page names a static file that set-up has not built."""


class Assets:
    """The files below a folder by their path there, such as `build/app.css`, and their hashed addresses."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        self._urls: dict[str, str] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix in SERVED:
                name = path.relative_to(folder).as_posix()
                digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
                self._files[name] = path
                self._urls[name] = f"/static/{name.removesuffix(path.suffix)}.{digest}{path.suffix}"

    def url(self, name: str) -> str:
        """The hashed address of a file. Raises MissingAsset."""
        try:
            return self._urls[name]
        except KeyError as error:
            raise MissingAsset(f"static/{name} is missing: run `make setup`") from error

    def wrap(self, wsgi_app: Any) -> WhiteNoise:
        """Serve the files before an app."""
        server = WhiteNoise(wsgi_app, max_age=A_YEAR, immutable_file_test=lambda path, url: True)
        for name, path in self._files.items():
            server.add_file_to_dictionary(self._urls[name], str(path))
        return server
