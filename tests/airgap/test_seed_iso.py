"""`sparkctl airgap iso` with the real xorriso: what it makes is taken apart again, by other means than its own."""

import json
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sparkctl.contract.outside import complaints
from tests.airgap.installers import MARKS, Desk, make_desk, sha256
from tests.support.archive import remove_gpg_home
from tests.support.command import environment, json_lines
from tests.support.installers import IN_THE_TREE, PATH, TITLE, installer_files, make_installer, run
from tests.support.seeds import MIRROR_KEY

pytestmark = MARKS
NEW = {"boot/grub/grub.cfg", "md5sum.txt"} | {
    f"spark-seeds/{node}/{name}" for node in ("spark01", "spark02") for name in ("user-data", "meta-data")
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = make_desk(tmp_path_factory.mktemp("iso") / "desk")
    ran = made.iso("rack.iso")
    assert ran.returncode == 0, ran.stderr
    (made.folder / "report.json").write_text(ran.stdout)
    return made


@pytest.fixture(scope="module")
def taken_apart(desk: Desk) -> dict[str, Path]:
    """The trees of both images, as xorriso unpacks them."""
    trees = {"before": desk.folder / "before", "after": desk.folder / "after"}
    for image, tree in ((desk.installer, trees["before"]), (desk.folder / "rack.iso", trees["after"])):
        run("xorriso", "-no_rc", "-osirrox", "on", "-indev", f"stdio:{image}", "-extract", "/", tree)
    return trees


def contents(tree: Path) -> dict[str, bytes | Path]:
    """Every file and link of a tree; the boot catalogue is no file, and says where things lie."""
    found = {str(path.relative_to(tree)): path for path in tree.rglob("*") if not path.is_dir() or path.is_symlink()}
    found.pop("boot.catalog", None)
    return {name: path.readlink() if path.is_symlink() else path.read_bytes() for name, path in found.items()}


def test_only_the_menu_its_sums_and_the_seeds_are_new(taken_apart: dict[str, Path]) -> None:
    before, after = contents(taken_apart["before"]), contents(taken_apart["after"])
    assert {name for name in after if after[name] != before.get(name)} == NEW
    assert before.keys() <= after.keys()
    assert before["dists/stable"] == Path("noble")


def test_the_installer_finds_its_medium_whole(taken_apart: dict[str, Path]) -> None:
    told = run("md5sum", "--check", "--strict", "md5sum.txt", cwd=taken_apart["after"])
    assert len(told.splitlines()) == len(installer_files()) + 4
    assert "./spark-seeds/spark02/user-data: OK" in told


def test_each_node_gets_the_answers_that_were_signed(desk: Desk, taken_apart: dict[str, Path]) -> None:
    for node in ("spark01", "spark02"):
        for name in ("user-data", "meta-data"):
            expected = (desk.folder / "seeds/http" / node / name).read_bytes()
            assert (taken_apart["after"] / "spark-seeds" / node / name).read_bytes() == expected


def test_no_secret_of_a_stick_is_in_it_and_nobody_else_may_read_it(desk: Desk) -> None:
    image = (desk.folder / "rack.iso").read_bytes()
    for node in ("spark01", "spark02"):
        assert (desk.folder / f"seeds/nodes/{node}/oemdata/enrolment.key").read_bytes().strip() not in image
    assert (desk.folder / "rack.iso").stat().st_mode & 0o777 == 0o600
    listed = run(
        "xorriso", "-no_rc", "-indev", f"stdio:{desk.folder}/rack.iso", "-find", "/spark-seeds", "-exec", "lsdl"
    )
    files = [line for line in listed.splitlines() if line.startswith("-")]
    assert len(files) == 4
    assert all(line.split()[:4] == ["-r--------", "1", "0", "0"] for line in files)


def boot_lines(image: Path) -> list[str]:
    told = run(
        "xorriso", "-no_rc", "-indev", f"stdio:{image}", "-report_el_torito", "plain", "-report_system_area", "plain"
    )
    return told.splitlines()


MOVES = (
    "El Torito catalog", "El Torito boot img", "ISO image size/512", "MBR partition   ", "GPT lba range",
    "GPT start and size",
)  # fmt: skip


def test_the_boot_records_are_what_they_were(desk: Desk) -> None:
    before, after = boot_lines(desk.installer), boot_lines(desk.folder / "rack.iso")
    kept = [line for line in before if not line.startswith(MOVES)]
    assert len(kept) >= 20
    assert kept == [line for line in after if not line.startswith(MOVES)]
    (old,) = (line.split()[:-1] for line in before if line.startswith("El Torito boot img"))
    (new,) = (line.split()[:-1] for line in after if line.startswith("El Torito boot img"))
    assert old == new


def gpt(image: Path) -> list[tuple[bytes, bytes]]:
    """The GUIDs of each partition with its bytes, as both GPTs of a disk of this size say."""
    disk = image.read_bytes()
    tables = []
    for place in (512, len(disk) - 512):
        assert disk[place : place + 8] == b"EFI PART"
        entries, count = struct.unpack_from("<QI", disk, place + 72)
        rows = [disk[entries * 512 + 128 * n : entries * 512 + 128 * n + 128] for n in range(count)]
        tables.append([row for row in rows if row.strip(b"\0")])
    assert tables[0] == tables[1]
    spans = [struct.unpack_from("<QQ", row, 32) for row in tables[0]]
    return [
        (row[:32], disk[first * 512 : (last + 1) * 512]) for row, (first, last) in zip(tables[0], spans, strict=True)
    ]


def test_both_tables_of_partitions_hold_and_the_efi_partition_is_the_same(desk: Desk) -> None:
    before, after = gpt(desk.installer), gpt(desk.folder / "rack.iso")
    assert [guids for guids, _ in before] == [guids for guids, _ in after]
    assert before[1][1] == after[1][1] == (desk.installer.parent / "efi.img").read_bytes()
    assert len(before) == 3
    assert before[2][1] == after[2][1]


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_the_same_inputs_give_the_same_bytes_at_any_time_and_under_any_umask(desk: Desk, tmp_path: Path) -> None:
    later = tmp_path / "xorriso"
    later.write_text(f'#!/bin/sh\nexec faketime "2031-05-05 11:11:11" {shutil.which("xorriso")} "$@"\n')
    later.chmod(0o755)
    command = [
        sys.executable, "-m", "sparkctl", "airgap", "iso", desk.installer, "--seeds", desk.folder / "seeds",
        "--key", desk.key, "--sha256", sha256(desk.installer), "--out", desk.folder / "again.iso",
    ]  # fmt: skip
    env = environment(desk.folder, {"PATH": f"{tmp_path}:{PATH}", "PYTHONPATH": str(Path(__file__).parents[2])})
    subprocess.run([*map(str, command)], check=True, env=env, umask=0o077, stdout=subprocess.DEVNULL)
    assert (desk.folder / "again.iso").read_bytes() == (desk.folder / "rack.iso").read_bytes()


def test_grub_takes_the_menu(taken_apart: dict[str, Path]) -> None:
    menu = taken_apart["after"] / "boot/grub/grub.cfg"
    run("grub-script-check", menu)
    text = menu.read_text()
    assert text.index("set default=disk") < text.index('"1581124050001" ]; then set default="install-spark01"')
    assert '"$mac" = "4c:bb:47:00:00:02" ]; then set default="install-spark02"' in text
    assert text.count('" --id "install-spark01" {') == 1  # a name that begins with a digit would be a number to grub
    assert '"4c:bb:47:00:00:01"' not in text  # a serial is known, and proves more
    line = 'linux /casper/vmlinuz quiet autoinstall "ds=nocloud;s=/cdrom/spark-seeds/spark01/" --- console=tty0\n'
    assert line in text
    assert "theirs" not in text


def test_it_says_what_it_made_and_by_whose_word(desk: Desk) -> None:
    report = json.loads((desk.folder / "report.json").read_text())
    assert list(complaints((desk.folder / "report.json").read_bytes())) == []
    assert report["schema"] == "sparkctl.seed-installer/1"
    assert report["sha256"] == sha256(desk.folder / "rack.iso")
    assert report["installer_sha256"] == sha256(desk.installer)
    assert report["seeds_sha256"] == sha256(desk.folder / "seeds/manifest.json")
    assert report["bytes_written"] == (desk.folder / "rack.iso").stat().st_size
    assert (report["installer"], report["nodes"], report["by_mac"]) == (TITLE, ["spark01", "spark02"], ["spark02"])
    assert {name.lstrip("/") for name in report["changed"]} == NEW
    assert report["kept"] == len(installer_files()) - 1
    ran = desk.iso("said.iso", "--format", "human")
    for words in ("of the digest that you named", "ERASES every machine", "password hashes", "no serial of spark02"):
        assert words in ran.stdout


def test_the_kernel_for_new_hardware_is_booted_when_it_is_asked_for(desk: Desk, tmp_path: Path) -> None:
    files = {**installer_files(), "casper/hwe-vmlinuz": b"newer kernel", "casper/hwe-initrd": b"newer initrd"}
    installer = make_installer(tmp_path / "hwe", files)
    ran = desk.iso("hwe.iso", "--hwe", of=installer)
    assert ran.returncode == 0, ran.stderr
    assert json_lines(ran)[0]["kernel"] == "/casper/hwe-vmlinuz"
    image = (desk.folder / "hwe.iso").read_bytes()
    assert b'linux /casper/hwe-vmlinuz autoinstall "ds=nocloud;s=/cdrom/spark-seeds/spark01/" ---\n' in image
    assert b"initrd /casper/hwe-initrd\n" in image


def test_an_image_whose_loader_is_a_file_of_its_tree_does_as_well(desk: Desk, tmp_path: Path) -> None:
    installer = make_installer(tmp_path / "older", boot=IN_THE_TREE)
    ran = desk.iso("older.iso", of=installer)
    assert ran.returncode == 0, ran.stderr
    lines = boot_lines(desk.folder / "older.iso")
    assert any(line.endswith("/boot/grub/efi.img") for line in lines)


def key_and_sums(folder: Path, installer: Path, *, name: str, until: str = "never") -> tuple[Path, Path]:
    """An OpenPGP key of the year 2020 that signs the sums of an installer: its keyring, and the sums."""
    folder.mkdir()
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))  # short: the path of a socket has 107 bytes at most
    gpg = (
        "gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "",
        "--faked-system-time", "20200101T000000",
    )  # fmt: skip
    run(*gpg, "--quick-generate-key", name, "ed25519", "sign", until)
    (keyring := folder / "keyring.gpg").write_bytes(
        subprocess.run([*map(str, gpg), "--export"], check=True, capture_output=True).stdout
    )
    sums = folder / "SHA256SUMS"
    sums.write_text(f"{'0' * 64} *another.iso\n{sha256(installer)} *{installer.name}\n")
    run(*gpg, "--armor", "--detach-sign", "--output", folder / "SHA256SUMS.gpg", sums)
    remove_gpg_home(home)
    return keyring, sums


