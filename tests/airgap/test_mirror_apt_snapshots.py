"""Snapshots of an archive: what they share, what stops them, and those that the site signs again."""

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

from tests.airgap.gaps import must, refused
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
from tests.airgap.test_mirror_journey import far_side
from tests.support.archive import Archive, build_package

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


def test_a_snapshot_shares_what_did_not_change_and_stays_what_it_was(mirrors: Mirroring) -> None:
    must(mirrors.run("sync"))
    [first] = snapshots(mirrors)
    digests = digests_of(first)
    assert must(mirrors.run("sync")).stdout.startswith(f"ubuntu/{first.name} is still what there is")
    mirrors.archive.add("tool", "1.1")
    mirrors.publish("noble")
    wait_for_another_second(mirrors)
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
    mirrors.publish("noble")
    mirrors.settings(suites=["noble"], signed_by="heir.asc")
    wait_for_another_second(mirrors)
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
    mirrors.publish("noble")
    wait_for_another_second(mirrors)
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
    wait_for_another_second(mirrors)
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
    wait_for_another_second(mirrors)
    [made] = mirrors.said("sync")
    assert (made["counts"]["packages"], made["left_out"]) == (2, [])
    assert fingerprint in made["proven_by"][0]
    signed = mirrors.shelf / "snapshots/cuda" / made["stamp"] / "dists/stable/InRelease"
    assert "\nOrigin: Test\nLabel: Flat\n" in signed.read_text()
    assert not mirrors.said("sync")[0]["fresh"]
    change(flat.folder / "cuda-runtime_13.0_arm64.deb")
    shutil.rmtree(mirrors.shelf / "work")
    assert "aptly did not mirror update cuda" in not_synced(mirrors, 2)
