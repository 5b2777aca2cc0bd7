"""The ISO image of an Ubuntu installer, or of one that is laid out like it: how its kernel is booted."""

import re
import shlex
from dataclasses import dataclass

from sparkctl.airgap.iso_image import IsoImage
from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

MENU = "/boot/grub/grub.cfg"
"""What a signed grub on such an image reads: it looks for `/.disk/info`, and takes `/boot/grub` beside it."""
INFO = "/.disk/info"
SUMS = "/md5sum.txt"
"""What the installer checks its medium with, when it boots."""
SEEDS = "/spark-seeds"
"""Where seeds stand on a repacked image."""

_DETOUR = "/boot/grub/arm64-efi/grub.cfg"
_LOADER = b"BOOTAA64EFI"  # as a directory of FAT names it, whatever the case
_MAX_TEXT = 2**20
_MAX_EFI = 512 * 2**20
_OURS = re.compile(r"autoinstall$|ds=|subiquity\.autoinstallpath=|cloud-config-url=|iso-scan/|.*\$")


@dataclass(frozen=True, slots=True)
class Installer:
    """What an installer boots. `before` and `after` are its own words for its kernel, on both sides of `---`.

    What stands after it is kept by the system that is installed.
    """

    image: IsoImage
    title: str
    kernel: str
    initrd: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def installer_in(image: IsoImage, named: str, *, hwe: bool) -> Installer:
    """The installer in an image; with its kernel for new hardware, if `hwe`. Raises UsageError for anything else."""
    prefix = "/casper/hwe-" if hwe else "/casper/"
    kernel, initrd = f"{prefix}vmlinuz", f"{prefix}initrd"
    for name in (INFO, MENU, kernel, initrd):
        if name not in image.files:
            raise UsageError(
                f"{named} is no installer that can be repacked: there is no {name} in it",
                hint="name the ISO of an Ubuntu live-server for arm64, or one that is laid out like it",
            )
    if SEEDS in image.nodes:
        raise UsageError(f"{named} was repacked before: it holds seeds", hint="begin with the ISO as it was published")
    if not image.boot.efi or not all(_has_loader(image, place) for place in image.boot.efi):
        raise UsageError(f"{named} does not boot an ARM machine by EFI", hint="name an ISO for arm64")
    if _DETOUR in image.files and not re.search(rb"(/boot/grub|\$prefix)/grub\.cfg", _text(image, _DETOUR, named)):
        raise UsageError(f"{named} does not read {MENU} at boot", hint="such an ISO cannot be repacked")
    title = printable(_text(image, INFO, named).decode("utf-8", "replace").strip(), 200)
    return Installer(image, title, kernel, initrd, *_words(_text(image, MENU, named), kernel))


def _has_loader(image: IsoImage, place: tuple[int, int]) -> bool:
    start, size = place
    kept = b""
    for chunk in image.bytes_of(((start, min(size, _MAX_EFI)),)):
        if _LOADER in kept + chunk:
            return True
        kept = chunk[-len(_LOADER) :]
    return False


def _text(image: IsoImage, name: str, named: str) -> bytes:
    try:
        return image.read(name, _MAX_TEXT)
    except ValueError:
        raise UsageError(f"{named} is no installer that can be repacked: its {name} is too large") from None


def _words(menu: bytes, kernel: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the menu of the image itself gives this kernel, without what chooses answers: those are ours."""
    for line in menu.decode("utf-8", "replace").splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        if len(words) > 1 and words[0] == "linux" and words[1] == kernel:
            kept = [word for word in words[2:] if not _OURS.match(word)]
            end = kept.index("---") if "---" in kept else len(kept)
            return tuple(kept[:end]), tuple(kept[end + 1 :])
    return (), ()
