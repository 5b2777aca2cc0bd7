"""What a mirror of an archive does not let pass, and what the tools that bring it are not believed."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.airgap.gaps import Ran, must, refused
from tests.airgap.mirrors import Mirroring, mirroring, require_tools
from tests.airgap.test_mirror_journey import far_side
from tests.support.archive import Archive, build_package
from tests.support.web import served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirroring]:
    """An archive that is copied for each test; its keys are shared."""
    require_tools()
    top = tmp_path_factory.mktemp("template")
    made = mirroring(top, "http://127.0.0.1:1")
    yield made
    made.keys.close()


@pytest.fixture
def mirrors(template: Mirroring, tmp_path: Path) -> Iterator[Mirroring]:
    shutil.copytree(template.top / "www", tmp_path / "www")
    shutil.copy(template.top / "owner.asc", tmp_path)
    with served(tmp_path / "www", tmp_path / "nginx") as url:
        archive = Archive(tmp_path / "www/ubuntu-ports", template.keys, "owner")
        made = Mirroring(tmp_path, url, template.keys, archive)
        made.settings()
        yield made


def gone_on_after(ran: Ran, code: int, what: str, words: str) -> None:
    """One mirror or snapshot is told in one sentence with what to do, and the others in theirs."""
    assert ran.returncode == code, ran.stdout + ran.stderr
    [said] = [line for line in ran.stdout.splitlines() if what in line]
    assert words in said
    assert "\n  → " in ran.stdout
    assert ran.stderr == ""


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


def not_synced(mirrors: Mirroring, code: int, *arguments: str, **how: str) -> str:
    """Why a sync failed, in one sentence with what to do; no snapshot was made."""
    before = snapshots(mirrors)
    ran = mirrors.run("sync", *arguments, **how)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    lines = ran.stdout.splitlines()
    [said] = [line for line in lines if "NOT SYNCED" in line]
    assert any(line.startswith("  → ") for line in lines)
    assert snapshots(mirrors) == before
    return said


def snapshots(mirrors: Mirroring) -> list[Path]:
    return sorted((mirrors.shelf / "snapshots").glob("*/*"))


def deb(mirrors: Mirroring) -> Path:
    return mirrors.archive.folder / "pool/main/t/tool/tool_1.0_arm64.deb"


def change(path: Path) -> None:
    """Turn one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


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
    mirrors.publish()
    must(mirrors.run("sync"))
    [made] = snapshots(mirrors)
    assert [(made / "dists/noble/main" / path).is_file() for path in beside] == [True, True, False]


