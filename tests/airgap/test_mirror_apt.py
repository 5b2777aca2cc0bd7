"""What a mirror of an archive does not let pass, and what the tools that bring it are not believed."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.airgap.gaps import must
from tests.airgap.mirrors import (
    Mirroring,
    change,
    gone_on_after,
    not_synced,
    served_copy,
    snapshots,
    template_in,
    wait_for_another_second,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirroring]:
    with template_in(tmp_path_factory.mktemp("template")) as made:
        yield made


@pytest.fixture
def mirrors(template: Mirroring, tmp_path: Path) -> Iterator[Mirroring]:
    """An archive of which one suite is mirrored."""
    with served_copy(template, tmp_path) as made:
        made.settings(suites=["noble"])
        yield made


def test_a_mirror_that_cannot_be_planned_does_not_stop_the_others(mirrors: Mirroring) -> None:
    entry = {"uri": f"{mirrors.url}/ubuntu-ports/", "suites": "noble", "components": "main", "signed_by": "owner.asc"}
    mirrors.write({"first": entry | {"uri": f"{mirrors.url}/nothing/"}, "second": entry})
    ran = mirrors.run("plan")
    gone_on_after(ran, 2, "first: NOT PLANNED: ", "404")
    assert "second (apt): 62,016 bytes" in ran.stdout
    assert "at least 62,016 bytes in all" in ran.stdout
    said = [json.loads(line) for line in mirrors.run("plan", form="jsonl").stdout.splitlines()]
    assert [(one["mirror"], one.get("exit_code"), one.get("bytes")) for one in said] == [
        ("first", 2, None), ("second", None, 62_016)
    ]  # fmt: skip


def deb(mirrors: Mirroring) -> Path:
    return mirrors.archive.folder / "pool/main/t/tool/tool_1.0_arm64.deb"


def test_a_key_that_is_not_the_owners_is_refused(mirrors: Mirroring) -> None:
    mirrors.keys.make("other")
    mirrors.keys.public("other", mirrors.top / "other.asc")
    mirrors.settings(signed_by="other.asc")
    gone_on_after(mirrors.run("plan"), 4, "NOT PLANNED", "the key that signed it is not the one that was named")
    assert "the key that signed it is not the one that was named" in not_synced(mirrors, 4)


@pytest.mark.parametrize("how", ["unsigned", "changed", "expired"])
def test_an_archive_without_a_good_signature_is_refused(mirrors: Mirroring, how: str) -> None:
    signed = mirrors.archive.folder / "dists/noble/InRelease"
    if how == "unsigned":
        shutil.copy(signed.with_name("Release"), signed)
    elif how == "changed":
        signed.write_text(signed.read_text().replace("Label: Test", "Label: Best"))
    else:
        mirrors.keys.gpg("--quick-generate-key", "late <late@example.net>", "ed25519", "sign", "seconds=1")
        mirrors.keys.gpg("--armor", "--export", "--output", str(mirrors.top / "late.asc"), "late@example.net")
        mirrors.settings(signed_by="late.asc")
        faked = ("--faked-system-time", "20200101T000000!")
        mirrors.keys.gpg(*faked, "--quick-generate-key", "old <old@example.net>", "ed25519", "sign", "2020-02-01")
        (mirrors.top / "late.asc").unlink()
        mirrors.keys.public("old", mirrors.top / "late.asc")
        release = str(signed.with_name("Release"))
        mirrors.keys.gpg(*faked, "--local-user", "old@example.net", "--clearsign", "--output", str(signed), release)
    words = {"unsigned": "nobody signed it", "changed": "it was changed after it was signed",
             "expired": "the key that signed it has expired"}  # fmt: skip
    gone_on_after(mirrors.run("plan"), 4, "NOT PLANNED", words[how])
    assert words[how] in not_synced(mirrors, 4)


def test_a_list_of_packages_that_nobody_signed_is_given_to_no_tool(mirrors: Mirroring) -> None:
    """debmirror itself would take both, and remove or write a file wherever the list says."""
    victim = mirrors.top / "victim"
    victim.write_text("of the operator")
    index = b"Package: x\nArchitecture: arm64\nFilename: ../../../../victim\nSize: 1\nSHA256: " + b"0" * 64 + b"\n\n"
    for suite in ("noble", "noble-updates"):
        dists = mirrors.archive.folder / "dists" / suite
        lines = [f"Origin: Ubuntu\nSuite: {suite}\nCodename: noble\nSHA256:"]
        for component in ("main", "universe"):
            packages = dists / component / "binary-arm64/Packages"
            packages.with_suffix(".xz").unlink()
            for path, content in ((packages, index), (packages.with_suffix(".gz"), gzip.compress(index))):
                path.write_bytes(content)
                lines.append(f" {hashlib.sha256(content).hexdigest()} {len(content)} {path.relative_to(dists)}")
        (dists / "Release").write_text("\n".join(lines) + "\n")
        (dists / "Release.gpg").unlink()
    not_synced(mirrors, 2)
    assert victim.read_text() == "of the operator"


def test_translations_and_what_shells_look_up_come_for_our_architectures(mirrors: Mirroring) -> None:
    dists = mirrors.archive.folder / "dists/noble"
    beside = ("i18n/Translation-de.gz", "dep11/Components-arm64.yml.gz", "dep11/Components-amd64.yml.gz")
    for path in beside:
        (dists / "main" / path).parent.mkdir(exist_ok=True)
        (dists / "main" / path).write_bytes(path.encode())
    mirrors.publish("noble")
    must(mirrors.run("sync"))
    [made] = snapshots(mirrors)
    assert [(made / "dists/noble/main" / path).is_file() for path in beside] == [True, True, False]


def test_another_suite_of_the_same_owner_is_not_taken_for_one(mirrors: Mirroring) -> None:
    mirrors.settings(suites=["noble", "noble-updates"])
    dists = mirrors.archive.folder / "dists"
    shutil.rmtree(dists / "noble-updates")
    shutil.copytree(dists / "noble", dists / "noble-updates")
    words = "dists/noble-updates/InRelease of ubuntu is refused: it is of the suite noble, and not of noble-updates"
    gone_on_after(mirrors.run("plan"), 4, "NOT PLANNED", words)
    assert words in not_synced(mirrors, 4)


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("damage", "words"),  # of the first two, debmirror 2.37 says `Everything OK`
    [(change, "is not what was listed"), (shorten, "has 20,663 bytes, where 20,672 are listed"),
     (Path.unlink, "debmirror did not bring ubuntu")],
)  # fmt: skip
def test_a_package_that_is_not_what_the_owner_signed_is_not_mirrored(
    mirrors: Mirroring, damage: Callable[[Path], None], words: str
) -> None:
    damage(deb(mirrors))
    assert words in not_synced(mirrors, 2)


LIAR = """#!/bin/sh
# Says that all went well.
[ "$1" = --version ] && exec {real} --version
{real} "$@"
cd "$(eval echo \\${{$#}})"
{line}
exit 0
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("printf x >> pool/main/t/tool/tool_1.0_arm64.deb", "has 20,673 bytes, where 20,672 are listed"),
        ("printf x | dd of=pool/main/t/tool/tool_1.0_arm64.deb bs=1 seek=99 conv=notrunc", "is not what was listed"),
        ("rm pool/main/t/tool/tool_1.0_arm64.deb", "is listed and is not there"),
        ("rm dists/noble/main/binary-arm64/Packages*", "dists/noble/main/binary-arm64/Packages is not there"),
        ("printf x >> dists/noble/main/binary-arm64/Packages.xz", "bytes, where"),
        ("sed -i s/Test/Best/ dists/noble/InRelease", "it was changed after it was signed"),
        ("rm -r dists/noble-updates", "there is no dists/noble-updates/InRelease in"),
        ("ln -sf /etc/hostname pool/main/t/tool/tool_1.0_arm64.deb", "tool_1.0_arm64.deb"),
    ],
)
def test_a_tool_that_says_that_all_is_well_is_not_believed(mirrors: Mirroring, line: str, words: str) -> None:
    liar = mirrors.top / "lies/debmirror"
    liar.parent.mkdir()
    liar.write_text(LIAR.format(real=shutil.which("debmirror"), line=line))
    liar.chmod(0o755)
    mirrors.settings(suites=["noble", *["noble-updates"] * ("noble-updates" in line)])
    code = 4 if "signed" in words else 2
    path = f"{liar.parent}:{mirrors.top}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert words in not_synced(mirrors, code, PATH=path)


