"""Static files, served compressed, with hashed names and a year's life; WhiteNoise answers before the app.

Pages are not compressed, here or by a proxy: the size of a compressed page tells bit by bit what stands in it to
whoever can put words of their own beside it (BREACH), and pages hold answers and form tokens. A first view is light
enough without (tests/journeys/test_path.py weighs it).
"""

import gzip
import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from whitenoise import WhiteNoise
from whitenoise.responders import StaticFile

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
        server = WhiteNoise(wsgi_app, immutable_file_test=lambda path, url: True)
        server.FOREVER = A_YEAR
        for name, path in self._files.items():
            packed = _packed(path.read_bytes())
            server.add_file_to_dictionary(self._urls[name], str(path))
            (_, _, headers), *_ = server.files[self._urls[name]].alternatives
            server.files[self._urls[name]] = StaticFile(str(path), headers, encodings={"gzip": str(packed)})
        return server


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Of this process and its copies; it goes with it."""
    return tempfile.TemporaryDirectory(prefix="portal-assets-", ignore_cleanup_errors=True)


@cache
def _packed(content: bytes) -> Path:
    """A packed file of this content. Made anew at every start, so that none can be older than what it packs."""
    packed = Path(_folder().name) / f"{hashlib.sha256(content).hexdigest()}.gz"
    packed.write_bytes(gzip.compress(content, mtime=0))
    return packed