def test_signed_sums_vouch_for_an_installer(desk: Desk, tmp_path: Path) -> None:
    keyring, sums = key_and_sums(tmp_path / "publisher", desk.installer, name="publisher")
    ran = desk.iso("signed.iso", "--sums", sums, "--keyring", keyring)
    assert ran.returncode == 0, ran.stderr
    (by,) = json_lines(ran)[0]["verified_by"]
    assert len(by) == 40
    assert (desk.folder / "signed.iso").read_bytes() == (desk.folder / "rack.iso").read_bytes()

    stranger, others = key_and_sums(tmp_path / "stranger", desk.installer, name="stranger")
    expired, old = key_and_sums(tmp_path / "expired", desk.installer, name="expired", until="1y")
    armoured = tmp_path / "keyring.asc"
    armoured.write_text(MIRROR_KEY)
    changed = tmp_path / "SHA256SUMS"
    changed.write_text(sums.read_text().replace("another", "other"))
    changed.with_name("SHA256SUMS.gpg").write_bytes(sums.with_name("SHA256SUMS.gpg").read_bytes())
    renamed = tmp_path / "another.iso"
    renamed.symlink_to(desk.installer)
    for more, of, code, words in (
        (("--sums", sums, "--keyring", stranger), None, 4, "is refused"),
        (("--sums", changed, "--keyring", keyring), None, 4, "is refused"),
        (("--sums", sums, "--sums-signature", others.with_name("SHA256SUMS.gpg"), "--keyring", keyring), None, 4,
         "is refused"),
        (("--sums", old, "--keyring", expired), None, 4, "is refused"),
        (("--sums", sums, "--keyring", keyring), renamed, 4, "is not what"),
        (("--sums", sums, "--keyring", armoured), None, 4, "is not the one that was named"),
        (("--sums", sums, "--keyring", desk.key), None, 2, "must be a public key of OpenPGP"),
        (("--sums", sums, "--keyring", tmp_path / "nowhere"), None, 2, "cannot be read"),
        (("--sums", tmp_path / "nowhere", "--keyring", keyring), None, 2, "cannot be read"),
    ):  # fmt: skip
        ran = desk.iso("never.iso", *more, of=of)
        assert (ran.returncode, words in ran.stderr) == (code, True), (more, ran.stderr)
        assert not (desk.folder / "never.iso").exists()
