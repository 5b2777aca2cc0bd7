"""Make a new ISO image of another one with some files changed, and prove that nothing else is."""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from sparkctl.airgap.images import EPOCH, run_tool
from sparkctl.airgap.installer_iso import SEEDS, SUMS
from sparkctl.airgap.iso_boot import first_difference
from sparkctl.airgap.iso_image import SECONDS, IsoImage
from sparkctl.errors import RefusedError
from sparkctl.model.printable import printable

Changes = Mapping[str, bytes]
"""Contents by path on the image: of files that are there, or that are added below the folder of seeds."""

_BOOT_CODE = 440  # bytes at the beginning of an image, before the serial and the table of an MBR


def with_sums(image: IsoImage, changed: Changes) -> dict[str, bytes]:
    """These changes, and what they make of the sums that the installer checks its medium with, if it has any."""
    if SUMS not in image.files:
        return dict(changed)
    fresh = {f".{name}": hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in changed.items()}
    lines = []
    for line in image.read(SUMS, 64 * 2**20).decode("utf-8", "surrogateescape").splitlines():
        name = line[34:]
        lines.append(f"{fresh.pop(name)}  {name}" if name in fresh else line)
    lines += [f"{digest}  {name}" for name, digest in sorted(fresh.items())]
    return {**changed, SUMS: "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")}


def repack(image: IsoImage, changed: Changes, target: Path) -> None:
    """Write the image anew to `target`, beside it in a folder of our own, where nothing of that name is.

    The same image and changes give the same bytes. Raises UsageError when xorriso fails.
    """
    folder = image.path.parent
    tree = folder / "changed"
    for name, content in sorted(changed.items()):
        place = tree / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        # Seeds hold hashes of passwords, and the root of the installer is who reads them.
        place.chmod(0o400 if _is_seed(name) else 0o444)
    for below in tree.rglob("*"):
        if below.is_dir():
            below.chmod(0o755)  # whatever the umask
    replaced = sorted(name for name in changed if not _is_seed(name))
    ours = [SEEDS, *replaced]
    arguments = ["-no_rc", "-abort_on", "FAILURE", "-return_with", "FAILURE", "32"]
    arguments += ["-indev", f"stdio:{image.path.name}", "-outdev", f"stdio:{target.name}"]
    arguments += ["-joliet", "on", "-compliance", "joliet_long_names"] if image.joliet else []
    arguments += ["-boot_image", "any", "replay"]
    if image.boot.disk_guid is not None:  # replayed it would be made of the date
        arguments += ["-boot_image", "any", f"gpt_disk_guid={image.boot.disk_guid}"]
    arguments += ["-padding", "included" if image.boot.gap else "0"]
    for name in ours:
        arguments += ["-map", f"changed{name}", name]
    arguments += ["-chown_r", "0", *ours, "--", "-chgrp_r", "0", *ours, "--", "-chmod_r", "a-w", *ours, "--"]
    arguments += ["-alter_date_r", "b", f"@{EPOCH}", *ours, "--"]
    arguments += ["-alter_date", "b", f"@{EPOCH}", *sorted(_folders(replaced)), "--", "-commit"]
    run_tool("xorriso", *arguments, cwd=folder, seconds=SECONDS)


def cut_to_size(path: Path, size: int) -> None:
    """Take away the zeros that xorriso fills its last chunk with: the second GPT is to end the file. Raises OSError."""
    with path.open("r+b") as file:
        file.seek(size)
        if not file.read().strip(b"\0"):
            file.truncate(size)


def prove(before: IsoImage, after: IsoImage, changed: Changes) -> int:
    """How many files are what they were. Raises RefusedError unless all are but those that were to change.

    So must be names, modes, owners, dates and links, the descriptors, the boot records but for where things lie, and
    every byte of the EFI images.
    """
    if before.descriptors != after.descriptors:
        raise _not_asked("its volume descriptors are others")
    _prove_nodes(before, after, changed)
    for name, content in changed.items():
        if after.digest(after.files.get(name, ())) != hashlib.sha256(content).hexdigest():
            raise _not_asked(f"{name} is not what was put in")
    kept = before.files.keys() - changed.keys()
    for name in sorted(kept, key=lambda name: before.files[name]):
        if before.digest(before.files[name]) != after.digest(after.files.get(name, ())):
            raise _not_asked(f"{printable(name)} is another")
    _prove_boot(before, after)
    return len(kept)


def _prove_nodes(before: IsoImage, after: IsoImage, changed: Changes) -> None:
    above = _folders(changed)
    stays = before.nodes.keys() - changed.keys()
    odd = next((name for name in sorted(stays) if _shown(before, name, above) != _shown(after, name, above)), None)
    odd = odd or next(iter(sorted(after.nodes.keys() - stays - changed.keys() - above)), None)
    if odd is not None or after.files.keys() != before.files.keys() | changed.keys():
        raise _not_asked(f"{printable(odd or 'the number of its files')} is another")


def _shown(image: IsoImage, name: str, above: set[str]) -> str:
    """How a node is listed, without the date where it is above what was changed."""
    words = image.nodes.get(name, "")
    return " ".join(words.split()[:5]) if name in above else words


def _prove_boot(before: IsoImage, after: IsoImage) -> None:
    difference = first_difference(before.boot, after.boot)
    if difference is not None:
        raise _not_asked(f"of its boot records {difference}")
    pairs = [*zip(before.boot.efi, after.boot.efi, strict=True), ((0, _BOOT_CODE), (0, _BOOT_CODE))]
    if any(before.digest((one,)) != after.digest((other,)) for one, other in pairs):
        raise _not_asked("what its boot records point at is another")


def _is_seed(name: str) -> bool:
    return name.startswith(f"{SEEDS}/")


def _folders(names: Changes | list[str]) -> set[str]:
    """Every folder above these: its date is a new one."""
    return {str(folder) for name in names for folder in PurePosixPath(name).parents}


def _not_asked(what: str) -> RefusedError:
    return RefusedError(
        f"the ISO that xorriso made is not what was asked for: {what}", hint="it is thrown away; please report it"
    )
