"""What is mounted, swapped to and meant to be mounted, without the mounts that say nothing about the machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diag.nodekit.folder import MAX_NUMBER
from diag.nodekit.machine import Machine
from diag.nodekit.mounts import FSTAB, Mount, parse_table
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason
from diag.nodekit.words import name, words

# Local file systems only: a network mount that hangs must not cost us the answer for the disks. Squashfs
# images (snaps) are always full.
WITHOUT = tuple(f"--exclude-type={kind}" for kind in ("tmpfs", "devtmpfs", "squashfs", "overlay", "efivarfs"))
DF = ("df", "--local", "--block-size=1", "--output=target,fstype,size,used,avail", *WITHOUT)
DF_INODES = ("df", "--local", "--output=target,fstype,itotal,iused,iavail", *WITHOUT)
DF_SECONDS = 2.0
SWAPS = "/proc/swaps"
KIB = 1024
NOISE = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "fusectl", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "fuse.snapfuse", "hugetlbfs", "mqueue", "nsfs",
        "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tmpfs",
        "tracefs",
    }
)  # fmt: skip
REMOTE = re.compile(r"nfs4?|cifs|smb3|ceph|9p|glusterfs|lustre|beegfs|gpfs|afs|fuse\..+")
# Mounts of containers and of sessions: they come and go.
PASSING = ("/var/lib/docker/", "/var/lib/containers/", "/var/lib/kubelet/", "/run/containerd/", "/run/user/", "/snap/")
KEPT_OPTIONS = re.compile(
    r"ro|rw|noexec|nosuid|nodev|noatime|nodiratime|sync|dirsync|discard(=.*)?|errors=.*|data=.*|barrier=.*|nobarrier|"
    r"subvol=.*|compress(-force)?=.*|(usr|grp|prj)quota|usrjquota=.*|grpjquota=.*|dax(=.*)?|[fd]?mask=.*|umask=.*|"
    r"vers=.*|sec=.*|hard|soft|proto=.*|nofail|noauto"
)
BY_TAG = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}
MAX_MOUNTS = 128


def split_mounts(mounted: Sequence[Mount]) -> tuple[list[Mount], dict[str, int]]:
    """The mounts worth telling, the last of those over one another, and how many of each type were left out."""
    kept: dict[str, Mount] = {}
    left: dict[str, int] = {}
    for mount in mounted:
        if mount.kind in NOISE or mount.target.startswith(PASSING) or len(kept) >= MAX_MOUNTS:
            left[name(mount.kind)] = left.get(name(mount.kind), 0) + 1
        else:
            kept[mount.target] = mount
    return list(kept.values()), left


def describe(mount: Mount, wanted: Iterable[str]) -> dict[str, Any]:
    """A mounted file system; `wanted` are the mount points of fstab."""
    return {
        "source": name(without_password(mount.source)),
        "type": name(mount.kind),
        "options": kept_options(mount),
        "in_fstab": mount.target in wanted,
    }


def kept_options(mount: Mount) -> list[str]:
    """Options that change what the file system does; those that may hold a password are not among them."""
    return words([option for option in mount.options if KEPT_OPTIONS.fullmatch(option)])[:32]


def without_password(source: str) -> str:
    """A source without what stands before an @ and may be a password."""
    before, at, rest = source.rpartition("@")
    return rest if at and ":" in before else source


def is_remote(mount: Mount) -> bool:
    """Whether a file system is another machine's or a program's, which `df` is not asked about."""
    return REMOTE.fullmatch(mount.kind) is not None


def usage(machine: Machine, argv: tuple[str, ...]) -> dict[str, tuple[int, int, int]]:
    """Size, used and available by mount point (bytes, or inodes); raises MissingTool, TimeoutError, Unevaluated."""
    ran = machine.run(argv, seconds=DF_SECONDS)
    found = parse_df(ran.stdout)
    if not found:
        raise Unevaluated(UnknownReason.PRECONDITION, f"df lists no file system: {one_line(ran.stderr)}")
    return found


def parse_df(text: str) -> dict[str, tuple[int, int, int]]:
    """Rows of `df --output=target,fstype,A,B,C`; a row with `-` for a number is left out."""
    found = {}
    for line in text.splitlines()[1:]:
        cells = line.rsplit(maxsplit=4)
        if len(cells) == 5 and all(cell.isdecimal() for cell in cells[2:]):
            size, used, available = (min(int(cell), MAX_NUMBER) for cell in cells[2:])
            found[cells[0].strip()] = (size, used, available)
    return found


def swaps(machine: Machine) -> dict[str, dict[str, Any]]:
    """What the kernel swaps to, by file or device; raises OSError, ValueError."""
    return parse_swaps(machine.read_or_none(SWAPS) or "")


def parse_swaps(text: str) -> dict[str, dict[str, Any]]:
    """Rows of /proc/swaps, sizes in bytes; raises ValueError."""
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines()[1:]:
        cells = line.rsplit(maxsplit=4)
        if len(cells) == 5:
            size, used, priority = (int(cell) for cell in cells[2:])
            found[name(cells[0].replace("\\040", " "), found)] = {
                "type": name(cells[1]),
                "size_bytes": size * KIB,
                "used_bytes": used * KIB,
                "priority": priority,
            }
    return found


def fstab(machine: Machine, mounted: Sequence[Mount], swapped: Iterable[str]) -> dict[str, Any]:
    """Entries of /etc/fstab by mount point, swap by its source, and whether each is in use; raises OSError."""
    targets = {mount.target for mount in mounted}
    used = {path.rpartition("/")[2] for path in swapped}
    found: dict[str, Any] = {}
    for entry in parse_table(machine.read_or_none(FSTAB) or "")[:MAX_MOUNTS]:
        swap = entry.kind == "swap"
        found[name(entry.source if swap else entry.target, found)] = {
            "source": name(without_password(entry.source)),
            "type": name(entry.kind),
            "options": kept_options(entry),
            "mounted": _device(machine, entry.source) in used if swap else _bare(entry.target) in targets,
        }
    return found


def _bare(target: str) -> str:
    """A mount point as the kernel lists it: `/data` for `/data/`."""
    return target.rstrip("/") or "/"


def _device(machine: Machine, source: str) -> str:
    """The last part of the path of a device that fstab names by a tag or a path."""
    tag, equals, text = source.partition("=")
    folder = BY_TAG.get(tag) if equals else None
    path = f"/dev/disk/{folder}/{text.strip(chr(34))}" if folder else source
    return machine.link_name(path) or path.rpartition("/")[2]


def mount_points(mounted: Iterable[Mount]) -> Mapping[str, str]:
    """Where each source is mounted first."""
    found: dict[str, str] = {}
    for mount in mounted:
        found.setdefault(mount.source, name(mount.target))
    return found
