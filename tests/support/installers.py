"""A small ISO image as Ubuntu publishes installers for ARM machines: El Torito and GPT point at an EFI partition."""

import hashlib
import os
import random
import subprocess
from pathlib import Path

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
TITLE = 'Ubuntu-Server 24.04.9 LTS "Noble Numbat" - Release arm64 (20240101)'
MENU = """set timeout=30
menuentry "Try or Install Ubuntu Server" {
\tset gfxpayload=keep
\tlinux\t/casper/vmlinuz quiet ds=nocloud\\;s=/cdrom/theirs/ --- console=tty0
\tinitrd\t/casper/initrd
}
"""
_BOOT = (
    "-partition_offset", "16", "-append_partition", "2", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "efi.img",
    "-appended_part_as_gpt", "-c", "boot.catalog", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
)  # fmt: skip
IN_THE_TREE = ("-c", "boot.catalog", "-e", "boot/grub/efi.img", "-no-emul-boot")
"""Options for an image without a partition of its own, as older ones are."""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints; it must succeed."""
    env = {**os.environ, "PATH": PATH, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C"}
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=env, cwd=cwd)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def installer_files() -> dict[str, bytes]:
    """What is on the image, without its sums. Some names are such as nobody expects."""
    rng = random.Random(3)
    return {
        ".disk/info": TITLE.encode(),
        "boot/grub/grub.cfg": MENU.encode(),
        "boot/grub/arm64-efi/grub.cfg": b"insmod part_gpt\nconfigfile /boot/grub/grub.cfg\n",
        "casper/vmlinuz": rng.randbytes(300_000),
        "casper/initrd": rng.randbytes(500_001),
        "casper/ubuntu-server-minimal.squashfs": rng.randbytes(2_000_000),
        "pool/main/a/an empty file": b"",
        'pool/main/a/it\'s "odd" \\ and a name of the length that Joliet needs long names for_1.0-1_arm64.deb': b"odd",
    }


def make_installer(folder: Path, files: dict[str, bytes] | None = None, *, boot: tuple[str, ...] = _BOOT) -> Path:
    """Make the image in a folder that is not there yet."""
    tree = folder / "tree"
    (tree / "dists/noble").mkdir(parents=True)
    (tree / "dists/stable").symlink_to("noble")
    content = installer_files() if files is None else files
    for name, text in content.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(text)
    _efi_image(folder / "efi.img", "bootaa64.efi")
    if boot == IN_THE_TREE:
        (tree / "boot/grub/efi.img").write_bytes((folder / "efi.img").read_bytes())
    sums = {name: hashlib.md5(text, usedforsecurity=False).hexdigest() for name, text in sorted(content.items())}
    (tree / "md5sum.txt").write_text("".join(f"{digest}  ./{name}\n" for name, digest in sums.items()))
    image = folder / "installer.iso"
    options = ("-quiet", "-r", "-V", "Ubuntu-Server 24.04.9 LTS arm64", "-J", "-joliet-long", "-l")
    run("xorriso", "-no_rc", "-as", "mkisofs", *options, *boot, "-o", image, tree, cwd=folder)
    return image


def _efi_image(path: Path, loader: str) -> None:
    path.write_bytes(bytes(2_880 * 512))
    (program := path.with_name(loader)).write_bytes(random.Random(4).randbytes(200_000))
    run("mformat", "-i", path, "-f", "1440", "::")
    run("mmd", "-i", path, "::/EFI", "::/EFI/boot")
    run("mcopy", "-i", path, program, "::/EFI/boot/")