def test_what_nobody_signed_is_left_out_and_told(mirrors: Mirroring) -> None:
    must(mirrors.run("sync"))
    stray = mirrors.shelf / "work/ubuntu/archive/pool/main/t/tool/stray.deb"
    liar = mirrors.top / "lies/debmirror"
    liar.parent.mkdir()
    liar.write_text(LIAR.format(real=shutil.which("debmirror"), line=f"echo hello > {stray}"))
    liar.chmod(0o755)
    mirrors.archive.add("fresh", "1.0")
    mirrors.publish("noble")
    wait_for_another_second(mirrors)
    ran = must(mirrors.run("sync", PATH=f"{liar.parent}:{mirrors.top}/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
    assert "left out: 1 files that no signed index lists, such as pool/main/t/tool/stray.deb" in ran.stdout
    assert not list((mirrors.shelf / "snapshots").rglob("stray.deb"))


def test_an_origin_that_goes_back_in_time_is_refused(mirrors: Mirroring) -> None:
    before = mirrors.top / "before"
    shutil.copytree(mirrors.archive.folder / "dists", before)
    mirrors.archive.add("tool", "1.1")
    mirrors.archive.sign("noble", ("main", "universe"), Date="Tue, 01 Dec 2026 00:00:00 +0000")
    must(mirrors.run("sync"))
    shutil.rmtree(mirrors.archive.folder / "dists")
    shutil.copytree(before, mirrors.archive.folder / "dists")
    assert "noble of ubuntu is of" in not_synced(mirrors, 4)
