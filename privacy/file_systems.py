"""Whether a folder lies on another machine, as far as this one tells: SQLite's files must not.

SQLite relies on locks between processes, and in WAL mode on memory that they share; over a network neither holds, and
a database is damaged without a word. Linux lists what is mounted where; on other systems, and behind names that are
not known here, nothing is told, and nothing refused.
"""

import re
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

NETWORK = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
    }
    | {"nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs", "wekafs"}
)
"""Kinds by which Linux knows file systems of other machines, of several at once, or of the one that this is a guest
of."""
OVER_FUSE = frozenset(
    {
        "blobfuse",
        "blobfuse2",
        "ceph",
        "ceph-fuse",
        "curlftpfs",
        "davfs",
        "davfs2",
        "gcsfuse",
        "glusterfs",
        "goofys",
    }
    | {"juicefs", "mfs", "moosefs", "mount-s3", "nfs", "rclone", "s3fs", "seaweedfs", "smbnetfs", "sshfs"}
    | {"vmhgfs-fuse"}
)
"""The same where a program shows them: what stands behind `fuse.`."""
_OCTAL = re.compile(r"\\([0-7]{3})")


class NotOnThisMachine(Exception):
    """A database file lies on a network file system; the message says which and what to do. Nothing was touched."""


@dataclass(frozen=True)
class Mount:
    """A place in the tree of folders, the kind of what is mounted there, and the options of that."""

    point: Path
    kind: str
    options: frozenset[str]

    @property
    def is_network(self) -> bool:
        if self.kind == "9p":
            # A sandbox shows its own disk in this way, over a descriptor; Windows' folders in its Linux look alike.
            return "trans=fd" not in self.options or any("drvfs" in one for one in self.options)
        over, _, program = self.kind.partition(".")
        return program in OVER_FUSE if over == "fuse" else self.kind in NETWORK


def mounts(text: str) -> list[Mount]:
    """What a table such as /proc/self/mountinfo lists, in its order. A line that cannot be read is passed over."""
    found = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        place, kind = left.split(), right.split()
        if len(place) < 5 or not kind:
            continue
        options = frozenset(kind[2].split(",")) if len(kind) > 2 else frozenset[str]()
        found.append(Mount(Path(_unescaped(place[4])), kind[0], options))
    return found


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def mount_of(path: Path, table: list[Mount]) -> Mount | None:
    """On which of them a path lies, there already or not: on the longest that leads to it, and of several at one place
    on the last, which hides the others."""
    where = path.resolve()
    covering = [mount for mount in table if where.is_relative_to(mount.point)]
    return max(reversed(covering), key=lambda mount: len(mount.point.parts), default=None)


def require_local(path: Path, *, table: Path = MOUNTS) -> None:
    """Raises NotOnThisMachine for a path on a network file system; passes where that cannot be told."""
    try:
        listed = mounts(table.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return
    found = mount_of(path, listed)
    if found is not None and found.is_network:
        raise NotOnThisMachine(
            f"{path} lies on a network file system ({found.kind}, mounted at {found.point}), where SQLite's files get "
            "damaged: name a folder on a disk of this machine (PORTAL_INSTANCE), or use PostgreSQL (DATABASE_URL, "
            "KEYSTORE_URL)"
        )
