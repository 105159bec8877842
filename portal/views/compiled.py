"""Templates once compiled, kept as Python keeps its own modules: compiling all takes thirty times as long as reading
them, and every process would do it anew for the first page of each kind.

They lie beside the modules' own, and what is not of the text that stands now is compiled again.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

FOLDER = Path(__file__).parents[1] / "__pycache__"


class CompiledTemplates(FileSystemBytecodeCache):
    """Where they cannot be kept or read, nobody is kept from a page.

    `keeps`: whether they are kept when a page needs them, as modules are when they are imported.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(str(folder), "template-%s.compiled")
        self.keeps = not sys.dont_write_bytecode

    def can_keep(self) -> bool:
        """Whether this process may write there."""
        folder = Path(self.directory)
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
        return folder.is_dir() and os.access(folder, os.W_OK)

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            # A power failure can leave a file cut short. The template is compiled anew.
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not self.keeps:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
