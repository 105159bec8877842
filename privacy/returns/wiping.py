"""Files that go for good: written over where they lie, then removed.

On a disk that writes elsewhere (flash, snapshots, copy on write) the old blocks may last until they are used again:
what was in clear nowhere is then still sealed, and its keys are gone.
"""

import os
import stat
from pathlib import Path

from privacy.envelopes import PIECE_BYTES, sync_folder


def wipe(path: Path) -> int:
    """Write over a file and remove it, or remove a link; returns the bytes. Nothing there is nothing to do."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        path.unlink()
        return 0
    # Under two names the bytes would stay under the other one: written over, they go from both.
    path.chmod(0o600)
    with path.open("r+b") as file:
        left = found.st_size
        while left > 0:
            left -= file.write(os.urandom(min(left, PIECE_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)
    return found.st_size


def wipe_all(path: Path) -> int:
    """Wipe a file, or a folder with everything in it; returns how many files went. Links are not followed."""
    if path.is_symlink() or not path.is_dir():
        there = os.path.lexists(path)
        wipe(path)
        return int(there)
    gone = sum(wipe_all(one) for one in sorted(path.iterdir()))
    path.rmdir()
    sync_folder(path.parent)
    return gone
