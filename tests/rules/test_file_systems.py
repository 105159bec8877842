"""SQLite's files are refused on network file systems, as far as Linux tells where they lie."""

from pathlib import Path

import pytest

from portal.app import create_app, open_app
from portal.db import db
from portal.instance import InstanceFault, make
from portal.settings import Settings
from privacy import file_systems
from privacy.file_systems import mount_of, mounts, require_local
from tests.conftest import SetClock

MACHINE = r"""
22 27 0:21 / /proc rw,nosuid - proc proc rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 27 0:25 / /tmp rw - tmpfs tmpfs rw,size=1024k
40 27 0:40 / /srv/office rw,relatime - nfs4 10.0.0.2:/export rw,vers=4.2
41 27 0:41 / /srv/with\040space rw - cifs //server/share rw,user=portal
42 40 0:42 / /srv/office/local rw - xfs /dev/vdb rw
43 27 0:43 / /mnt/ssh rw - fuse.sshfs me@host:/ rw
44 27 0:44 / /mnt/encrypted rw - fuse.gocryptfs /home/me/plain rw
45 27 0:45 / /mnt/stick rw - fuseblk /dev/sdb1 rw
46 27 0:46 / /mnt/c rw,noatime - 9p C:\134 rw,aname=drvfs;path=C:\134,trans=fd,rfd=6,wfd=6
47 27 0:47 / /mnt/guest rw - 9p share rw,trans=virtio,version=9p2000.L
48 27 0:48 / /mnt/sandbox rw - 9p none rw,trans=fd,rfdno=4,wfdno=4,aname=/
49 27 0:49 / /var/lib/docker/merged rw - overlay overlay rw,lowerdir=/a,upperdir=/b
50 27 0:50 / /home rw - autofs /etc/auto.home rw,fd=7
51 50 0:51 / /home rw - nfs files:/home rw
52 27 0:52 / /mnt/lost rw - autofs
this line says nothing
"""


def kind_at(path: str) -> str:
    found = mount_of(Path(path), mounts(MACHINE))
    assert found is not None
    return f"{found.kind}{' refused' if found.is_network else ''}"


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/portal/instance/portal.sqlite", "ext4"),
        ("/tmp/instance", "tmpfs"),
        ("/srv/office", "nfs4 refused"),
        ("/srv/office/instance/portal.sqlite", "nfs4 refused"),
        ("/srv/office/local/instance", "xfs"),
        ("/srv/officer/instance", "ext4"),
        ("/srv/with space/instance", "cifs refused"),
        ("/mnt/ssh/instance", "fuse.sshfs refused"),
        ("/mnt/encrypted/instance", "fuse.gocryptfs"),
        ("/mnt/stick/instance", "fuseblk"),
        ("/mnt/c/instance", "9p refused"),
        ("/mnt/guest/instance", "9p refused"),
        ("/mnt/sandbox/instance", "9p"),
        ("/var/lib/docker/merged/instance", "overlay"),
        ("/home/officer/instance", "nfs refused"),
    ],
)
def test_where_a_file_lies(path: str, kind: str) -> None:
    assert kind_at(path) == kind


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What counts is where the file lies, not how it is reached."""
    (tmp_path / "away").mkdir()
    (tmp_path / "instance").symlink_to(tmp_path / "away")
    table = mounts(f"27 1 0:1 / / rw - ext4 a rw\n28 27 0:2 / {tmp_path / 'away'} rw - nfs b rw")
    found = mount_of(tmp_path / "instance" / "portal.sqlite", table)
    assert found is not None
    assert found.kind == "nfs"


def test_where_nothing_is_told_nothing_is_refused(tmp_path: Path) -> None:
    require_local(tmp_path, table=tmp_path / "missing")
    (tmp_path / "empty").touch()
    require_local(tmp_path, table=tmp_path / "empty")
    require_local(tmp_path)


def test_an_instance_is_neither_made_nor_opened_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this machine's own table, with one line more."""
    away = tmp_path / "away"
    table = tmp_path / "mountinfo"
    table.write_text(f"27 1 0:1 / / rw - ext4 a rw\n28 27 0:2 / {away} rw - nfs4 files:/x rw\n")
    monkeypatch.setattr(file_systems.require_local, "__kwdefaults__", {"table": table})
    settings = Settings.from_environ({"PORTAL_INSTANCE": str(away)}, root=tmp_path)
    app = create_app(settings, SetClock())
    words = rf"{away}/portal.sqlite lies on a network file system \(nfs4, mounted at {away}\)"
    with pytest.raises(InstanceFault, match=words):
        open_app(app)
    with app.app_context(), pytest.raises(InstanceFault, match=words):
        make(settings, engine=db.engine, clock=SetClock(), demo=False, migrate=lambda: None)
    assert not away.exists()
