"""A bundle is unpacked within its folder and its limits, and is gone afterwards whatever happens."""

import contextlib
import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import zstandard

from sparkctl.app import tree_bundle
from sparkctl.app.private_folder import PREFIX
from sparkctl.app.tree_bundle import HEADERS, unpacked
from sparkctl.errors import UsageError
from tests.reset.trees import build_machine
from tests.support.command import environment, json_lines, sparkctl

Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which bundles are unpacked; it must be empty again after each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mtime = kind, link, len(content), 1_700_000_000
    return info, content


def tar(path: Path, members: Iterable[Member]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def refused(bundle: Path, words: str, temporary: Path) -> UsageError:
    with pytest.raises(UsageError, match=words) as raised, unpacked(bundle):
        pytest.fail("it was unpacked")
    assert list(temporary.iterdir()) == []
    return raised.value


PACKERS: dict[str, Callable[[bytes], bytes]] = {".tar.gz": gzip.compress, ".tar.zst": zstandard.compress}
BOOT_ID = member("proc/sys/kernel/random/boot_id", b"b\n")


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst", ".whatever"])
@pytest.mark.parametrize("prefix", ["", "./", "/", "CASE/root/", "a/b/c/d/e/f/"])
def test_the_tree_is_found_in_every_packing(suffix: str, prefix: str, tmp_path: Path, temporary: Path) -> None:
    members = [member("CASE/case.json", b"{}"), member(f"{prefix}var/log/wtmp", b"w"),
               member(f"{prefix}{BOOT_ID[0].name}", b"b\n")]  # fmt: skip
    content = tar(tmp_path / "plain", members).read_bytes()
    bundle = tmp_path / f"bundle{suffix}"
    bundle.write_bytes(PACKERS.get(suffix, bytes)(content))
    with unpacked(bundle) as tree:
        assert (tree.root / BOOT_ID[0].name).read_bytes() == b"b\n"
        assert (tree.root / "var/log/wtmp").stat().st_mtime == 1_700_000_000
        assert tree.root.stat().st_mode & 0o077 == 0
        assert tree.notes == ()
    assert list(temporary.iterdir()) == []


def test_zstandard_in_several_frames(tmp_path: Path) -> None:
    content = tar(tmp_path / "plain", [BOOT_ID]).read_bytes()
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(zstandard.compress(content[:700]) + zstandard.compress(content[700:]))
    with unpacked(bundle) as tree:
        assert (tree.root / BOOT_ID[0].name).is_file()


def test_links_stay_within_the_tree(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    links = {
        "inside": "proc/sys/kernel/random/boot_id", "sys/inside": "../proc", "absolute": "/proc/sys",
        "dangling": "nothing",
    }  # fmt: skip
    outside = {
        "climbs": "../../../../../../../../etc/passwd", "names": str(secret), "top": "..", "step": "sys/..",
        "sys/deep": "../sys/../../..", "loop": "loop",
    }  # fmt: skip
    all_links = [
        member(f"root/{name}", kind=tarfile.SYMTYPE, link=target) for name, target in (links | outside).items()
    ]
    tree_of = [member("root/" + BOOT_ID[0].name, b"b\n"), member("root/sys/x", b"x"), *all_links]
    with unpacked(tar(tmp_path / "bundle.tar", tree_of)) as tree:
        assert (tree.root / "inside").read_bytes() == b"b\n"
        assert (tree.root / "sys/inside/sys/kernel/random/boot_id").read_bytes() == b"b\n"
        assert (tree.root / "absolute/kernel/random/boot_id").read_bytes() == b"b\n"
        for path in tree.root.rglob("*"):
            real = Path(os.path.realpath(path))
            assert real.is_relative_to(tree.root.resolve()), f"{path} leads to {real}"
        assert not (tree.root / "names").exists(), "an absolute link is one of the tree"
        assert len(tree.notes) == 1


def test_links_that_lead_out_only_by_way_of_each_other(tmp_path: Path) -> None:
    """A path may stay inside by its words and not by what they lead to."""
    members = [
        member("root/proc/x", b"x"),
        member("root/p/q/up", kind=tarfile.SYMTYPE, link="../.."),
        member("root/out", kind=tarfile.SYMTYPE, link="p/q/up/../.."),
    ]
    with unpacked(tar(tmp_path / "bundle.tar", members)) as tree:
        assert (tree.root / "p/q/up/proc/x").is_file()
        assert not (tree.root / "out").is_symlink()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    members = [
        BOOT_ID,
        member("var", kind=tarfile.SYMTYPE, link=str(outside)),
        member("var/log/wtmp", b"w"),
        member("etc/passwd", kind=tarfile.LNKTYPE, link="/etc/passwd"),
    ]
    with unpacked(tar(tmp_path / "bundle.tar", members)) as tree:
        assert (tree.root / "var/log/wtmp").read_bytes() == b"w"
        assert not (tree.root / "etc/passwd").exists()
        assert "2 of" in tree.notes[0]
    assert list(outside.iterdir()) == []


def test_hard_links_within_it_are_files(tmp_path: Path) -> None:
    members = [
        BOOT_ID,
        member("cmd/copy", kind=tarfile.LNKTYPE, link=f"./{BOOT_ID[0].name}"),
        member(BOOT_ID[0].name, b"2\n"),
    ]
    with unpacked(tar(tmp_path / "bundle.tar", members)) as tree:
        assert (tree.root / "cmd/copy").read_bytes() == b"b\n"
        assert (tree.root / BOOT_ID[0].name).read_bytes() == b"2\n", "the last of a name counts"


def test_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    members = [BOOT_ID, *(member(f"dev/{number}", kind=kind) for number, kind in enumerate(kinds))]
    with unpacked(tar(tmp_path / "bundle.tar", members)) as tree:
        assert not list(tree.root.glob("dev/*"))
        assert "3 of" in tree.notes[0]


@pytest.mark.parametrize("name", ["../evil", "var/../../evil", "/../evil", "proc/" + "d/" * 200 + "x"])
def test_names_that_lead_out(name: str, tmp_path: Path, temporary: Path) -> None:
    refused(
        tar(tmp_path / "bundle.tar", [BOOT_ID, member(name, b"evil")]), "outside of its folder, or too deep", temporary
    )
    assert not list(tmp_path.rglob("evil"))


def test_more_files_than_allowed(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_bundle, "MAX_MEMBERS", 20)
    many = [member(f"var/{number}") for number in range(30)]
    refused(tar(tmp_path / "many.tar", many), "more than 20 files", temporary)
    deep = [member("var/" + "/".join("abcdefghijklmnopqrstuvwxyz"))]
    refused(tar(tmp_path / "deep.tar", deep), "more than 20 files", temporary)


def test_more_bytes_than_allowed(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_bundle, "MAX_BYTES", 3_000_000)
    members = [BOOT_ID, *(member(f"var/{number}", bytes(2_000_000)) for number in range(2))]
    refused(tar(tmp_path / "bundle.tar", members), "holds more than", temporary)


def test_a_member_that_announces_more_than_is_allowed_is_not_begun(tmp_path: Path, temporary: Path) -> None:
    info = member("var/huge")[0]
    info.size = 2**40
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    refused(bundle, "more than 2 GiB", temporary)


def test_a_header_without_an_end_is_not_read_to_its_end(tmp_path: Path, temporary: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 2**33
    bundle = tmp_path / "bundle.tar.zst"
    zeros = zstandard.ZstdCompressor().compress(header.tobuf(tarfile.GNU_FORMAT) + b"1" * (HEADERS * 3))
    bundle.write_bytes(zeros)
    refused(bundle, "a header of more than 4 MiB", temporary)


@pytest.mark.parametrize("cut", [1, 300, 600, 2000])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst"])
def test_a_bundle_that_was_cut_off(suffix: str, cut: int, tmp_path: Path, temporary: Path) -> None:
    content = PACKERS.get(suffix, bytes)(
        tar(tmp_path / "whole.tar", [BOOT_ID, member("var/noise", os.urandom(4000))]).read_bytes()
    )
    bundle = tmp_path / "cut.tar"
    bundle.write_bytes(content[:cut])
    refused(bundle, "damaged", temporary)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst"])
def test_a_bundle_that_was_cut_between_two_members_or_in_a_header(suffix: str, tmp_path: Path, temporary: Path) -> None:
    """A member that is not there would be taken for one that was never written."""
    members = [BOOT_ID, member("var/lib/systemd/pstore/dmesg-efi-1", b"x" * 700), member("var/noise", b"y" * 30_000)]
    content = tar(tmp_path / "whole.tar", members).read_bytes()
    with tarfile.open(tmp_path / "whole.tar") as archive:
        end = archive.getmembers()[-1].offset_data + 30_208  # whole blocks
    packed = PACKERS.get(suffix, bytes)
    for size in [*range(1024, 4096 + 1, 256), end - 512, end]:
        bundle = tmp_path / f"cut{size}{suffix}"
        bundle.write_bytes(packed(content[:size]))
        refused(bundle, "is damaged", temporary)
    bundle.write_bytes(packed(content[: end + 512]))
    with unpacked(bundle) as tree:
        assert (tree.root / "var/noise").stat().st_size == 30_000


def test_a_bundle_with_a_header_that_was_damaged(tmp_path: Path, temporary: Path) -> None:
    content = bytearray(tar(tmp_path / "whole.tar", [BOOT_ID, member("var/noise", b"y" * 300)]).read_bytes())
    content[content.index(b"var/noise")] ^= 1
    bundle = tmp_path / "damaged.tar"
    bundle.write_bytes(content)
    refused(bundle, "no end of the archive", temporary)


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, bytes(10240), os.urandom(20_000)])
def test_what_is_no_bundle(content: bytes, tmp_path: Path, temporary: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(content)
    refused(bundle, "damaged|holds no tree|is empty", temporary)


def test_a_bundle_without_a_tree_and_one_with_two(tmp_path: Path, temporary: Path) -> None:
    refused(tar(tmp_path / "none.tar", [member("README", b"x"), member("notes/x", b"x")]), "holds no tree", temporary)
    two = [member(f"{name}/proc/uptime", b"1") for name in ("spark01", "spark02")]
    refused(tar(tmp_path / "two.tar", two), "more than one tree: spark01, spark02", temporary)


def test_folders_and_devices_are_no_bundles(tmp_path: Path, temporary: Path) -> None:
    for place in (tmp_path, Path("/dev/zero")):
        refused(place, "is no file", temporary)
    refused(tmp_path / "nothing.tar", "No such file or directory", temporary)
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "is no file", temporary)


def test_what_is_no_bundle_is_refused_with_the_next_step(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "empty.tar").touch()
    (tmp_path / "noise.tar").write_text("noise\n")
    packed = gzip.compress(tar(tmp_path / "whole.tar", [BOOT_ID]).read_bytes())
    (tmp_path / "cut.tar.gz").write_bytes(packed[:-20])
    for name, words, hint in (
        ("missing.tar", "cannot be read: No such file or directory", "of a saved tree"),
        ("empty.tar", "is empty", "of a saved tree"),
        ("noise.tar", "is damaged", "copy it"),
        ("cut.tar.gz", "is damaged", "copy it"),
    ):
        refusal = refused(tmp_path / name, f"{name} {words}", temporary)
        assert hint in (refusal.hint or ""), name


def test_it_is_removed_when_something_goes_wrong(tmp_path: Path, temporary: Path) -> None:
    bundle = tar(tmp_path / "bundle.tar", [BOOT_ID])
    with pytest.raises(RuntimeError), unpacked(bundle):
        raise RuntimeError(str(list(temporary.iterdir())))
    assert list(temporary.iterdir()) == []


@contextlib.contextmanager
def unpacking(bundle: Path, home: Path, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has unpacked a bundle and does not leave by itself."""
    script = (
        "import sys, time; from pathlib import Path; from sparkctl.app.tree_bundle import unpacked\n"
        "with unpacked(Path(sys.argv[1])):\n print('ready', flush=True)\n time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(bundle)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**environment(home), "TMPDIR": str(temporary), "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_is_removed_when_a_signal_ends_the_program(number: signal.Signals, tmp_path: Path, temporary: Path) -> None:
    bundle = tar(tmp_path / "bundle.tar", [BOOT_ID])
    with unpacking(bundle, tmp_path, temporary) as process:
        assert list(temporary.iterdir()) != []
        process.send_signal(number)
        assert process.wait(timeout=30) != 0
    assert list(temporary.iterdir()) == []


def test_what_a_killed_program_left_behind_is_removed_by_the_next(tmp_path: Path, temporary: Path) -> None:
    bundle = tar(tmp_path / "bundle.tar", [BOOT_ID])
    with unpacking(bundle, tmp_path, temporary) as killed, unpacking(bundle, tmp_path, temporary) as living:
        killed.kill()
        killed.wait()
        (left, alive) = sorted(temporary.iterdir(), key=lambda folder: (folder / "lock").stat().st_ctime_ns)
        with unpacked(bundle):
            assert alive.exists()
            assert not left.exists()
        living.kill()
        living.wait()
    assert list(temporary.iterdir()) == [alive]
    with unpacked(bundle):
        assert not alive.exists()


def test_folders_that_are_not_ours_or_held_by_nobody_we_know_stay(tmp_path: Path, temporary: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (temporary / f"{PREFIX}linked").symlink_to(elsewhere)
    for name in (f"{PREFIX}unlocked", f"{PREFIX}open", f"{PREFIX}trap", "another"):
        (temporary / name).mkdir(mode=0o700)
    (temporary / f"{PREFIX}open").chmod(0o755)
    for name in (f"{PREFIX}open", "another"):
        (temporary / name / "lock").touch()
    (temporary / f"{PREFIX}trap" / "lock").symlink_to(elsewhere / "lock")
    before = sorted(temporary.iterdir())
    with unpacked(tar(tmp_path / "bundle.tar", [BOOT_ID])):
        pass
    assert sorted(temporary.iterdir()) == before
    assert (elsewhere / "lock").exists()
    for path in before:
        path.unlink() if path.is_symlink() else shutil.rmtree(path)


def test_the_command_reads_a_bundle_as_it_reads_its_tree(tmp_path: Path, temporary: Path) -> None:
    root = build_machine(tmp_path / "CASE" / "root", ["reboot"])
    bundle = tmp_path / "case.tar.zst"
    with tarfile.open(tmp_path / "case.tar", "w") as archive:
        archive.add(tmp_path / "CASE", "CASE")
    bundle.write_bytes(zstandard.compress((tmp_path / "case.tar").read_bytes()))
    answers = [
        sparkctl("reset-reason", *which, "--format", "jsonl", home=tmp_path, TMPDIR=str(temporary))
        for which in (["--bundle", str(bundle)], ["--root", str(root)])
    ]
    assert [ran.returncode for ran in answers] == [0, 0]
    (packed,), (plain,) = map(json_lines, answers)
    assert packed["data"] == plain["data"]
    assert list(temporary.iterdir()) == []