def test_another_suite_of_the_same_owner_is_not_taken_for_one(mirrors: Mirroring) -> None:
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
    mirrors.publish()
    time.sleep(1)  # a snapshot is named by its second
    ran = must(mirrors.run("sync", PATH=f"{liar.parent}:{mirrors.top}/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
    assert "left out: 1 files that no signed index lists, such as pool/main/t/tool/stray.deb" in ran.stdout
    assert not list((mirrors.shelf / "snapshots").rglob("stray.deb"))


def test_an_origin_that_goes_back_in_time_is_refused(mirrors: Mirroring) -> None:
    before = mirrors.top / "before"
    shutil.copytree(mirrors.archive.folder / "dists", before)
    mirrors.archive.add("tool", "1.1")
    for suite in ("noble", "noble-updates"):
        mirrors.archive.sign(suite, ("main", "universe"), Date="Tue, 01 Dec 2026 00:00:00 +0000")
    must(mirrors.run("sync"))
    shutil.rmtree(mirrors.archive.folder / "dists")
    shutil.copytree(before, mirrors.archive.folder / "dists")
    assert "noble of ubuntu is of" in not_synced(mirrors, 4)


def test_a_snapshot_shares_what_did_not_change_and_stays_what_it_was(mirrors: Mirroring) -> None:
    must(mirrors.run("sync"))
    [first] = snapshots(mirrors)
    digests = digests_of(first)
    assert must(mirrors.run("sync")).stdout.startswith(f"ubuntu/{first.name} is still what there is")
    mirrors.archive.add("tool", "1.1")
    mirrors.publish()
    time.sleep(1)  # a snapshot is named by its second
    must(mirrors.run("sync"))
    second = snapshots(mirrors)[1]
    kept = "pool/main/d/driver/driver_1.0_arm64.deb"
    assert (first / kept).stat().st_ino == (second / kept).stat().st_ino
    work = mirrors.shelf / "work/ubuntu/archive" / kept
    assert work.stat().st_ino != (first / kept).stat().st_ino
    assert digests_of(first) == digests
    assert (second / "pool/main/t/tool/tool_1.1_arm64.deb").is_file()
    must(mirrors.run("verify"))
    must(mirrors.run("promote", f"ubuntu/{first.name}", "--ring", "canary"))
    assert must(mirrors.run("prune", "--keep", "1")).stdout == "nothing to remove\n"
    must(mirrors.run("promote", "ubuntu", "--ring", "canary"))
    assert must(mirrors.run("prune", "--keep", "1")).stdout == f"removed ubuntu/{first.name}\n"
    assert snapshots(mirrors) == [second]


def digests_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_another_key_of_the_owner_is_told_and_gets_to_no_ring_in_passing(mirrors: Mirroring) -> None:
    must(mirrors.run("sync"))
    must(mirrors.run("promote", "ubuntu", "--ring", "canary"))
    mirrors.keys.make("heir")
    mirrors.keys.public("heir", mirrors.top / "heir.asc")
    mirrors.archive.signer = "heir"
    mirrors.publish()
    mirrors.settings(signed_by="heir.asc")
    time.sleep(1)  # a snapshot is named by its second
    told = must(mirrors.run("sync")).stdout
    assert told.count("\n  OTHER KEYS: it is vouched for by the OpenPGP key ") == 1
    assert told.count("\n  OTHER KEYS: it is no longer vouched for by the OpenPGP key ") == 1
    words = ("promote", "ubuntu", "--ring", "canary", "--reason", "nobody waits")
    refused(mirrors.run(*words), 4, "is vouched for by the OpenPGP key")
    assert mirrors.run(*words[:4], "--new-trust").returncode == 2
    must(mirrors.run(*words, "--new-trust"))


def test_a_damaged_snapshot_reaches_no_ring_and_no_far_side(mirrors: Mirroring, tmp_path: Path) -> None:
    must(mirrors.run("sync"))
    [made] = snapshots(mirrors)
    mirrors.archive.add("tool", "1.1")
    mirrors.publish()
    time.sleep(1)  # a snapshot is named by its second
    must(mirrors.run("sync"))
    change(made / "dists/noble/InRelease")
    [_, good] = snapshots(mirrors)
    ran = mirrors.run("verify")
    gone_on_after(ran, 2, "NOT PROVEN", "dists/noble/InRelease is not what it was")
    assert f"ubuntu/{good.name} holds: " in ran.stdout
    shutil.rmtree(good)
    change(made / "dists/noble/InRelease")
    change(made / "pool/main/t/tool/tool_1.0_arm64.deb")
    [said] = [json.loads(line) for line in mirrors.run("verify", form="jsonl").stdout.splitlines()]
    assert (said["mirror"], said["stamp"], said["holds"], said["exit_code"]) == ("ubuntu", made.name, False, 2)
    assert "tool_1.0_arm64.deb is not what it was" in said["error"]
    refused(mirrors.run("promote", "ubuntu", "--ring", "canary"), 2, "is damaged")
    far = far_side(tmp_path / "far")
    refused(far.run("take", mirrors.shelf / "snapshots"), 2, "is not what was listed")
    assert not snapshots(far)
    document = made / "snapshot.json"
    document.chmod(0o644)
    document.write_text(document.read_text().replace("ubuntu", "debian"))
    refused(far.run("take", mirrors.shelf / "snapshots"), 4, "says that it is debian/")


SLOW = """#!/bin/sh
# As debmirror, but that it takes long over something when all is fetched.
[ "$1" = --version ] && exec {real} --version
{real} "$@" || exit 1
touch {mark}
exec sleep 600
"""


def test_a_sync_that_is_killed_leaves_nothing_half_and_no_tool_behind(mirrors: Mirroring) -> None:
    mark, slow = mirrors.top / "fetched", mirrors.top / "slow/debmirror"
    slow.parent.mkdir()
    slow.write_text(SLOW.format(real=shutil.which("debmirror"), mark=mark))
    slow.chmod(0o755)
    command = [sys.executable, "-m", "sparkctl", "airgap", "mirror", "sync", str(mirrors.file)]
    running = subprocess.Popen(command, env=os.environ | {"PATH": f"{slow.parent}:{os.environ['PATH']}"})
    try:
        waited_for(mark.exists)
        refused(mirrors.run("sync"), 75, "another command of `sparkctl airgap mirror` works with")
        tools = [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if parent_of(pid) == running.pid]
        assert len(tools) == 1
        running.kill()
        running.wait(10)
        waited_for(lambda: parent_of(tools[0]) is None)
    finally:
        running.kill()
        running.wait(10)
    assert snapshots(mirrors) == []
    must(mirrors.run("sync"))
    assert len(snapshots(mirrors)) == 1


def waited_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that within 30 s")


def parent_of(pid: int) -> int | None:
    """The parent of a process, None for one that ended."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(parent)


def key_of_site(mirrors: Mirroring) -> str:
    """The fingerprint of a key with which mirrors are signed again; skips where aptly is not here."""
    if shutil.which("aptly") is None:
        pytest.skip("NOT INSTALLED, and not tried: aptly")
    if "site" not in mirrors.keys.gpg("--list-keys"):
        mirrors.keys.make("site")
    listed = mirrors.keys.gpg("--list-secret-keys", "--with-colons", "site@example.net")
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))


def test_an_origin_that_goes_back_is_refused_also_where_the_site_signs_again(mirrors: Mirroring) -> None:
    """What is published then is dated by us, and says nothing of how old it is."""
    mirrors.settings(suites=["noble"], packages=["tool"], sign_with=key_of_site(mirrors))
    before = mirrors.top / "before"
    shutil.copytree(mirrors.archive.folder / "dists", before)
    mirrors.archive.add("tool", "1.1")
    mirrors.archive.sign("noble", ("main", "universe"), Date="Tue, 01 Dec 2026 00:00:00 +0000")
    must(mirrors.run("sync"))
    shutil.rmtree(mirrors.archive.folder / "dists")
    shutil.copytree(before, mirrors.archive.folder / "dists")
    time.sleep(1)  # a snapshot is named by its second
    assert "noble of the owner of ubuntu is of" in not_synced(mirrors, 4)
    mirrors.archive.sign("noble", ("main", "universe"), Valid_Until="Tue, 01 Dec 2020 00:00:00 +0000")
    assert "noble of ubuntu was signed until 2020-12-01 00:00 UTC, and no longer" in not_synced(mirrors, 4)


def test_a_flat_archive_and_a_part_of_one_are_signed_again(mirrors: Mirroring, tmp_path: Path) -> None:
    fingerprint = key_of_site(mirrors)
    flat = Archive(tmp_path / "www/cuda", mirrors.keys, "owner")
    flat.folder.mkdir()
    for name in ("cuda-toolkit", "cuda-runtime", "nvhpc"):
        build_package(flat.folder, name, "13.0", **({"Depends": "cuda-runtime"} if name == "cuda-toolkit" else {}))
    flat.sign_flat()
    entry = {"uri": f"{mirrors.url}/cuda", "suites": "/", "packages": ["cuda-tool*"], "signed_by": "owner.asc"}
    mirrors.write({"cuda": entry})
    refused(mirrors.run("plan"), 2, "has to be signed again")
    mirrors.write({"cuda": entry | {"sign_with": fingerprint}})
    [planned] = mirrors.said("plan")
    assert planned["bytes"] is None
    [made] = mirrors.said("sync")
    assert made["counts"]["packages"] == 1
    assert made["left_out"] == ["cuda-runtime, on which a package depends: name it under `packages`"]
    mirrors.write({"cuda": entry | {"sign_with": fingerprint, "packages": ["cuda-tool*", "cuda-runtime"]}})
    time.sleep(1)  # a snapshot is named by its second
    [made] = mirrors.said("sync")
    assert (made["counts"]["packages"], made["left_out"]) == (2, [])
    assert fingerprint in made["proven_by"][0]
    signed = mirrors.shelf / "snapshots/cuda" / made["stamp"] / "dists/stable/InRelease"
    assert "\nOrigin: Test\nLabel: Flat\n" in signed.read_text()
    assert not mirrors.said("sync")[0]["fresh"]
    change(flat.folder / "cuda-runtime_13.0_arm64.deb")
    shutil.rmtree(mirrors.shelf / "work")
    assert "aptly did not mirror update cuda" in not_synced(mirrors, 2)
