"""Models from a stand-in for a Hub, by real git and curl, onto the shelf, and from there by the Hub's own client."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.airgap.gaps import must
from tests.airgap.sites import OneMirror, not_synced
from tests.support.command import environment, json_lines
from tests.support.hub import BACKEND, Hub, pointer
from tests.support.sshd import free_port
from tests.support.web import configuration, nginx, wait_for

pytestmark = pytest.mark.slow
Ran = subprocess.CompletedProcess[str]
PROJECT = Path(__file__).parents[2]
TINY = "acme/tiny"
SMALL = {
    "config.json": b"{}\n",
    "README.md": b"# tiny\n",
    "modeling_tiny.py": b"print('hello')\n",
    ".gitattributes": b"*\n",
}
LARGE = {"one.safetensors": b"1" * 50_000, "deep/two.safetensors": b"2" * 50_000, "pytorch_model.bin": b"a pickle"}
TAKEN = {"config.json", "README.md", "one.safetensors", "deep/two.safetensors"}
TOKEN = "hf_aVerySecretTokenOfSomebody"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    if shutil.which("git") is None or not BACKEND.exists() or shutil.which("curl") is None:
        pytest.skip("NOT INSTALLED, and models not tried: git with git-http-backend, curl")
    with Hub(tmp_path / "hub") as started:
        yield started


class Site(OneMirror):
    """A mirror.yaml with one mirror of models, `hub`."""

    def __init__(self, top: Path, hub: Hub, port: int = 8088, **entry: Any) -> None:
        super().__init__(top, "hub")
        self.hub, self.port = hub, port
        self.entry = {"endpoint": hub.url, **entry}

    def write(self, revision: str, **more: Any) -> None:
        models = {"hub": {**self.entry, "repositories": {TINY: {"revision": revision, **more}}}}
        document = {"version": 1, "folder": "mirror", "url": f"http://127.0.0.1:{self.port}", "models": models}
        self.file.write_text(json.dumps(document))


def test_a_model_comes_is_proven_and_lies_as_a_hub_has_it(tmp_path: Path, hub: Hub) -> None:
    site, revision = Site(tmp_path, hub), hub.commit(TINY, SMALL, LARGE)
    site.write(revision)
    (planned,) = json_lines(must(site.mirror("plan")))[:1]
    assert planned["bytes"] == sum(len(content) for path, content in {**SMALL, **LARGE}.items() if path in TAKEN)
    assert not any("/resolve/" in path for path, _ in hub.asked)

    (said,) = json_lines(must(site.mirror("sync")))
    (proven,) = said["proven_by"]
    assert f"all 4 files follow from the commit {revision}" in proven
    assert "2 of these files, which lie in Git LFS, by the SHA-256" in proven
    assert [words.split(" IS LEFT OUT: ")[0] for words in said["left_out"][:2]] == [
        f"{TINY}: modeling_tiny.py", f"{TINY}: pytorch_model.bin"
    ]  # fmt: skip
    made, place = site.snapshot()
    files = {file.path for file in made.files}
    assert {path for path in files if "/resolve/" in path} == {f"{TINY}/resolve/{revision}/{path}" for path in TAKEN}
    assert not any("pytorch_model" in path for path, _ in hub.asked)
    summed = ["sha256sum", "--check", "--strict", "--quiet", str(place / TINY / "SHA256SUMS")]
    subprocess.run(summed, cwd=place / TINY / "resolve" / revision, check=True)
    listed = subprocess.run(
        ["git", "--git-dir", place / TINY / "git", "ls-tree", "-r", "--name-only", revision], check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert set(listed.stdout.split()) == {*SMALL, *LARGE}

    hub.asked.clear()
    assert not json_lines(must(site.mirror("sync")))[0]["fresh"]
    assert hub.asked == []
    must(site.mirror("verify"))


def test_pickles_are_taken_by_a_pattern_with_their_ending_alone(tmp_path: Path, hub: Hub) -> None:
    site, revision = Site(tmp_path, hub), hub.commit(TINY, SMALL, LARGE)
    site.write(revision, files=["*"])
    must(site.mirror("sync"))
    assert not any(file.path.endswith((".bin", ".py")) for file in site.snapshot()[0].files)
    shutil.rmtree(tmp_path / "mirror/snapshots")  # no two of them are of one second
    site.write(revision, files=["*.bin"])
    must(site.mirror("sync"))
    assert [file.path for file in site.snapshot()[0].files if "/resolve/" in file.path] == [
        f"{TINY}/resolve/{revision}/pytorch_model.bin"
    ]
    site.write(revision, files=["*.gguf"])
    not_synced(site.mirror("sync"), 2, f"no file of {TINY} is named by its patterns")


def test_the_client_of_the_hub_takes_it_from_nginx(tmp_path: Path, hub: Hub) -> None:
    if nginx() is None or find_spec("huggingface_hub") is None:
        pytest.skip("NOT INSTALLED, and not tried: nginx, huggingface_hub")
    site, revision = Site(tmp_path, hub, free_port()), hub.commit(TINY, SMALL, LARGE)
    site.write(revision)
    must(site.mirror("sync"))
    must(site.mirror("promote", "hub", "--ring", "canary"))
    must(site.mirror("client", "--ring", "canary", "--out", tmp_path / "client"))
    for path in site.snapshot()[1].rglob("*.safetensors"):
        os.utime(path, (1_790_000_000, 1_790_000_000))  # by size and time alone, both weights are one
    settings = configuration(tmp_path / "nginx", must(site.mirror("nginx")).stdout)
    lines = (tmp_path / "client/etc/default/huggingface").read_text().splitlines()
    program = (
        "import sys, huggingface_hub as hub\n"
        f"print(hub.snapshot_download('{TINY}', revision='{revision}'))\n"
        f"hub.snapshot_download('{TINY}', revision='{revision}', local_dir='local')\n"
    )
    with subprocess.Popen([str(nginx()), "-e", "stderr", "-c", str(settings)]) as server:
        try:
            wait_for(site.port, server)
            ran = subprocess.run(
                [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
                env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **dict(line.split("=", 1) for line in lines)},
            )  # fmt: skip
        finally:
            server.terminate()
    assert ran.returncode == 0, ran.stderr
    for folder in (Path(ran.stdout.strip()), tmp_path / "local"):
        for name in TAKEN:
            assert (folder / name).read_bytes() == {**SMALL, **LARGE}[name]


@pytest.mark.parametrize(
    "revision",
    [
        "main",
        pytest.param("v1.0", marks=pytest.mark.thorough),
        pytest.param("abc123", marks=pytest.mark.thorough),
        "A" * 40,
    ],
)
def test_a_branch_or_a_tag_is_no_commit(tmp_path: Path, hub: Hub, revision: str) -> None:
    site = Site(tmp_path, hub)
    site.write(revision)
    ran = site.mirror("sync")
    assert ran.returncode == 2
    assert "revision: must be the 40 digits of a commit, which never changes, as a branch or a tag does" in ran.stderr


def test_a_commit_that_is_not_there_is_told(tmp_path: Path, hub: Hub) -> None:
    site = Site(tmp_path, hub)
    hub.commit(TINY, SMALL)
    site.write("0" * 40)
    not_synced(site.mirror("sync"), 2, "git did not bring 000000000000 of")


def test_a_hub_that_gives_no_commit_by_its_id_gives_its_branches(tmp_path: Path, hub: Hub) -> None:
    site, revision = Site(tmp_path, hub), hub.commit(TINY, SMALL)
    hub.commit(TINY, {**SMALL, "config.json": b"[]\n"})
    hub.old = True
    site.write(revision)
    must(site.mirror("sync"))
    place = site.snapshot()[1] / TINY / "resolve" / revision / "config.json"
    assert place.read_bytes() == SMALL["config.json"]


def test_a_changed_byte_is_refused(tmp_path: Path, hub: Hub) -> None:
    site, revision = Site(tmp_path, hub), hub.commit(TINY, SMALL, LARGE)
    hub.given[TINY, "one.safetensors"] = b"1" * 49_999 + b"2"
    site.write(revision)
    not_synced(site.mirror("sync"), 2, "one.safetensors is not what it should be: its digest is another")
    assert not (tmp_path / "mirror/snapshots").exists()


@pytest.mark.parametrize(
    ("said", "words"), [(49_000, "larger than 49,000 bytes"), (60_000, "and 60,000 by its pointer")]
)
def test_a_pointer_that_lies_about_the_size_is_refused(tmp_path: Path, hub: Hub, said: int, words: str) -> None:
    site = Site(tmp_path, hub)
    revision = hub.commit(TINY, {"one.safetensors": pointer(b"1" * 50_000, said)})
    hub.given[TINY, "one.safetensors"] = b"1" * 50_000
    site.write(revision)
    ran = site.mirror("sync")
    assert ran.returncode in {2, 4}
    assert words in json_lines(ran)[0]["error"] or "Maximum file size exceeded" in json_lines(ran)[0]["error"]


def test_a_file_without_an_end_costs_its_size(tmp_path: Path, hub: Hub) -> None:
    site, revision = Site(tmp_path, hub), hub.commit(TINY, SMALL, LARGE)
    hub.endless = True
    site.write(revision)
    not_synced(site.mirror("sync"), 2, "is larger than 50,000 bytes")
    assert sum(path.stat().st_size for path in (tmp_path / "mirror").rglob("*") if path.is_file()) < 2**20


def test_a_sync_that_was_killed_goes_on_in_the_middle_of_a_file(tmp_path: Path, hub: Hub) -> None:
    site, revision = Site(tmp_path, hub), hub.commit(TINY, SMALL, LARGE)
    site.write(revision)
    reached = threading.Event()

    def half(path: str) -> int | None:
        if path == "one.safetensors" and not reached.is_set():
            reached.set()
            return 20_000
        return None

    hub.before = half
    command = [sys.executable, "-m", "sparkctl", "airgap", "mirror", "sync", str(site.file)]
    running = subprocess.Popen(command, cwd=PROJECT, env=environment(tmp_path), stdout=subprocess.DEVNULL)
    partial = tmp_path / "mirror/work/hub/lfs"
    assert reached.wait(60)
    while not any(path.stat().st_size for path in partial.glob(".*.part")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    hub.asked.clear()
    must(site.mirror("sync"))
    asked = {path.rsplit("/", 1)[-1]: span for path, span in hub.asked if "/resolve/" in path}
    assert asked["one.safetensors"].startswith("bytes=")
    assert "two.safetensors" not in asked, "it came before, by the order of paths, and was kept"


def test_a_token_is_shown_to_the_hub_and_nowhere_else(tmp_path: Path, hub: Hub) -> None:
    secret = tmp_path / "hf.token"
    secret.write_text(f"{TOKEN}\n")
    secret.chmod(0o600)
    seen: list[str] = []

    def look(_: str) -> None:
        for place in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    seen.append((place / name).read_bytes().decode("latin-1"))
                except OSError:
                    continue

    with Hub(tmp_path / "other") as other:
        site, revision = Site(tmp_path, hub, token_file="hf.token"), hub.commit(TINY, SMALL, LARGE)
        other.given = hub.given
        other.before = look
        hub.token, hub.sent_to = TOKEN, other.url.replace("127.0.0.1", "localhost")
        site.write(revision)
        ran = must(site.mirror("sync"))
    basic = base64.b64encode(f"hf_user:{TOKEN}".encode()).decode()
    assert {f"Bearer {TOKEN}", f"Basic {basic}"} == set(hub.shown)
    assert set(other.shown) == {""}
    assert any("curl" in words for words in seen)
    for hidden in (TOKEN, basic):
        assert not any(hidden in words for words in seen)
        assert hidden not in ran.stdout + ran.stderr
        holding = [
            path for path in (tmp_path / "mirror").rglob("*") if path.is_file() and hidden.encode() in path.read_bytes()
        ]
        assert holding == []


def test_a_token_that_others_can_read_is_refused(tmp_path: Path, hub: Hub) -> None:
    secret = tmp_path / "hf.token"
    secret.write_text(TOKEN)
    secret.chmod(0o640)
    site = Site(tmp_path, hub, token_file="hf.token")
    site.write("0" * 40)
    ran = site.mirror("sync")
    assert ran.returncode == 2
    assert f"the token in {secret} can be read by others" in ran.stderr
    assert TOKEN not in ran.stderr
    secret.chmod(0o600)
    site.entry["endpoint"] = "http://hub.example.net"
    site.write("0" * 40)
    assert "for everybody to read" in site.mirror("sync").stderr
