"""Make an installer that installs machines by itself: the ISO of another one, with the menu and seeds of a folder."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap.installer_iso import MENU, SEEDS, Installer, installer_in
from sparkctl.airgap.iso_image import IsoImage, looked_into, require_whole
from sparkctl.airgap.iso_repack import cut_to_size, prove, repack, with_sums
from sparkctl.airgap.seed_render import InstallerMenu, render_installer_menu
from sparkctl.airgap.templates import Templates
from sparkctl.airgap.tree import free_bytes
from sparkctl.app.installer_source import Voucher, opened_installer, require_voucher, take_in
from sparkctl.app.leaving import leaving_in_order
from sparkctl.app.private_folder import private_folder
from sparkctl.app.seed_folder import SeededNode, read_seeds
from sparkctl.atomic_file import sync_folder
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.files import take_name
from sparkctl.model.printable import printable
from sparkctl.model.seed import InstallerReport
from sparkctl.resources import shipped

_SPARE = 64 * 2**20
"""Bytes beside two copies of an installer: seeds, and what moves because of them."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class IsoRequest:
    """Which installer becomes which file, with the seeds of which folder, and by whose word. `key` signed the seeds."""

    installer: Path
    voucher: Voucher
    seeds: Path
    key: Path
    out: Path
    hwe: bool = False


def make_iso(request: IsoRequest) -> InstallerReport:
    """Make the ISO, and prove from what was written that only the menu, its sums and the seeds are new.

    Raises UsageError and RefusedError, and leaves nothing then.
    """
    out = request.out.absolute()
    require_voucher(request.voucher)
    _require_free(out, request.installer)
    seeds = read_seeds(request.seeds, request.key)
    with leaving_in_order(), _told(out), opened_installer(request.installer) as source:
        size = require_whole(source, str(request.installer))
        _require_room(out.parent, 2 * size + _SPARE)
        with private_folder(within=out.parent) as folder:
            copy, made = folder / "installer.iso", folder / "made.iso"
            taken = take_in(source, request.installer, request.voucher, copy)
            installer = installer_in(looked_into(copy, str(request.installer)), str(request.installer), hwe=request.hwe)
            changed = with_sums(installer.image, _changes(installer, seeds.nodes))
            kept = _written(installer.image, changed, made)
            report = InstallerReport(
                file=printable(str(out), 1000),
                sha256=_on_disk(made),
                bytes_written=made.stat().st_size,
                installer=installer.title,
                installer_sha256=taken.sha256,
                verified_by=taken.verified_by,
                seeds_sha256=seeds.manifest_sha256,
                seeds_signed_by=seeds.signed_by.fingerprint,
                nodes=[one.node.node_id for one in seeds.nodes],
                by_mac=[one.node.node_id for one in seeds.nodes if one.node.serial is None],
                kernel=installer.kernel,
                initrd=installer.initrd,
                kept=kept,
                changed=sorted(changed),
            )
            take_name(made, out)
        sync_folder(out.parent)
    return report


def _changes(installer: Installer, nodes: list[SeededNode]) -> dict[str, bytes]:
    """The menu, and the answers of each node. Raises RefusedError for a serial that a menu cannot hold."""
    menu = InstallerMenu(
        installer.kernel, installer.initrd, installer.before, installer.after, SEEDS, [one.node for one in nodes]
    )
    changed = {MENU: render_installer_menu(Templates(shipped("cloud-init")), menu).encode()}
    for one in nodes:
        changed |= {f"{SEEDS}/{one.node.node_id}/{name}": content for name, content in one.answers.items()}
    return changed


def _written(image: IsoImage, changed: dict[str, bytes], made: Path) -> int:
    made.touch(0o600)  # xorriso opens what is there, and keeps its mode
    repack(image, changed, made)
    with made.open("rb") as file:
        size = require_whole(file, str(made))
    cut_to_size(made, size)
    return prove(image, looked_into(made, str(made)), changed)


def _on_disk(made: Path) -> str:
    """The digest of what was made, which is for its owner alone and is on the disk."""
    with made.open("r+b") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_free(out: Path, installer: Path) -> None:
    if not os.path.lexists(out):
        return
    if out.exists() and installer.exists() and out.samefile(installer):
        raise RefusedError(f"{out} is the installer itself", hint="name another file with --out: it is kept as it is")
    raise RefusedError(f"{out} is there already", hint="name a new file: nothing is ever written over")


def _require_room(folder: Path, wanted: int) -> None:
    free = free_bytes(folder)
    if free < wanted:
        raise UsageError(
            f"{folder} has room for {free // 2**20:,} MiB, and {wanted // 2**20:,} MiB are needed to make the ISO",
            hint="make room, or name a file on another disk with --out",
        )


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Make a UsageError, of one sentence, of what a disk does not do."""
    try:
        yield
    except OSError as error:
        hint = "is there room on the disk?" if error.errno in _FULL else "name a file in a folder that you may write in"
        raise UsageError(f"{out} was not made: {error.strerror}", hint=hint) from None
