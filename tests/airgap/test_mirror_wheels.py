"""Wheels from a stand-in for an index, by the real pip, onto the shelf, and installed from it without a network."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airgap.gaps import must
from tests.airgap.sites import OneMirror, not_synced
from tests.support.command import environment, json_lines
from tests.support.wheelhouse import Index, build_wheel, lock_line, sha256

pytestmark = pytest.mark.slow
Ran = subprocess.CompletedProcess[str]
ARM = "cp312-cp312-manylinux_2_28_aarch64"
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "origin") as started:
        yield started


class Site(OneMirror):
    """A mirror.yaml with one mirror of wheels, beside its lock file."""

    def __init__(self, top: Path, url: str) -> None:
        super().__init__(top, "serving")
        entry = {"requirements": "requirements.txt", "index": url}
        document = {"version": 1, "folder": "mirror", "url": "http://127.0.0.1:8087", "wheels": {"serving": entry}}
        self.file.write_text(json.dumps(document))

    def lock(self, *lines: str) -> None:
        (self.top / "requirements.txt").write_text("".join(lines))


def test_wheels_come_are_proven_and_are_served_with_an_index(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, index.url)
    arm = build_wheel(index.folder, "gpu-kernels", "2.1", ARM, requires=("Pure.Thing>=1; platform_machine=='aarch64'",))
    pure = build_wheel(index.folder, "pure-thing", python=">=3.8")
    build_wheel(index.folder, "pure-thing", "9.0")
    site.lock(
        "# made by uv pip compile\n", lock_line(arm), lock_line(pure, "sys_platform == 'linux'"),
        lock_line(pure, "sys_platform == 'win32'").replace("pure-thing", "not-for-us"),
    )  # fmt: skip

    (planned,) = json_lines(must(site.mirror("plan")))[:1]
    assert planned["bytes"] == arm.stat().st_size + pure.stat().st_size
    assert planned["counts"] == {"distributions": 2, "wheels": 2}
    (said,) = json_lines(must(site.mirror("sync")))
    assert said["left_out"] == []
    assert any("2 wheels: each has a SHA-256 digest" in words for words in said["proven_by"])
    assert any("all that the wheels need is there" in words for words in said["proven_by"])

    made, place = site.snapshot()
    assert {file.path for file in made.files} == {
        f"wheels/{arm.name}", f"wheels/{pure.name}", "requirements.txt", "simple/index.html",
        "simple/gpu-kernels/index.html", "simple/pure-thing/index.html",
    }  # fmt: skip
    page = (place / "simple/pure-thing/index.html").read_text()
    assert f'<a href="../../wheels/{pure.name}#sha256={sha256(pure)}" data-requires-python="&gt;=3.8">' in page
    assert not json_lines(must(site.mirror("sync")))[0]["fresh"]
    must(site.mirror("verify"))


def test_a_client_without_a_network_installs_from_the_mirror(tmp_path: Path, index: Index) -> None:
    unshared = ["unshare", "-n", "true"]
    if os.geteuid() != 0 or subprocess.run(unshared, check=False, capture_output=True).returncode != 0:
        pytest.skip("a network namespace needs root and the right to make one")
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    site = Site(tmp_path, index.url)
    arm = build_wheel(index.folder, "gpu-kernels", "2.1+cu130", ARM, requires=("pure-thing",))
    pure = build_wheel(index.folder, "pure-thing")
    site.lock(lock_line(arm), lock_line(pure))
    must(site.mirror("sync"))
    must(site.mirror("promote", "serving", "--ring", "canary"))
    told = must(site.mirror("client", "--ring", "canary", "--out", tmp_path / "client")).stdout
    assert '"unproven": ["serving"]' in told  # by http, pip believes whoever answers
    block = must(site.mirror("nginx")).stdout
    (tmp_path / "nginx.conf").write_text(
        f"user root;\nevents {{}}\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\n"
        f"http {{ access_log {tmp_path}/access.log;\n{block}\n}}\n"
    )
    url = "http://127.0.0.1:8087/canary/serving"
    lines = f"""
        ip link set lo up
        nginx -c {tmp_path}/nginx.conf
        trap 'kill $(cat {tmp_path}/pid)' EXIT
        {sys.executable} -m venv --without-pip venv
        export PIP_CONFIG_FILE={tmp_path}/client/etc/pip.conf
        {sys.executable} -m pip --python venv/bin/python install --quiet pure-thing
        venv/bin/python -c 'import pure_thing; print(pure_thing.NAME)'
        {sys.executable} -m pip install --quiet --target arm --require-hashes --only-binary=:all: \
            --python-version 3.12 --platform manylinux_2_28_aarch64 -r {url}/requirements.txt
        ls arm
    """
    home = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    ran = subprocess.run(
        ["unshare", "-n", "bash", "-euo", "pipefail", "-c", lines], cwd=tmp_path, env=home, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, (ran.stdout, ran.stderr, (tmp_path / "error.log").read_text())
    assert ran.stdout.splitlines()[0] == "pure-thing"
    assert {"gpu_kernels.py", "pure_thing.py"} <= set(ran.stdout.split())
    assert "/canary/serving/wheels/gpu_kernels-2.1" in (tmp_path / "access.log").read_text()


def test_a_changed_byte_at_the_origin_is_refused(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, index.url)
    pure = build_wheel(index.folder, "pure-thing")
    site.lock(lock_line(pure))
    pure.with_name(f"{pure.name}.claimed").write_text(sha256(pure))
    content = bytearray(pure.read_bytes())
    content[40] ^= 1
    pure.write_bytes(content)
    not_synced(site.mirror("sync"), 4, "what the index gives as pure-thing 1.0 has none of the digests")
    assert not (tmp_path / "mirror/snapshots").exists()


def test_a_release_with_another_digest_is_refused(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, index.url)
    pure = build_wheel(index.folder, "pure-thing")
    site.lock(lock_line(pure, digest="0" * 64))
    not_synced(site.mirror("sync"), 4, "what the index gives as pure-thing 1.0 has none of the digests")


@pytest.mark.parametrize("speaks_json", [True, False])
def test_a_requirement_without_a_wheel_for_the_machine_is_named(
    tmp_path: Path, index: Index, *, speaks_json: bool
) -> None:
    index.speaks_json = speaks_json
    site = Site(tmp_path, index.url)
    other = build_wheel(index.folder, "gpu-kernels", "2.1", "cp312-cp312-manylinux_2_28_x86_64")
    source = index.folder / "gpu-kernels-2.1.tar.gz"
    source.write_bytes(b"only its source")
    site.lock(lock_line(other).rstrip("\n"), f" --hash=sha256:{sha256(source)}\n")
    (planned,) = json_lines(must(site.mirror("plan")))[:1]
    assert planned["not_covered"] == [
        "THERE IS NO WHEEL OF GPU-KERNELS 2.1 for aarch64 with Python 3.12: sync would refuse"
    ]
    not_synced(site.mirror("sync"), 2, "the index has no wheel of gpu-kernels 2.1 for aarch64 with Python 3.12")


def test_a_wheel_that_calls_itself_otherwise_is_refused(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, index.url)
    pure = build_wheel(index.folder, "pure-thing", called="other-thing")
    site.lock(lock_line(pure))
    ran = site.mirror("sync")
    assert ran.returncode in {2, 4}
    assert "other-thing" in json_lines(ran)[0]["error"]


def test_an_index_that_does_not_answer_is_not_taken_for_one_without_wheels(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, "http://127.0.0.1:9/simple")
    site.lock(lock_line(build_wheel(index.folder, "pure-thing")))
    not_synced(site.mirror("sync"), 2, "pip did not bring pure-thing 1.0")
    assert site.mirror("plan").returncode == 2


def test_what_a_wheel_needs_and_is_not_there_is_told_in_capitals(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, index.url)
    needs = ("absent-thing>2", "for-windows; sys_platform=='win32'", "only-asked; extra=='more'")
    pure = build_wheel(index.folder, "pure-thing", requires=needs)
    user = build_wheel(index.folder, "user-thing", requires=("pure-thing[more]",))
    site.lock(lock_line(pure), lock_line(user))
    (said,) = json_lines(must(site.mirror("sync")))
    where = "IS NOT IN THE MIRROR, and pure-thing 1.0 needs it on aarch64 with Python 3.12"
    assert said["left_out"] == [f"ABSENT-THING>2 {where}", f"ONLY-ASKED {where}"]


def test_a_sync_that_was_killed_goes_on(tmp_path: Path, index: Index) -> None:
    site = Site(tmp_path, index.url)
    first, second = build_wheel(index.folder, "first-thing"), build_wheel(index.folder, "second-thing")
    site.lock(lock_line(first), lock_line(second))
    reached, go_on = threading.Event(), threading.Event()

    def stall(name: str) -> None:
        if name == second.name and not reached.is_set():
            reached.set()
            go_on.wait(60)

    index.before = stall
    command = [sys.executable, "-m", "sparkctl", "airgap", "mirror", "sync", str(site.file)]
    running = subprocess.Popen(command, cwd=PROJECT, env=environment(tmp_path), stdout=subprocess.DEVNULL)
    assert reached.wait(60)
    running.send_signal(signal.SIGKILL)
    running.wait()
    go_on.set()
    index.asked.clear()
    must(site.mirror("sync"))
    assert not any(first.name in path for path in index.asked)
    assert any(second.name in path for path in index.asked)
